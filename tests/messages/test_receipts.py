"""What people are shown while a coach is at their conversation: as the policy says, and once for each message."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.conversations import coach, receipts
from bot.conversations.coach import Said
from bot.messages import jobs
from bot.messages.jobs import drain_outbox
from bot.models.connection import Connection, Number
from bot.models.conversation import Conversation
from bot.models.inbox import InboxPolicy, ReadReceipt
from bot.models.message import Message
from bot.models.person import Person
from bot.runtime import Runtime
from tests import factories as make
from tests.harness.simulator import Simulator


def asked(session: Session, tells: str, provider: str = "cloud", **inbound: Any) -> Conversation:
    """A conversation with one message that nobody has read, where the policy says so."""
    number = make.make_number(session)
    session.execute(update(Connection).values(provider=provider))
    session.add(InboxPolicy(environment="live", tells=tells))
    person = make.make_person(session)
    make.make_inbound(session, person, number, **inbound)
    return make.make_conversation(session, person, number)


@pytest.mark.parametrize(
    "tells, provider, is_read, is_typing",
    [
        ("nothing", "cloud", False, False),
        ("read", "cloud", True, False),
        ("typing", "cloud", True, True),
        ("typing", "360dialog", True, True),
        ("typing", "turn", False, False),
    ],
)
def test_people_are_shown_what_the_policy_says_where_their_provider_can(
    session: Session, tells: str, provider: str, *, is_read: bool, is_typing: bool
) -> None:
    conversation = asked(session, tells, provider)
    assert receipts.read(session, conversation.id) is is_read
    assert receipts.typing(session, conversation.id) is is_typing
    assert [each.provider for each in receipts.silent(session, "live")] == (["Turn.io"] if provider == "turn" else [])


def test_a_message_is_told_of_once_and_typing_once_in_a_while(session: Session) -> None:
    conversation = asked(session, "typing")
    first = session.scalars(select(Message.id)).one()
    assert receipts.read(session, conversation.id, first - 1) is False
    assert [receipts.read(session, conversation.id) for _ in range(2)] == [True, False]
    assert [receipts.typing(session, conversation.id) for _ in range(2)] == [True, False]
    person, number = session.get_one(Person, conversation.person_id), session.get_one(Number, conversation.number_id)
    make.make_inbound(session, person, number, "and one more thing")
    assert receipts.read(session, conversation.id, first) is False
    assert receipts.read(session, conversation.id) is True


def test_whoever_answers_has_read_what_came_and_nobody_types_outside_the_window(session: Session) -> None:
    conversation = asked(session, "typing", occurred_at=datetime.now(UTC) - timedelta(hours=25))
    session.execute(update(Conversation).values(last_inbound_at=datetime.now(UTC) - timedelta(hours=25)))
    assert receipts.typing(session, conversation.id) is False
    session.execute(update(Conversation).values(last_inbound_at=datetime.now(UTC)))
    session.expire_all()
    coach.reply(session, conversation.id, make.make_operator(session).id, Said("here"), "k" * 16)
    assert session.scalars(select(ReadReceipt.message_id)).one() == session.scalars(select(Message.id)).first()


@pytest.fixture
def conversation(live_rt: Runtime, line: Number) -> Conversation:
    with live_rt.transaction() as session:
        session.add(InboxPolicy(environment=line.environment, tells="typing"))
        person = make.make_person(session, environment=line.environment)
        number = session.get_one(Number, line.id)
        make.make_inbound(session, person, number, provider_message_id="wamid.heard")
        return make.make_conversation(session, person, number)


def test_the_send_pump_tells_the_provider_once_however_often_it_runs(
    live_rt: Runtime, conversation: Conversation, simulator: Simulator
) -> None:
    with live_rt.transaction() as session:
        assert receipts.read(session, conversation.id)
    drain_outbox()
    drain_outbox()
    with live_rt.transaction() as session:
        assert receipts.typing(session, conversation.id)
    drain_outbox()
    with live_rt.transaction() as session:  # a pump that comes too late to show who typed
        long_ago = datetime.now(UTC) - timedelta(minutes=1)
        session.execute(update(ReadReceipt).values(is_typing=True, typing_at=long_ago, due_at=long_ago))
    drain_outbox()
    told = {"number_id": simulator.number_id, "message_id": "wamid.heard"}
    assert simulator.control("reads") == [told | {"typing": False}, told | {"typing": True}]
    assert simulator.log() == []


def test_nobody_is_shown_typing_who_has_answered_already(
    live_rt: Runtime, conversation: Conversation, simulator: Simulator
) -> None:
    with live_rt.transaction() as session:
        receipts.typing(session, conversation.id)
    with live_rt.transaction() as session:
        coach.reply(session, conversation.id, make.make_operator(session).id, Said("here"), "k" * 16)
    drain_outbox()
    assert [each["typing"] for each in simulator.control("reads")] == [False]


def test_what_was_certainly_not_told_is_told_again_and_a_refusal_is_said_plainly(
    live_rt: Runtime, conversation: Conversation, simulator: Simulator
) -> None:
    with live_rt.transaction() as session:
        receipts.read(session, conversation.id)
        home = session.scalars(select(Connection.base_url)).one()
        session.execute(update(Connection).values(base_url="http://127.0.0.1:9"))
    drain_outbox()
    with live_rt.transaction() as session:
        kept = session.scalars(select(ReadReceipt)).one()
        assert (kept.told_id, kept.due_at is not None) == (None, True)
        session.execute(update(Connection).values(base_url=home))
        session.execute(update(ReadReceipt).values(due_at=datetime.now(UTC)))
        session.execute(update(Message).values(provider_message_id="sha256:not of WhatsApp's"))
    jobs.sweep(live_rt)
    drain_outbox()
    assert simulator.control("reads") == []
    with live_rt.transaction() as session:
        kept = session.scalars(select(ReadReceipt)).one()
        assert kept.due_at is None
        assert receipts.refused(session, conversation.environment) == (1, kept.problem)
        assert kept.problem
