"""A report without our mark ends doubt only where nothing else can be meant."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.messages import doubts, statuses
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.providers.events import StatusUpdate
from tests import factories as make
from tests.webhooks.telling import at, status

TO = "+201000000001"


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


@pytest.fixture
def person(session: Session) -> Person:
    return make.make_person(session, phone=TO)


def in_doubt(session: Session, number: Number, person: Person, **columns: Any) -> Message:
    usual: dict[str, Any] = {"state": "unknown", "attempt": 1, "wire_at": at(0), "to_address": TO}
    return make.make_outbound(session, person, number, **usual | columns)


def hear(session: Session, number: Number, *updates: StatusUpdate) -> int:
    statuses.apply(session, [(number, update) for update in updates])
    settled = doubts.settle(session)
    session.expire_all()
    return settled


@pytest.mark.parametrize("seconds", [-5, 0, 900])
@pytest.mark.parametrize("recipient", ["201000000001", TO])
def test_a_report_to_the_only_one_in_doubt_settles_it(
    session: Session, number: Number, person: Person, seconds: float, recipient: str
) -> None:
    message = in_doubt(session, number, person)
    assert hear(session, number, status("w", "delivered", s=seconds, recipient=recipient)) == 1
    assert (message.state, message.evidence, message.provider_message_id) == ("accepted", "recipient", "w")
    assert (message.delivery_level, message.delivered_at) == (2, at(seconds))


@pytest.mark.parametrize(
    "dialled, told",
    [("+5511987654321", "551187654321"), ("+5215512345678", "525512345678"), ("EG.111", "EG.111")],
    ids=["Brazil", "Mexico", "user id"],
)
def test_the_recipient_may_be_told_in_another_form(
    session: Session, number: Number, person: Person, dialled: str, told: str
) -> None:
    message = in_doubt(session, number, person, to_address=dialled)
    assert hear(session, number, status("w", "sent", recipient=told)) == 1
    assert message.state == "accepted"


@pytest.mark.parametrize(
    "more",
    [
        {"s": -6},
        {"s": 901},
        {"recipient": "201000000002"},
        {"recipient": None},
        {"callback": "somebody else's"},
        {"callback": "o1.999999.1"},
    ],
    ids=str,
)
def test_a_report_that_need_not_be_of_it_settles_nothing(
    session: Session, number: Number, person: Person, more: dict[str, Any]
) -> None:
    message = in_doubt(session, number, person)
    assert hear(session, number, status("w", "delivered", **({"recipient": "201000000001"} | more))) == 0
    assert message.state == "unknown"


def test_a_report_of_another_number_settles_nothing(session: Session, number: Number, person: Person) -> None:
    message = in_doubt(session, number, person)
    assert hear(session, make.make_number(session), status("w", "sent", recipient="201000000001")) == 0
    assert message.state == "unknown"


@pytest.mark.parametrize("state", ["unknown", "wire"])
def test_two_who_may_be_meant_stay_in_doubt(session: Session, number: Number, person: Person, state: str) -> None:
    message = in_doubt(session, number, person)
    in_doubt(session, number, person, state=state, wire_at=at(30))
    assert hear(session, number, status("w", "sent", s=40, recipient="201000000001")) == 0
    assert message.state == "unknown"


def test_two_reports_of_different_messages_prove_neither(session: Session, number: Number, person: Person) -> None:
    message = in_doubt(session, number, person)
    to = {"recipient": "201000000001"}
    assert hear(session, number, status("w1", "sent", s=1, **to), status("w2", "sent", s=2, **to)) == 0
    assert message.state == "unknown"


def test_a_report_that_came_before_the_doubt_counts(session: Session, number: Number, person: Person) -> None:
    message = in_doubt(session, number, person, state="wire")
    assert hear(session, number, status("w", "sent", s=1, recipient="201000000001")) == 0
    message.state = "unknown"
    session.flush()
    assert doubts.settle(session) == 1
    session.expire_all()
    assert (message.state, message.delivery_level) == ("accepted", 1)


def test_many_orphans_of_another_system_cost_the_sweep_little(session: Session, number: Number, person: Person) -> None:
    message = in_doubt(session, number, person)
    session.execute(
        text("""
            INSERT INTO status_event (number_id, provider_message_id, status, occurred_at)
            SELECT :number_id, 'foreign.' || n, 'sent', now() FROM generate_series(1, 30000) AS n
        """),
        {"number_id": number.id},
    )
    session.execute(text("ANALYZE status_event"))
    hear(session, number, status("w", "sent", recipient="201000000001"))
    assert message.state == "accepted"
    for statement in (statuses._ADOPT_LATE, doubts._REPORTS):
        given = {"late": 10_000, "limit": 5_000, "numbers": [number.id]}
        plan = "\n".join(session.scalars(text(f"EXPLAIN {statement.text}"), given))
        assert "ix_status_event_newest_orphans" in plan
        assert "Seq Scan on status_event" not in plan
    assert session.scalar(select(Message.delivery_level)) == 1
