"""Segments within one environment, as this package's pages, commands and broadcasts read them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from bot.language import _, ngettext
from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember
from bot.models.words import SegmentKind
from bot.people.rules import counting
from bot.people.rules.counting import Count
from bot.people.rules.schema import load
from bot.people.segments import LONGEST_NAME as LONGEST_NAME
from bot.people.segments import SegmentError as SegmentError
from bot.people.segments import find_or_create as find_or_create
from bot.people.segments import people_in as people_in

PAGE = 50
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Listed:
    """`count` is None where it was not asked: a rule's people are found anew each time."""

    segment: Segment
    count: Count | None

    @property
    def people(self) -> str:
        """`37 people`, `about 12,000 people`, `by rule`."""
        if self.count is None:
            return _("by rule")
        alike = self.count.value if self.count.is_exact else 2
        return ngettext("%(people)s person", "%(people)s people", alike, people=self.count)


def named(session: Session, environment: str, name: str) -> Segment:
    """Raises SegmentError with the names there are."""
    found = session.scalar(select(Segment).where(Segment.environment == environment, Segment.name == name.strip()))
    if found is None:
        newest = select(Segment.name).where(Segment.environment == environment).order_by(Segment.id.desc()).limit(10)
        there = session.scalars(newest).all()
        known = (
            _("there are: %(there)s", there=", ".join(there)) if there else _("there is none yet; import a list first")
        )
        raise SegmentError(
            _(
                "There is no segment %(name)s in %(environment)s: %(known)s.",
                name=repr(name),
                environment=environment,
                known=known,
            )
        )
    return found


def one(session: Session, segment_id: int, *, is_patient: bool = False) -> Listed | None:
    """With how many people it holds; of a rule's at once and so perhaps about, unless `is_patient`."""
    segment = session.get(Segment, segment_id)
    return None if segment is None else Listed(segment, size(session, segment, is_patient=is_patient))


def every(session: Session, environment: str, *, limit: int = 500) -> list[Listed]:
    """Segments of an environment, newest first; static ones with how many people each holds."""
    people = (
        select(func.count()).select_from(SegmentMember).where(SegmentMember.segment_id == Segment.id).scalar_subquery()
    )
    found = select(Segment, people).where(Segment.environment == environment).order_by(Segment.id.desc()).limit(limit)
    return [
        Listed(segment, None if segment.kind == SegmentKind.RULE else Count(count, is_exact=True))
        for segment, count in session.execute(found)
    ]


def size(session: Session, segment: Segment, *, is_patient: bool = False) -> Count:
    if segment.rule is not None:
        return counting.count(session, segment.environment, load(segment.rule), is_patient=is_patient)
    statement = select(func.count()).select_from(SegmentMember).where(SegmentMember.segment_id == segment.id)
    return Count(session.scalar(statement) or 0, is_exact=True)


def is_empty(session: Session, segment: Segment) -> bool:
    return not session.scalar(select(exists(people_in(session, segment))))


def members(session: Session, segment: Segment, *, after: int = 0, limit: int = PAGE) -> list[Person]:
    """People of a segment with ids above `after`, in the order of ids; the first page is the sample pages show."""
    ids = people_in(session, segment).subquery()
    page = select(ids.c[0]).where(ids.c[0] > after).order_by(ids.c[0]).limit(limit)
    return list(session.scalars(select(Person).where(Person.id.in_(page)).order_by(Person.id)))


def few(session: Session, segment: Segment, *, limit: int) -> Sequence[Person]:
    """Some of its people, while somebody waits: of a rule's none if they are too rare to be found quickly."""
    if segment.rule is None:
        return members(session, segment, limit=limit)
    return counting.sample(session, segment.environment, load(segment.rule), limit)


def chunks(session: Session, segment: Segment) -> Iterator[list[int]]:
    """Ids of everybody in it, a page at a time, in their order."""
    ids = people_in(session, segment).subquery()
    after = 0
    while True:
        page = select(ids.c[0]).where(ids.c[0] > after).order_by(ids.c[0]).limit(_CHUNK)
        found = list(session.scalars(page))
        if not found:
            return
        yield found
        after = found[-1]
