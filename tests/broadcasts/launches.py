"""Broadcasts from their draft on, as the tests of their launch and their end need them."""

from typing import Any

from sqlalchemy import select, update

from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.models.words import MessageState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.control import lifecycle
from broadcasts.drafting import drafts
from broadcasts.drafting.drafts import Wanted
from broadcasts.results import ledger
from broadcasts.results.ledger import Counts
from broadcasts.running import materialising
from broadcasts.transitions import NOBODY, Actor, timeline
from tests import factories


def make_draft(rt: Runtime, people: int = 3, **template: Any) -> int:
    with rt.transaction() as session:
        number = factories.make_number(session)
        segment = factories.make_segment(session, [factories.make_person(session) for _ in range(people)])
        made = factories.make_template(session, number.connection, **template)
        wanted = Wanted(
            name="Spring",
            number_id=number.id,
            template_id=made.id,
            segment_ids=[segment.id],
            slots={"body.1": "<<user.first_name>>"},
        )
        return drafts.create(session, "live", wanted).id


def launch(rt: Runtime, broadcast_id: int, actor: Actor = NOBODY) -> None:
    with rt.transaction() as session:
        lifecycle.launch(session, broadcast_id, actor)


def prepare_first(rt: Runtime, broadcast_id: int) -> None:
    """Write down the audience, and make the messages of the first chunk of it."""
    for _ in range(2):
        with rt.transaction() as session:
            materialising.materialise(session, broadcast_id)


def make_launched(rt: Runtime, people: int = 3, **template: Any) -> int:
    broadcast_id = make_draft(rt, people, **template)
    launch(rt, broadcast_id)
    return broadcast_id


def make_running(rt: Runtime, people: int = 3, **template: Any) -> int:
    broadcast_id = make_launched(rt, people, **template)
    jobs.work()
    return broadcast_id


def state_of(rt: Runtime, broadcast_id: int) -> str:
    with rt.transaction() as session:
        return session.scalars(select(Broadcast.state).where(Broadcast.id == broadcast_id)).one()


def counts(rt: Runtime, broadcast_id: int) -> Counts:
    with rt.transaction() as session:
        found = ledger.counts(session, broadcast_id)
    parts = found.accepted + found.failed + found.skipped + found.cancelled + found.waiting + found.in_doubt
    assert parts == found.audience
    return found


def set_states(rt: Runtime, broadcast_id: int, *states: MessageState, **columns: Any) -> None:
    """Put the broadcast's messages, in the order of their ids, into these states, as senders would."""
    with rt.transaction() as session:
        ids = session.scalars(select(Message.id).where(Message.broadcast_id == broadcast_id).order_by(Message.id)).all()
        for message_id, state in zip(ids, states, strict=False):
            session.execute(update(Message).where(Message.id == message_id).values(state=state, **columns))


def told(rt: Runtime, broadcast_id: int) -> list[tuple[str, str]]:
    with rt.transaction() as session:
        return [(line.transition.from_state, line.transition.to_state) for line in timeline(session, broadcast_id)]
