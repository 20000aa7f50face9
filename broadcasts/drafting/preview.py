"""What a broadcast says to real people: the first few of its audience, and whoever is asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.person import Person
from bot.people.values import load_values
from broadcasts.audience import membership
from broadcasts.drafting import drafts, reading
from broadcasts.drafting.reading import Reading

FIRST = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """What one person would get: of each variant the wording in their language."""

    person: Person
    readings: Sequence[Reading]

    @property
    def is_lacking(self) -> bool:
        """Whether they might get nothing, as something is not known of them."""
        return any(each.problem for each in self.readings)


def people(session: Session, broadcast: Broadcast, chosen: Iterable[str] = (), first: int = FIRST) -> list[Seen]:
    """The first few of the audience and those whose distinct ids are `chosen`, each once."""
    members = select(Person).where(membership.belongs(session, broadcast)).order_by(Person.id)
    wanted = {name.strip() for name in chosen if name.strip()}
    found = list(session.scalars(members.where(Person.distinct_id.in_(wanted)))) if wanted else []
    found += [person for person in session.scalars(members.limit(first)) if person not in found]
    values = load_values(session, [person.id for person in found])
    versions = reading.versions(session, drafts.wanted_of(session, broadcast))
    return [
        Seen(
            person,
            [reading.read_as(each, values.get(person.id, {})) for each in reading.theirs(versions, person.language)],
        )
        for person in found
    ]
