"""People are recognised by whatever address a webhook shows, also when it changes."""

import time

import orjson

from bot.messages import compose
from bot.models.connection import Number
from bot.models.words import AuthorKind
from tests import factories
from tests.webhooks.conftest import PHONE, Line, contact, envelope, quarantine, text_message


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


def test_a_number_that_is_somebody_elses_is_left_to_people(line: Line) -> None:
    line.tell(text_message("I am A"), text_message("I am B", sender="201100000002"))
    moved = {"body": "A is B now", "type": "user_changed_number", "wa_id": "201100000002"}
    line.tell(text_message(type="system", system=moved))
    assert line.ask("SELECT count(*) FROM person") == 2
    assert line.rows("SELECT count(*) FROM address GROUP BY person_id") == [(1,), (1,)]
    [(_, told)] = quarantine(line)
    assert told == "the new phone number or user id belongs to another person: nothing was changed"
