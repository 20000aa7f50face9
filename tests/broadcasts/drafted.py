"""Drafts before their launch, and what the preflight says of them."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, BroadcastSegment
from bot.models.person import Person
from bot.models.words import SegmentRole
from bot.runtime import Runtime
from broadcasts.preflight import report
from broadcasts.preflight.report import Report
from tests import factories


def make_draft(
    session: Session,
    people: int = 3,
    *,
    category: str = "MARKETING",
    number: dict[str, Any] | None = None,
    **columns: Any,
) -> Broadcast:
    ours = factories.make_number(session)
    for name, value in (number or {}).items():
        setattr(ours, name, value)
    segment = factories.make_segment(session, [factories.make_person(session) for _ in range(people)])
    template = factories.make_template(session, ours.connection, category=category)
    return factories.make_broadcast(session, ours, segment, template, **columns)


def add_segment(session: Session, broadcast: Broadcast, people: list[Person], role: str = SegmentRole.TO) -> None:
    segment = factories.make_segment(session, people)
    session.add(
        BroadcastSegment(broadcast_id=broadcast.id, segment_id=segment.id, environment=broadcast.environment, role=role)
    )
    session.flush()


def load(rt: Runtime, broadcast_id: int) -> Report:
    with rt.transaction() as session:
        return report.load(session, session.get_one(Broadcast, broadcast_id))


def everybody(session: Session) -> list[Person]:
    return list(session.scalars(select(Person).order_by(Person.id)))
