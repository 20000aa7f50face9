"""Named lists of people, within one environment."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember

LONGEST_NAME = 100
PAGE = 50


class SegmentError(ValueError):
    """A segment cannot be made or found; the text says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Listed:
    segment: Segment
    people: int


def find_or_create(session: Session, environment: str, name: str) -> Segment:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise SegmentError(f"Give the segment a name of 1 to {LONGEST_NAME} characters.")
    session.execute(insert(Segment).values(environment=environment, name=name).on_conflict_do_nothing())
    return session.scalars(select(Segment).where(Segment.environment == environment, Segment.name == name)).one()


def named(session: Session, environment: str, name: str) -> Segment:
    """Raises SegmentError with the names there are."""
    found = session.scalar(select(Segment).where(Segment.environment == environment, Segment.name == name.strip()))
    if found is None:
        there = [listed.segment.name for listed in every(session, environment, limit=10)]
        known = f"there are: {', '.join(there)}" if there else "there is none yet; import a list first"
        raise SegmentError(f"There is no segment {name!r} in {environment}: {known}.")
    return found


def one(session: Session, segment_id: int) -> Listed | None:
    segment = session.get(Segment, segment_id)
    return None if segment is None else Listed(segment, size(session, segment_id))


def every(session: Session, environment: str, *, limit: int = 500) -> list[Listed]:
    """Segments of an environment with how many people each holds, newest first."""
    people = (
        select(func.count()).select_from(SegmentMember).where(SegmentMember.segment_id == Segment.id).scalar_subquery()
    )
    found = select(Segment, people).where(Segment.environment == environment).order_by(Segment.id.desc()).limit(limit)
    return [Listed(segment, count) for segment, count in session.execute(found)]


def size(session: Session, segment_id: int) -> int:
    statement = select(func.count()).select_from(SegmentMember).where(SegmentMember.segment_id == segment_id)
    return session.scalar(statement) or 0


def members(session: Session, segment_id: int, *, after: int = 0, limit: int = PAGE) -> list[Person]:
    """People of a segment with ids above `after`, in the order of ids; the first page is the sample pages show."""
    return list(
        session.scalars(
            select(Person)
            .join(SegmentMember, SegmentMember.person_id == Person.id)
            .where(SegmentMember.segment_id == segment_id, Person.id > after)
            .order_by(Person.id)
            .limit(limit)
        )
    )
