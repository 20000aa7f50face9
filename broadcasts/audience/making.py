"""What each of a chunk of people gets: which wording, from when until when, or why nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    DateTime,
    FromClause,
    Select,
    SmallInteger,
    Subquery,
    Text,
    and_,
    cast,
    column,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from bot import runtime
from bot.messages import policy
from bot.messages.outbox import TOO_LATE as TOO_LATE
from bot.models.broadcast import AudiencePerson, Broadcast, Template
from bot.models.person import Person
from bot.people.zones import at_wall, zone_of
from broadcasts.audience import wordings
from broadcasts.audience.frequency import MARKETING
from broadcasts.audience.quiet import QuietHours
from broadcasts.audience.wordings import Wording


@dataclass(frozen=True, slots=True)
class Times:
    """By what the time of a message is set, besides the person's clock."""

    now: datetime
    fallback: str
    """The zone of whoever has none."""
    local_time: datetime | None = None
    quiet: QuietHours | None = None

    @property
    def are_any(self) -> bool:
        """Whether anybody's clock matters."""
        return not (self.local_time is None and self.quiet is None)

    def of(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """`not_before` and `quiet_at`; where the local time is over already, it is now."""
        at = self.now if self.local_time is None else max(self.now, at_wall(self.local_time, zone))
        begins, ends = self.quiet.free(at, zone) if self.quiet else (at, None)
        return (begins if begins > self.now else None), ends


@dataclass(frozen=True, slots=True)
class _Case:
    """Everybody of this variant, language, zone and country gets the same."""

    variant: int
    language: str
    time_zone: str
    country: str
    wording_id: int | None
    not_before: datetime | None
    quiet_at: datetime | None


_KINDS: dict[str, TypeEngine[Any]] = {
    "variant": SmallInteger(),
    "language": Text(),
    "time_zone": Text(),
    "country": Text(),
    "wording_id": BigInteger(),
    "not_before": DateTime(timezone=True),
    "quiet_at": DateTime(timezone=True),
}
_TOLD_APART_BY = ("variant", "language", "time_zone", "country")


def times_of(session: Session, broadcast: Broadcast, now: datetime) -> Times:
    fallback = runtime.current().settings.time_zone
    return Times(now, fallback, broadcast.local_time, quiet_hours(session, broadcast))


def quiet_hours(session: Session, broadcast: Broadcast) -> QuietHours | None:
    """Those it has to heed: the environment's, if it is marketing and nobody decided otherwise."""
    rules = policy.of(session, broadcast.environment)
    frozen = broadcast.frozen_template
    category = frozen["category"] if frozen else session.get_one(Template, broadcast.template_id).category
    if not broadcast.heeds_quiet_hours or category != MARKETING:
        return None
    if rules.quiet_from is None or rules.quiet_to is None:
        return None
    return QuietHours(rules.quiet_from, rules.quiet_to)


def is_late(broadcast: Broadcast, now: datetime) -> bool:
    """Whether whoever waits is left out by now."""
    return broadcast.not_after is not None and broadcast.not_after <= now


def of(session: Session, broadcast: Broadcast, people: Select[int], now: datetime) -> Select[Any]:
    """For compose_audience: these people of the audience, each with wording_id, not_before, quiet_at and refusal."""
    known = _known(broadcast, people, is_late=is_late(broadcast, now))
    offered, times = wordings.of(session, broadcast), times_of(session, broadcast, now)
    if len(offered) == 1 and not times.are_any:
        return select(known.c.person_id, known.c.refusal)
    cases = _as_rows(_cases(session, known, offered, times))
    same = and_(*(known.c[name] == cases.c[name] for name in _TOLD_APART_BY))
    set_by_case = (cases.c.wording_id, cases.c.not_before, cases.c.quiet_at)
    return select(known.c.person_id, *set_by_case, known.c.refusal).select_from(known).join(cases, same)


def _known(broadcast: Broadcast, people: Select[int], *, is_late: bool) -> Subquery:
    ids = people.subquery()
    refusal = literal(TOO_LATE, Text) if is_late else AudiencePerson.refusal
    return (
        select(
            AudiencePerson.person_id,
            refusal.label("refusal"),
            AudiencePerson.variant,
            *(func.coalesce(getattr(Person, name), "").label(name) for name in _TOLD_APART_BY[1:]),
        )
        .join(ids, ids.c[0] == AudiencePerson.person_id)
        .join(Person, Person.id == AudiencePerson.person_id)
        .where(AudiencePerson.broadcast_id == broadcast.id)
        .subquery("known")
    )


def _cases(session: Session, known: Subquery, offered: Sequence[Wording], times: Times) -> list[_Case]:
    told_apart = select(*(known.c[name] for name in _TOLD_APART_BY)).distinct()
    return [
        _Case(
            row.variant,
            row.language,
            row.time_zone,
            row.country,
            wordings.choose(offered, row.variant, row.language),
            *times.of(zone_of(row.time_zone, row.country, times.fallback)),
        )
        for row in session.execute(told_apart)
    ]


def _as_rows(cases: Sequence[_Case]) -> FromClause:
    arrays = [
        cast(literal([getattr(each, name) for each in cases], ARRAY(kind)), ARRAY(kind))
        for name, kind in _KINDS.items()
    ]
    drawn = func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in _KINDS.items()), name="cases")
    return drawn.render_derived()
