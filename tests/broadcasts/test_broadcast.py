"""A broadcast goes once to everybody who is in its segment when it is launched, and the numbers always add up."""

from sqlalchemy import select

from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.models.words import BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts import jobs, ledger, lifecycle
from broadcasts.transitions import NOBODY, timeline
from tests import factories


def make_launched(rt: Runtime, people: int = 3) -> int:
    with rt.transaction() as session:
        number = factories.make_number(session)
        segment = factories.make_segment(session, [factories.make_person(session) for _ in range(people)])
        template = factories.make_template(session, number.connection)
        broadcast = lifecycle.create(
            session,
            environment="live",
            name="Spring",
            number_id=number.id,
            template_id=template.id,
            segment_id=segment.id,
            slots={"body.1": "<<user.first_name>>"},
        )
    with rt.transaction() as session:
        lifecycle.launch(session, broadcast.id, NOBODY)
    return broadcast.id


def state_of(rt: Runtime, broadcast_id: int) -> str:
    with rt.transaction() as session:
        return session.scalars(select(Broadcast.state).where(Broadcast.id == broadcast_id)).one()


def test_launching_prepares_a_message_for_everybody_and_then_runs(rt: Runtime) -> None:
    broadcast_id = make_launched(rt)

    with rt.transaction() as session:
        before = ledger.counts(session, broadcast_id)
    jobs.work()

    with rt.transaction() as session:
        messages = session.scalars(select(Message).where(Message.broadcast_id == broadcast_id)).all()
        after = ledger.counts(session, broadcast_id)
        told = [(line.transition.from_state, line.transition.to_state) for line in timeline(session, broadcast_id)]
    assert state_of(rt, broadcast_id) == BroadcastState.RUNNING
    assert [message.state for message in messages] == [MessageState.QUEUED] * 3
    assert (before.audience, before.waiting) == (after.audience, after.waiting) == (3, 3)
    assert told == [("draft", "materialising"), ("materialising", "running")]
