"""Broadcasts in the middle of their way, as the tests of the engine need them."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastWording
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Address, Person
from bot.models.segment import Segment, SegmentMember
from bot.models.words import AddressKind, BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.control import lifecycle
from broadcasts.results import ledger
from broadcasts.results.ledger import Counts
from broadcasts.running import materialising
from broadcasts.transitions import NOBODY, Line, timeline
from tests import factories

NOW = func.clock_timestamp()


def make_draft(rt: Runtime, people: int = 3, *, category: str = "UTILITY", **columns: Any) -> int:
    """`columns` are the broadcast's; `profiles` of its people, `number` and `wordings` may be among them."""
    profiles: Sequence[dict[str, Any]] = columns.pop("profiles", [{}] * people)
    wordings: Sequence[dict[str, Any]] = columns.pop("wordings", [])
    number_columns = columns.pop("number", {})
    with rt.transaction() as session:
        number = factories.make_number(session)
        for name, value in number_columns.items():
            setattr(number, name, value)
        segment = factories.make_segment(session)
        members = [{"segment_id": segment.id, "person_id": id_, "environment": "live"} for id_ in _enrol(rt, profiles)]
        if members:
            session.execute(insert(SegmentMember), members)
        template = factories.make_template(session, number.connection, category=category)
        broadcast = factories.make_broadcast(session, number, segment, template, **columns)
        for wording in wordings:
            other = factories.make_template(
                session, number.connection, category=category, language=wording.get("template_language", "en")
            )
            row = {name: value for name, value in wording.items() if name != "template_language"}
            session.add(
                BroadcastWording(broadcast_id=broadcast.id, template_id=other.id, slots=dict(broadcast.slots), **row)
            )
        return broadcast.id


def _enrol(rt: Runtime, profiles: Sequence[dict[str, Any]]) -> list[int]:
    with rt.transaction() as session:
        made = [
            {"environment": "live", "distinct_id": factories.next_phone(), "first_name": "Ada", "country": "EG"}
            | {"time_zone": None, "language": None}
            | each
            for each in profiles
        ]
        if not made:
            return []
        ids = list(session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), made))
        addresses = [
            {"environment": "live", "person_id": id_, "kind": AddressKind.PHONE, "value": row["distinct_id"]}
            for id_, row in zip(ids, made, strict=True)
        ]
        session.execute(insert(Address), addresses)
        return ids


def launch(rt: Runtime, broadcast_id: int) -> None:
    with rt.transaction() as session:
        lifecycle.launch(session, broadcast_id, NOBODY)


def make_running(rt: Runtime, people: int = 3, **columns: Any) -> int:
    broadcast_id = make_draft(rt, people, **columns)
    launch(rt, broadcast_id)
    jobs.work()
    return broadcast_id


def get(rt: Runtime, broadcast_id: int) -> Broadcast:
    with rt.transaction() as session:
        return session.get_one(Broadcast, broadcast_id, populate_existing=True)


def change(rt: Runtime, broadcast_id: int, **columns: Any) -> None:
    with rt.transaction() as session:
        session.execute(update(Broadcast).where(Broadcast.id == broadcast_id).values(columns))


def state(rt: Runtime, broadcast_id: int) -> BroadcastState:
    return BroadcastState(get(rt, broadcast_id).state)


def audience(rt: Runtime, broadcast_id: int) -> list[AudiencePerson]:
    with rt.transaction() as session:
        mine = select(AudiencePerson).where(AudiencePerson.broadcast_id == broadcast_id)
        return list(session.scalars(mine.order_by(AudiencePerson.person_id)))


def messages(rt: Runtime, broadcast_id: int) -> list[Message]:
    with rt.transaction() as session:
        mine = select(Message).where(Message.broadcast_id == broadcast_id).order_by(Message.person_id)
        return list(session.scalars(mine.execution_options(populate_existing=True)))


def settle(
    rt: Runtime, broadcast_id: int, state: MessageState = MessageState.ACCEPTED, limit: int = 0, **columns: Any
) -> None:
    """What waits of it, all or so many, was sent by a sender and ended so."""
    with rt.transaction() as session:
        waiting = select(Message.id).where(Message.broadcast_id == broadcast_id, Message.state == MessageState.QUEUED)
        ids = session.scalars(waiting.order_by(Message.id).limit(limit or None).with_for_update()).all()
        values = {"state": state, "wire_at": NOW, "accepted_at": NOW} | columns
        session.execute(update(Message).where(Message.id.in_(ids)).values(values))


def counts(rt: Runtime, broadcast_id: int) -> Counts:
    """The parts, which add up whenever it is asked."""
    with rt.transaction() as session:
        found = ledger.counts(session, broadcast_id)
    parts = found.accepted + found.failed + found.skipped + found.cancelled + found.waiting + found.in_doubt
    assert parts == found.audience
    return found


def tick(rt: Runtime) -> None:
    """What the clock and the bulk worker do by themselves, once."""
    jobs.sweep(rt)
    jobs.watch(rt)
    jobs.work()


def told(rt: Runtime, broadcast_id: int) -> list[str]:
    """The reasons in its timeline."""
    return [line.transition.why or "" for line in timeline_of(rt, broadcast_id)]


def timeline_of(rt: Runtime, broadcast_id: int) -> list[Line]:
    with rt.transaction() as session:
        return timeline(session, broadcast_id)


def freeze_again(rt: Runtime, broadcast_id: int, without: Collection[int]) -> None:
    """Draw once more, from nothing, after these people left the segment."""
    with rt.transaction() as session:
        session.execute(delete(SegmentMember).where(SegmentMember.person_id.in_(without)))
        session.execute(delete(AudiencePerson).where(AudiencePerson.broadcast_id == broadcast_id))
    change(rt, broadcast_id, audience_frozen_at=None, state=BroadcastState.MATERIALISING)
    with rt.transaction() as session:
        materialising.materialise(session, broadcast_id)


def tomorrow() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=1)


def local_tomorrow() -> datetime:
    return tomorrow().replace(tzinfo=None)


def send_again(rt: Runtime, broadcast_id: int, *, category: str = "", **columns: Any) -> int:
    """Another broadcast to the same people, running."""
    with rt.transaction() as session:
        original = session.get_one(Broadcast, broadcast_id)
        number = session.get_one(Number, original.number_id)
        segment = session.get_one(Segment, original.segments[0].segment_id)
        template = factories.make_template(session, number.connection, category=category or original.template.category)
        made = factories.make_broadcast(session, number, segment, template, **columns).id
    launch(rt, made)
    jobs.work()
    return made
