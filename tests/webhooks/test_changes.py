"""People edit, delete and react; the thread shows what holds now, whatever order it is told in."""

from itertools import permutations

import pytest
from sqlalchemy.orm import Session

from bot.messages import changes
from bot.models.person import Person
from bot.providers.events import Event, MessageEdit, MessageRevoke, Sender
from tests import factories
from tests.webhooks.telling import AMINA, PHONE, Desk, at, echo, edit, message, open_desk, reaction, revoke

BILAL = Sender(phone="201000000002")
SHOWN = "SELECT body, edited_at, revoked_at, original ->> 'body' FROM message"


@pytest.fixture
def desk(session: Session) -> Desk:
    return open_desk(session)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_an_edited_message_reads_as_last_edited_and_keeps_its_first_wording(desk: Desk, order: list[int]) -> None:
    told: list[Event] = [
        message("helo", id_="m"),
        edit("m", "hello", id_="e1", s=10),
        edit("m", "hello there", id_="e2", s=20),
        revoke("m", id_="r", s=30),
    ]
    for place in (*order, *order):
        desk.tell(told[place])
    assert desk.rows(SHOWN) == [("hello there", at(20), at(30), "helo")]
    assert desk.ask("SELECT count(*) FROM message_change") == 3


def test_edits_and_deletions_are_nobodys_words(desk: Desk) -> None:
    desk.tell(message("helo", id_="m"))
    before = desk.rows("SELECT state, unread_count, last_message_at, last_inbound_at FROM conversation")
    desk.tell(edit("m", "hello", s=60))
    desk.tell(revoke("m", s=70))
    assert desk.rows("SELECT state, unread_count, last_message_at, last_inbound_at FROM conversation") == before
    assert desk.ask("SELECT count(*) FROM message") == 1


def test_a_change_of_what_never_came_opens_nothing(desk: Desk) -> None:
    desk.tell(edit("nowhere", "hello"), revoke("nowhere"))
    assert desk.ask("SELECT count(*) FROM message") == 0
    assert desk.ask("SELECT count(*) FROM conversation") == 0


def test_an_edit_in_the_batch_of_its_message_counts(desk: Desk) -> None:
    desk.tell(edit("m", "hello", s=5), message("helo", id_="m"), revoke("m", s=9))
    assert desk.rows(SHOWN) == [("hello", at(5), at(9), "helo")]


@pytest.mark.parametrize("first", [True, False], ids=["change first", "message first"])
@pytest.mark.parametrize(
    "change", [edit("m", "pwned", sender=BILAL), revoke("m", sender=BILAL), revoke("m", sender=None)]
)
def test_nobody_changes_what_somebody_else_said(desk: Desk, change: MessageEdit | MessageRevoke, first: bool) -> None:
    for told in (change, message("mine", id_="m")) if first else (message("mine", id_="m"), change):
        desk.tell(told)
    assert desk.rows(SHOWN) == [("mine", None, None, None)]


@pytest.mark.parametrize("first", [True, False], ids=["change first", "message first"])
def test_the_business_changes_what_it_said_in_the_phone_app(desk: Desk, first: bool) -> None:
    told: list[Event] = [echo("see you at 9", id_="m"), edit("m", "see you at 10", sender=None, s=5)]
    for one in reversed(told) if first else told:
        desk.tell(one)
    desk.tell(edit("m", "pwned", sender=AMINA, s=9))
    assert desk.rows(SHOWN) == [("see you at 10", at(5), None, "see you at 9")]


def test_a_change_stored_in_the_same_instant_as_its_message_is_joined_by_the_sweep(desk: Desk) -> None:
    desk.tell(revoke("m", s=5))
    [(person_id,)] = desk.rows("SELECT person_id FROM message_change")
    desk.session.flush()
    made = desk.session.get_one(Person, person_id)
    factories.make_inbound(desk.session, made, desk.number, provider_message_id="m")
    changes.adopt_late(desk.session)
    assert desk.ask("SELECT revoked_at FROM message") == at(5)


def test_many_changes_cost_a_few_statements(desk: Desk) -> None:
    desk.tell(*(message("before", id_=f"m{n}") for n in range(300)))
    desk.tell(*(edit(f"m{n}", f"after {n}", s=5) for n in range(300)))
    assert desk.ask("SELECT count(*) FROM message WHERE body LIKE 'after %'") == 300


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_latest_reaction_of_each_person_counts(desk: Desk, order: list[int]) -> None:
    told = [
        reaction("m", "\U0001f44d", s=1),
        reaction("m", "❤", s=2),
        reaction("m", None, s=3),
        reaction("m", "\U0001f389", sender=BILAL, s=1),
    ]
    for place in (*order, *order):
        desk.tell(told[place])
    found = desk.rows(
        "SELECT a.value, r.emoji FROM reaction r JOIN address a ON a.person_id = r.person_id ORDER BY a.value"
    )
    assert found == [(f"+{PHONE}", None), ("+201000000002", "\U0001f389")]


def test_of_two_reactions_of_one_second_the_one_taken_back_counts(desk: Desk) -> None:
    desk.tell(reaction("m", None, s=1), reaction("m", "❤", s=1))
    desk.tell(reaction("n", "❤", s=1))
    desk.tell(reaction("n", None, s=1))
    assert desk.rows("SELECT target, emoji FROM reaction ORDER BY target") == [("m", None), ("n", None)]


def test_a_reaction_is_kept_as_something_that_came_in_and_opens_nothing(desk: Desk) -> None:
    desk.tell(reaction("m", "❤"))
    assert desk.rows("SELECT kind, body, direction FROM message") == [("reaction", "❤", "in")]
    assert desk.ask("SELECT count(*) FROM conversation") == 0
