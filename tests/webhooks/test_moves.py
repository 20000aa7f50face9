"""People are recognised by whatever address a webhook shows, also when it changes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import orjson
import pytest
from sqlalchemy.orm import Session

from bot.messages import compose
from bot.models.connection import Number
from bot.models.words import AuthorKind
from bot.providers.events import Event, Sender
from bot.runtime import Runtime
from tests import factories
from tests.webhooks.conftest import PHONE, Line, contact, envelope, quarantine, text_message
from tests.webhooks.telling import Desk, message, move, open_desk


def test_someone_known_by_import_is_recognised_and_named_only_if_nameless(line: Line) -> None:
    with line.rt.transaction() as session:
        named = factories.make_person(session, phone=f"+{PHONE}", nickname="Auntie")
        nameless = factories.make_person(session, phone="+201100000002")
    line.tell(
        text_message(), text_message(sender="201100000002"), contacts=[contact(), contact("201100000002", "Bilal")]
    )
    assert line.rows("SELECT id, nickname FROM person ORDER BY id") == [(named.id, "Auntie"), (nameless.id, "Bilal")]


def test_a_change_of_number_keeps_the_person(line: Line) -> None:
    line.tell(text_message("before"), contacts=[contact()])
    moved = {"body": "User A changed from 2010 to 2011", "type": "user_changed_number", "wa_id": "201100000002"}
    change = text_message(type="system", system=moved)
    line.tell(change)
    line.tell(change | {"id": "wamid.again"})
    line.tell(text_message("after", sender="201100000002"), contacts=[contact("201100000002")])
    assert line.ask("SELECT count(*) FROM person") == 1
    assert line.rows("SELECT value FROM address ORDER BY id") == [("+201000000001",), ("+201100000002",)]
    assert line.ask("SELECT count(*) FROM conversation") == 1
    assert [kind for (kind,) in line.rows("SELECT kind FROM message ORDER BY id")] == [
        "text",
        "system",
        "system",
        "text",
    ]
    assert line.ask("SELECT unread_count FROM conversation") == 2  # the system's notes are nobody's words
    with line.rt.transaction() as session:
        number = session.get_one(Number, line.number_id)
        author = compose.Author(AuthorKind.API, factories.make_token(session).id)
        [(person_id,)] = line.rows("SELECT id FROM person")
        compose.compose(session, number, author, [compose.Draft(person_id, "text", compose.text_content("hi"))])
    assert line.ask("SELECT to_address FROM message WHERE direction = 'out'") == "+201100000002"


def test_a_rotated_user_id_keeps_the_person(line: Line) -> None:
    line.tell(text_message(sender="", from_user_id="EG.111"), contacts=[{"profile": {}, "user_id": "EG.111"}])
    update = {"wa_id": "", "user_id": {"previous": "EG.111", "current": "EG.222"}, "timestamp": str(int(time.time()))}
    body = envelope(user_id_update=[update])
    body["entry"][0]["changes"][0]["field"] = "user_id_update"
    assert line.post(orjson.dumps(body)).status_code == 200
    line.apply()
    line.tell(text_message(sender="", from_user_id="EG.222"))
    assert quarantine(line) == []
    assert line.ask("SELECT count(*) FROM person") == 1
    assert sorted(line.rows("SELECT kind, value FROM address")) == [("user_id", "EG.111"), ("user_id", "EG.222")]


def test_whoever_moves_to_an_address_that_is_known_is_one_person_with_its_owner(line: Line) -> None:
    line.tell(text_message("I am A"), text_message("I am B", sender="201100000002"))
    moved = {"body": "A is B now", "type": "user_changed_number", "wa_id": "201100000002"}
    change = text_message(type="system", system=moved)
    line.tell(change)
    line.tell(change)
    assert quarantine(line) == []
    assert line.ask("SELECT count(*) FROM person") == 1
    assert line.rows("SELECT state, unread_count FROM conversation") == [("open", 2)]
    assert line.rows("SELECT body FROM message ORDER BY id") == [("I am A",), ("I am B",), ("A is B now",)]
    assert line.ask("SELECT count(*) FROM person_merge") == 1


A, B, C = (Sender(phone=f"20100000000{n}") for n in (1, 2, 3))


@pytest.fixture
def desk(session: Session) -> Desk:
    return open_desk(session)


def reached_at(desk: Desk) -> list[str]:
    """What is dialled for each person, when a message is composed now."""
    author = compose.Author(AuthorKind.API, factories.make_token(desk.session).id)
    people = [person_id for (person_id,) in desk.rows("SELECT id FROM person ORDER BY id")]
    drafts = [compose.Draft(person_id, "text", compose.text_content("hi")) for person_id in people]
    ids = compose.compose(desk.session, desk.number, author, drafts)
    return [desk.ask("SELECT to_address FROM message WHERE id = :id", id=id_) for id_ in ids]


MOVES: tuple[Event, ...] = (
    message("from the first phone", id_="a", sender=A, s=0),
    move(A, phone=B.phone, id_="ab", s=10),
    message("from the second phone", id_="b", sender=B, s=20),
    move(B, phone=C.phone, id_="bc", s=30),
)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_moves_and_messages_in_any_order_make_one_person_reached_where_they_moved_last(
    desk: Desk, order: list[int]
) -> None:
    for place in (*order, *order):
        desk.tell(MOVES[place])
    assert desk.ask("SELECT count(*) FROM person") == 1
    assert desk.rows("SELECT body FROM message WHERE kind = 'text' ORDER BY occurred_at") == [
        ("from the first phone",),
        ("from the second phone",),
    ]
    assert desk.rows("SELECT state, unread_count FROM conversation") == [("open", 2)]
    assert reached_at(desk) == [f"+{C.phone}"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "turned round"])
def test_who_moves_back_is_reached_at_their_first_phone_again(desk: Desk, order: tuple[int, int]) -> None:
    desk.tell(message(sender=A))
    there_and_back: list[Event] = [move(A, phone=B.phone, s=10), move(B, phone=A.phone, s=20)]
    for place in order:
        desk.tell(there_and_back[place])
    assert reached_at(desk) == [f"+{A.phone}"]


def test_all_that_is_told_of_moves_in_one_batch_is_as_good_as_in_many(desk: Desk) -> None:
    desk.tell(*reversed(MOVES), *MOVES)
    assert desk.ask("SELECT count(*) FROM person") == 1
    assert desk.ask("SELECT count(*) FROM message") == 4


def test_what_waits_to_be_sent_follows_who_moved(desk: Desk) -> None:
    desk.tell(message(sender=A))
    reached_at(desk)
    desk.tell(move(A, phone=B.phone, s=10))
    assert desk.ask("SELECT to_address FROM message WHERE direction = 'out'") == f"+{B.phone}"


def test_a_new_user_id_and_a_new_phone_in_one_note_bring_three_together(desk: Desk) -> None:
    desk.tell(message(sender=A), message(sender=B), message(sender=Sender(user_id="EG.9")))
    desk.tell(move(A, phone=B.phone, user_id="EG.9", s=10))
    assert desk.ask("SELECT count(*) FROM person") == 1
    assert desk.ask("SELECT count(*) FROM person_merge") == 2
    assert desk.ask("SELECT unread_count FROM conversation") == 3


def test_the_numbers_of_brazil_are_one_in_a_move_too(desk: Desk) -> None:
    desk.tell(message(sender=Sender(phone="551187654321")))
    desk.tell(move(Sender(phone="5511987654321"), phone="552187654321", s=10))
    desk.tell(message(sender=Sender(phone="5521987654321"), s=20))
    assert desk.ask("SELECT count(*) FROM person") == 1


def test_a_month_old_note_of_a_move_moves_nobody(desk: Desk) -> None:
    desk.tell(message(sender=A), message(sender=B))
    applied = desk.tell(move(A, phone=B.phone, s=-31 * 86_400))
    assert applied.refused == {1}
    assert desk.ask("SELECT count(*) FROM person") == 2


def test_two_workers_who_hear_of_the_same_moves_make_the_same_person(live_rt: Runtime) -> None:
    with live_rt.transaction() as session:
        number = open_desk(session).number
        Desk(session, number).tell(*(message(sender=each) for each in (A, B, C)))
    gate = threading.Barrier(4)

    def hear(turn: int) -> None:
        told: list[Event] = [
            move(A, phone=B.phone, s=10),
            move(B, phone=C.phone, s=20),
            message(sender=B, id_="once", s=15),
        ]
        gate.wait()
        for one in told[turn % 3 :] + told[: turn % 3]:
            with live_rt.transaction() as session:
                Desk(session, number).tell(one)

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(hear, range(4)))
    with live_rt.sessions() as session:
        desk = Desk(session, number)
        assert desk.ask("SELECT count(*) FROM person") == 1
        assert desk.ask("SELECT count(*) FROM conversation") == 1
        assert desk.ask("SELECT count(*) FROM message") == 4
