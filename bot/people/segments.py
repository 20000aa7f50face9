"""Segments as the rest of Backchat asks for them: who belongs, by name, and made of a selection of people."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, Select, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from bot.language import _
from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember
from bot.models.words import SegmentKind
from bot.people.rules import compiling
from bot.people.rules.schema import load

LONGEST_NAME = 100


class SegmentError(ValueError):
    """A segment cannot be made, changed or found; the text says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made a segment: an operator, a token, or neither (a command)."""

    operator_id: int | None = None
    token_id: int | None = None


NOBODY = Maker()


def people_in(session: Session, segment: Segment, now: datetime | None = None) -> Select[int]:
    """Ids of whoever is in it now, each once; raises RuleError if its rule cannot be asked."""
    return select(Person.id).where(belongs(session, segment, Person, now)) if segment.rule else _members(segment)


def belongs(
    session: Session, segment: Segment, person: type[Person] = Person, now: datetime | None = None
) -> ColumnElement[bool]:
    """The same as a condition on people, for a listing."""
    if segment.rule is None:
        return compiling.members(segment.environment, segment.id, person)
    return compiling.matching(session, segment.environment, load(segment.rule), person, now)


def clean_name(name: str) -> str:
    """Raises SegmentError."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise SegmentError(_("Give the segment a name of 1 to %(longest_name)s characters.", longest_name=LONGEST_NAME))
    return name


def find_or_create(
    session: Session, environment: str, name: str, origin: str | None = None, maker: Maker = NOBODY
) -> Segment:
    """The static segment of that name; a rule decides itself who is in, so nobody can be put into one by a rule."""
    name = clean_name(name)
    made = insert(Segment).values(
        environment=environment,
        name=name,
        origin=origin,
        created_by_operator_id=maker.operator_id,
        created_by_token_id=maker.token_id,
    )
    session.execute(made.on_conflict_do_nothing())
    found = session.scalars(select(Segment).where(Segment.environment == environment, Segment.name == name)).one()
    if found.kind == SegmentKind.RULE:
        raise SegmentError(
            _("The segment %(name)s goes by a rule, so nobody can be put into it: take another name.", name=name)
        )
    return found


def add_selection(
    session: Session,
    environment: str,
    name: str,
    people: Select[int] | Collection[int],
    origin: str = "A selection of people",
    maker: Maker = NOBODY,
) -> tuple[Segment, int]:
    """Put people, by id or by a select of ids, into the static segment of that name; it, and how many are new in it.

    Whoever is of the other environment stays out, and the database would refuse them too.
    """
    segment = find_or_create(session, environment, name, origin, maker)
    # Held as an import does: everybody was added before a launch or after it.
    session.execute(select(Segment.id).where(Segment.id == segment.id).with_for_update())
    wanted = people if isinstance(people, Select) else _given(people)
    chosen = select(literal(segment.id, BigInteger), Person.id, Person.environment).where(
        Person.environment == environment, Person.id.in_(wanted)
    )
    adding = insert(SegmentMember).from_select(["segment_id", "person_id", "environment"], chosen)
    added = session.connection().execute(adding.on_conflict_do_nothing(), execution_options={"preserve_rowcount": True})
    return segment, added.rowcount


def _members(segment: Segment) -> Select[int]:
    return select(SegmentMember.person_id).where(
        SegmentMember.segment_id == segment.id, SegmentMember.environment == segment.environment
    )


def _given(people: Iterable[int]) -> Select[int]:
    """One parameter for any number of ids."""
    return select(func.unnest(literal(sorted(set(people)), ARRAY(BigInteger))))
