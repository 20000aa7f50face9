"""Who would be in an audience if it were launched now, and what would become of each of them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, false, func, null, select, union, union_all
from sqlalchemy.orm import Session

from bot.messages import compose
from bot.models.broadcast import Broadcast, Template
from bot.models.person import Person
from bot.models.words import SegmentRole
from bot.people import segments
from broadcasts.audience import drawing, membership
from broadcasts.audience.frequency import ENOUGH, written_to_enough


def memberships(session: Session, broadcast: Broadcast) -> Select[Any]:
    """Columns person_id, held (in how many of its segments), is_left_out and refusal; raises RuleError."""
    wanted = union_all(*(segments.people_in(session, each) for each in membership.of(session, broadcast))).subquery()
    id_ = wanted.c[0].label("person_id")
    counted = select(id_, func.count().label("held")).group_by(id_).subquery("held")
    unwanted = [segments.people_in(session, each) for each in membership.of(session, broadcast, SegmentRole.MINUS)]
    is_left_out = Person.id.in_(select(union(*unwanted).subquery().c[0])) if unwanted else false()
    columns = (counted.c.person_id, counted.c.held, is_left_out.label("is_left_out"))
    found = _select(*columns, refusal(session, broadcast).label("refusal"))
    return found.join(Person, Person.id == counted.c.person_id)


def is_large(session: Session, broadcast: Broadcast, size: int) -> bool:
    """Whether its segments hold more than so many, some of them perhaps twice; looks at no more than that."""
    some = union_all(*(segments.people_in(session, each) for each in membership.of(session, broadcast))).limit(size + 1)
    return (session.scalar(select(func.count()).select_from(some.subquery())) or 0) > size


def people(session: Session, broadcast: Broadcast, who: ColumnElement[bool]) -> Select[Any]:
    """Some of its audience: columns person_id, and refusal, what keeps somebody out whoever they are."""
    return _select(Person.id.label("person_id"), refusal(session, broadcast).label("refusal")).where(who)


def judge(
    session: Session,
    broadcast: Broadcast,
    draft: Any,  # noqa: ANN401 (a subquery or a table)
    *,
    in_bulk: bool = False,
) -> Select[Any]:
    """What compose.foresee tells of them."""
    template = session.get_one(Template, broadcast.template_id)
    category = (broadcast.frozen_template or {}).get("category", template.category)
    return compose.foresee(draft, is_marketing=category == "MARKETING", topic_id=broadcast.topic_id, in_bulk=in_bulk)


def refusal(session: Session, broadcast: Broadcast) -> ColumnElement[str | None]:
    """As it is written down at launch, of a row of Person: held out, or written to often enough."""
    reasons: list[tuple[ColumnElement[bool], str]] = []
    if broadcast.holdout_percent:
        reasons.append((drawing.is_held_out(broadcast), drawing.HELD_OUT))
    enough = written_to_enough(session, broadcast, broadcast.launched_at or datetime.now(UTC))
    if enough is not None:
        reasons.append((Person.id.in_(enough), ENOUGH))
    return case(*reasons, else_=cast(null(), Text)) if reasons else cast(null(), Text)


def _select(*columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns)
