"""Who would be in an audience if it were launched now, and what would become of each of them."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, literal_column, null, select, union, union_all
from sqlalchemy.orm import Session

from bot.messages import compose
from bot.models.broadcast import Broadcast, Template
from bot.models.person import Person
from bot.models.words import SegmentRole
from bot.people import segments
from broadcasts import membership


def memberships(session: Session, broadcast: Broadcast) -> Select[Any]:
    """Columns person_id, held (in how many of its segments) and is_left_out; raises RuleError."""
    wanted = union_all(*(segments.people_in(session, each) for each in membership.of(session, broadcast))).subquery()
    person_id = wanted.c[0]
    unwanted = [segments.people_in(session, each) for each in membership.of(session, broadcast, SegmentRole.MINUS)]
    left_out = person_id.in_(select(union(*unwanted).subquery().c[0])) if unwanted else literal_column("false")
    held = func.count().label("held")
    return select(person_id.label("person_id"), held, left_out.label("is_left_out")).group_by(person_id)


def people(session: Session, broadcast: Broadcast) -> Select[Any]:
    """The audience, each once: columns person_id, and refusal, what keeps somebody out whoever they are."""
    return of_people(membership.belongs(session, broadcast))


def of_people(who: ColumnElement[bool]) -> Select[Any]:
    """The same of some people."""
    refusal: ColumnElement[Any] = cast(null(), Text).label("refusal")
    return select(*_columns(Person.id.label("person_id"), refusal)).where(who)


def _columns(*columns: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    return columns


def judge(session: Session, broadcast: Broadcast, draft: Any) -> Select[Any]:  # noqa: ANN401 (a subquery or a table)
    template = session.get_one(Template, broadcast.template_id)
    category = (broadcast.frozen_template or {}).get("category", template.category)
    return compose.foresee(draft, is_marketing=category == "MARKETING", topic_id=broadcast.topic_id)
