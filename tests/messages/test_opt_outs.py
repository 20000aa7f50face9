"""Who stopped our messages is known by the provider's refusals too, and gets marketing again once they want it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.messages import consequences, outbox, statuses
from bot.messages.consequences import Settled
from bot.messages.outbox import Claimed, Result
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import ConsentEvent, Person
from bot.people import consent
from bot.people.consent import Word
from bot.providers.base import Action, Outcome
from bot.providers.events import StatusUpdate
from bot.providers.registry import PROVIDERS
from tests import factories as make

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)
CODES = {"cloud": 131050, "360dialog": 131050, "kaleyra-v2": 131050, "turn": 131050, "twilio": 21610}


def number_at(session: Session, provider: str) -> Number:
    connection = make.make_connection(session)
    connection.provider = provider
    return make.make_number(session, connection)


def sent(session: Session, number: Number, id_: str | None = "wamid.1", **columns: Any) -> Message:
    columns = {"state": "accepted", "provider_message_id": id_, "attempt": 1} | columns
    return make.make_outbound(session, make.make_person(session), number, **columns)


def failed(code: int, id_: str = "wamid.1", **more: Any) -> StatusUpdate:
    return StatusUpdate("", "", id_, "failed", T0, error_code=code, **more)


def ledger(session: Session) -> list[tuple[str, str, str, str | None]]:
    found = session.scalars(select(ConsentEvent).order_by(ConsentEvent.id))
    return [(each.category, each.value, each.source, each.detail) for each in found]


def opted_out_at(session: Session, message: Message) -> datetime | None:
    session.expire_all()
    return session.get_one(Person, message.person_id).marketing_opted_out_at


def resume(session: Session, message: Message, at: datetime) -> None:
    consent.tell(session, [Word(message.person_id, consent.MARKETING, consent.RESUME, "webhook", at)])


@pytest.mark.parametrize("provider, code", CODES.items())
def test_a_late_failure_for_an_opt_out_is_kept_in_the_ledger_in_the_provider_s_own_words(
    session: Session, provider: str, code: int
) -> None:
    number = number_at(session, provider)
    message = sent(session, number)
    for _ in range(2):
        statuses.apply(session, [(number, failed(code))])

    meaning = PROVIDERS[provider].opt_outs[code]
    assert ledger(session) == [("marketing", "stop", "error", f"{meaning} (error {code})")]
    assert opted_out_at(session, message) == T0


@pytest.mark.parametrize("provider, code", [("cloud", 21610), ("twilio", 131050), ("cloud", 131026)])
def test_a_code_means_what_its_own_provider_means_by_it(session: Session, provider: str, code: int) -> None:
    number = number_at(session, provider)
    message = sent(session, number)
    statuses.apply(session, [(number, failed(code))])

    assert ledger(session) == []
    assert opted_out_at(session, message) is None


def test_a_failure_that_comes_before_its_message_is_known_is_remembered_once_it_is(session: Session) -> None:
    number = number_at(session, "twilio")
    message = sent(session, number, None, state="wire", owner="me")
    statuses.apply(session, [(number, failed(21610, "SM1"))])
    assert ledger(session) == []

    outbox.record(session, "me", [Result(message.id, 1, "accepted", "SM1")])

    assert opted_out_at(session, message) == T0


def test_somebody_whom_the_message_reached_after_all_has_stopped_nothing(session: Session) -> None:
    number = number_at(session, "cloud")
    message = sent(session, number)
    delivered = StatusUpdate("", "", "wamid.1", "delivered", T0)
    statuses.apply(session, [(number, delivered), (number, failed(131050))])

    assert opted_out_at(session, message) is None


def test_a_refusal_at_once_is_kept_in_the_same_ledger(session: Session) -> None:
    number = number_at(session, "cloud")
    messages = [sent(session, number, None) for _ in range(2)]
    outcome = Outcome(Action.OPTED_OUT, None, 131050, "this person has stopped marketing messages")
    rows = [Claimed(each.id, 1, each.person_id, None, each.to_address or "", {}) for each in messages]
    consequences.follow(session, number.id, [Settled(row, outcome) for row in rows])

    told = ("marketing", "stop", "error", "this person has stopped marketing messages (error 131050)")
    assert ledger(session) == [told, told]
    assert all(opted_out_at(session, message) for message in messages)


def test_who_resumes_afterwards_is_written_to_again_and_a_late_repeat_of_the_failure_changes_nothing(
    session: Session,
) -> None:
    number = number_at(session, "cloud")
    message = sent(session, number)
    statuses.apply(session, [(number, failed(131050))])
    assert may_get_marketing(session, number, message) is False

    resume(session, message, T0 + timedelta(hours=1))
    statuses.apply(session, [(number, failed(131050))])

    assert opted_out_at(session, message) is None
    assert may_get_marketing(session, number, message) is True


def test_who_resumed_before_the_failure_has_stopped_since(session: Session) -> None:
    number = number_at(session, "cloud")
    message = sent(session, number)
    resume(session, message, T0 - timedelta(hours=1))
    statuses.apply(session, [(number, failed(131050))])

    assert opted_out_at(session, message) == T0


def may_get_marketing(session: Session, number: Number, earlier: Message) -> bool:
    """Whether a broadcast's message to the same person passes the last look before the wire."""
    template = make.make_template(session, number.connection)
    running = make.make_broadcast(
        session,
        number,
        make.make_segment(session),
        template,
        state="running",
        frozen_template={"category": "MARKETING"},
    )
    person = session.get_one(Person, earlier.person_id)
    columns: dict[str, Any] = {"author_kind": "broadcast", "broadcast_id": running.id, "owner": "me", "attempt": 1}
    message = make.make_outbound(session, person, number, state="claimed", **columns)
    row = Claimed(message.id, 1, person.id, running.id, message.to_address or "", {"type": "template"})
    leaving = outbox.to_wire(session, "me", [row], 60.0)
    session.expire_all()
    assert session.scalar(select(func.count()).where(Message.id == message.id, Message.state == "suppressed")) == (
        0 if leaving else 1
    )
    return bool(leaving)
