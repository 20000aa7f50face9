"""Whoever writes is one person by whatever they show; and things hold by when they happened, not by when we heard."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy.orm import Session

from bot.models.words import MediaState
from bot.providers.events import Event, Sender
from tests.webhooks.telling import NOW, Desk, echo, edit, message, open_desk, photo, reaction, revoke, status
from webhooks import apply
from webhooks.apply import Item
from webhooks.attachments import NOWHERE

DAY = 86_400

PHONE_ONLY, ID_ONLY = Sender(phone="201000000001"), Sender(user_id="EG.1")
BOTH = Sender(phone="201000000001", user_id="EG.1")


@pytest.fixture
def desk(session: Session) -> Desk:
    return open_desk(session)


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "three"])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_phone_only_user_id_only_and_both_are_one_once_both_were_seen(
    desk: Desk, order: tuple[int, ...], together: bool
) -> None:
    told = [message(sender=sender) for sender in (PHONE_ONLY, BOTH, ID_ONLY)]
    if together:
        desk.tell(*(told[place] for place in order))
    else:
        for place in order:
            desk.tell(told[place])
    assert desk.ask("SELECT count(*) FROM person") == 1
    assert desk.rows("SELECT state, unread_count FROM conversation") == [("open", 3)]


@pytest.mark.parametrize(
    "forms",
    [("551187654321", "5511987654321"), ("5215512345678", "525512345678"), ("5491143211234", "541143211234")],
    ids=["Brazil", "Mexico", "Argentina"],
)
def test_both_forms_of_a_number_are_one_person_who_is_answered_as_last_received(
    desk: Desk, forms: tuple[str, str]
) -> None:
    for form in (*forms, *reversed(forms)):
        desk.tell(message(sender=Sender(phone=form)))
    assert desk.ask("SELECT count(*) FROM person") == 1
    assert desk.ask("SELECT unread_count FROM conversation") == 4


@pytest.mark.parametrize("phone", ["5678", "0", "999999999999999999999", "00201000000001", "1" * 40])
def test_a_number_nobody_can_make_sense_of_loses_no_message(desk: Desk, phone: str) -> None:
    desk.tell(message(sender=Sender(phone=phone)), message("again", sender=Sender(phone=phone)))
    assert desk.ask("SELECT count(*) FROM message") == 2
    assert desk.ask("SELECT count(*) FROM person") == 1
    assert desk.ask("SELECT unread_count FROM conversation") == 2


def test_a_thread_is_in_the_order_things_were_said(desk: Desk) -> None:
    desk.tell(message("third", s=30), echo("second", s=20))
    desk.tell(message("first", s=10))
    said = desk.rows("SELECT body FROM message ORDER BY occurred_at, id")
    assert said == [("first",), ("second",), ("third",)]


def test_what_is_a_week_old_stands_in_the_thread_but_opens_no_window(desk: Desk) -> None:
    applied = desk.tell(message("last week", s=-7 * DAY))
    assert applied.refused == frozenset()
    assert desk.ask("SELECT body FROM message") == "last week"
    assert desk.ask("SELECT now() - last_inbound_at > interval '6 days' FROM conversation")
    assert desk.ask("SELECT state FROM conversation") == "open"  # nobody has read it


@pytest.mark.parametrize("s", [-31 * DAY, 7200], ids=["a month old", "in the future"])
@pytest.mark.parametrize(
    "told",
    [
        lambda s: message(s=s),
        lambda s: echo(s=s),
        lambda s: edit("m", "new", s=s),
        lambda s: revoke("m", s=s),
        lambda s: reaction("m", "❤", s=s),
    ],
    ids=["message", "echo", "edit", "revoke", "reaction"],
)
def test_what_is_out_of_its_time_is_put_aside_and_does_nothing(desk: Desk, told: object, s: float) -> None:
    assert callable(told)
    desk.tell(message("hello", id_="m"))
    event: Event = told(s)
    assert desk.tell(event).refused == {1}
    assert desk.ask("SELECT reason LIKE 'stale:%' FROM quarantine")
    assert desk.rows("SELECT body, edited_at, revoked_at FROM message") == [("hello", None, None)]
    assert desk.ask("SELECT count(*) FROM reaction") == 0


def test_a_file_is_noted_with_its_message_once(desk: Desk) -> None:
    told = message("my cat", kind="image", media=photo("media.1"))
    assert desk.tell(told, told).queues == {"media"}
    assert desk.tell(told).queues == set()
    assert desk.tell(echo("ours", kind="image", media=photo(None, "https://files.example/1"))).queues == {"media"}
    assert desk.rows("SELECT provider_media_id, url, mime_type, name, state FROM media ORDER BY id") == [
        ("media.1", None, "image/jpeg", "cat.jpg", MediaState.WAITING),
        (None, "https://files.example/1", "image/jpeg", "cat.jpg", MediaState.WAITING),
    ]


def test_a_file_that_is_nowhere_is_not_waited_for(desk: Desk) -> None:
    assert desk.tell(message("my cat", kind="image", media=photo(None))).queues == set()
    assert desk.rows("SELECT state, reason FROM media") == [(MediaState.FAILED, NOWHERE)]


def test_a_mark_that_was_forged_is_counted_and_changes_nothing(desk: Desk) -> None:
    desk.tell(status("w", "read", callback="o1.999999.1"), status("w", "sent", callback="o1.999999.1"))
    assert desk.rows("SELECT connection_id, kind, count FROM webhook_tally") == [(desk.number.connection_id, "mark", 2)]


def test_what_waited_long_in_the_quarantine_was_not_too_old_when_it_came(desk: Desk) -> None:
    came = NOW - timedelta(days=20)
    told = replace(message("my number was not set up"), occurred_at=came - timedelta(hours=1))
    done = apply.apply(desk.session, [Item(1, desk.number.connection_id, told, came)])
    assert (done.refused, desk.ask("SELECT count(*) FROM message WHERE direction = 'in'")) == (frozenset(), 1)
    assert apply.apply(desk.session, [Item(2, desk.number.connection_id, told)]).refused == {2}
