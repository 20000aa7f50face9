"""Cases 58 and 59: what nobody reports on while everything else is reported on was not sent, and only then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.messages import callback, outbox, silence, statuses
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.message import Message, StatusEvent
from bot.models.person import Person
from bot.providers.events import StatusUpdate
from tests import factories as make
from tests.messages.test_outbox import addressed, claim, running, states

WINDOW = timedelta(minutes=15)
LONG_AGO = timedelta(minutes=20)


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


@pytest.fixture
def broadcast(session: Session, number: Number) -> Broadcast:
    return running(session, number)


@pytest.fixture
def person(session: Session) -> Person:
    return make.make_person(session)


def ago(time: timedelta) -> datetime:
    return datetime.now(UTC) - time


def sent(session: Session, broadcast: Broadcast, number: Number, person: Person, **columns: Any) -> Message:
    """Accepted at the same time as the one in doubt, and delivered at once."""
    at = ago(LONG_AGO)
    message = addressed(session, broadcast, number, person)
    columns = {"sent_at": at, "delivery_level": 2, "evidence": "response"} | columns
    for name, value in ({"state": "accepted", "accepted_at": at, "wire_at": at} | columns).items():
        setattr(message, name, value)
    session.flush()
    return message


def doubted(session: Session, broadcast: Broadcast, number: Number, person: Person, **columns: Any) -> Message:
    message = addressed(session, broadcast, number, person)
    for name, value in ({"state": "unknown", "wire_at": ago(LONG_AGO), "owner": "dead"} | columns).items():
        setattr(message, name, value)
    session.flush()
    return message


def hear(session: Session, number: Number, when: timedelta = timedelta(0)) -> None:
    """A report on anything of the number comes in."""
    session.add(
        StatusEvent(
            number_id=number.id,
            provider_message_id=f"x{when}",
            status="read",
            occurred_at=ago(when),
            created_at=ago(when),
        )
    )
    session.flush()


def neighbours(
    session: Session, broadcast: Broadcast, number: Number, person: Person, count: int = 10
) -> list[Message]:
    return [sent(session, broadcast, number, person) for _ in range(count)]


def test_silence_among_reports_means_that_it_was_not_sent(
    session: Session, number: Number, broadcast: Broadcast, person: Person
) -> None:
    neighbours(session, broadcast, number, person)
    message = doubted(session, broadcast, number, person)
    hear(session, number)
    assert silence.conclude(session, WINDOW) == 1
    assert states(session, message) == ["presumed_unsent"]
    assert claim(session, number) == [], "only a person may send it again"


@pytest.mark.parametrize("why", ["no report now", "few neighbours", "others untold", "too early", "slow reports"])
def test_where_nothing_can_be_concluded_the_doubt_stays(
    session: Session, number: Number, broadcast: Broadcast, person: Person, why: str
) -> None:
    others = neighbours(session, broadcast, number, person, 9 if why == "few neighbours" else 10)
    if why == "others untold":
        others[0].delivery_level = 0
    if why == "slow reports":
        others[0].sent_at = others[0].accepted_at and others[0].accepted_at + timedelta(minutes=3)
    early = {"wire_at": ago(timedelta(minutes=14))} if why == "too early" else {}
    message = doubted(session, broadcast, number, person, **early)
    hear(session, number, timedelta(minutes=2) if why == "no report now" else timedelta(0))
    assert silence.conclude(session, WINDOW) == 0
    assert states(session, message) == ["unknown"]


def test_a_person_releases_them_and_the_row_says_that_it_may_be_a_second_one(
    session: Session, number: Number, broadcast: Broadcast, person: Person
) -> None:
    message = doubted(session, broadcast, number, person, state="presumed_unsent")
    in_doubt = doubted(session, broadcast, number, person)
    assert silence.release(session, broadcast.id) == 1
    assert states(session, message, in_doubt) == ["queued", "unknown"]
    assert message.possible_duplicate
    assert [row.id for row in claim(session, number)] == [message.id]


@pytest.mark.parametrize("category, expected", [("MARKETING", "queued"), ("AUTHENTICATION", "presumed_unsent")])
def test_a_broadcast_that_says_so_sends_them_once_more_but_never_a_code(
    session: Session, number: Number, person: Person, category: str, expected: str
) -> None:
    frozen = {"frozen_template": {"category": category}}
    broadcast = running(session, number, resends_unsent=True, **frozen)
    neighbours(session, broadcast, number, person)
    message = doubted(session, broadcast, number, person)
    again = doubted(session, broadcast, number, person, possible_duplicate=True)
    hear(session, number)
    silence.conclude(session, WINDOW)
    assert states(session, message, again) == [expected, "presumed_unsent"]


def test_who_was_presumed_unsent_and_reports_all_the_same_had_it(
    session: Session, number: Number, broadcast: Broadcast, person: Person
) -> None:
    message = doubted(session, broadcast, number, person, state="presumed_unsent", attempt=1)
    mark = callback.token(message.id, 1)
    statuses.apply(session, [(number, StatusUpdate("", "", "wamid.late", "read", datetime.now(UTC), callback=mark))])
    assert states(session, message) == ["accepted"]
    assert silence.release(session, broadcast.id) == 0
    assert outbox.due_numbers(session) == []
