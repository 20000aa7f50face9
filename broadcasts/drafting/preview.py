"""What a broadcast says to real people, and how many get nothing because something about them is unknown."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from bot.language import _
from bot.messages import personalise
from bot.messages.personalise import PlaceholderError
from bot.messages.templates import PreviewText, fill, preview_of
from bot.models.broadcast import Broadcast, Template
from bot.models.person import Person
from bot.people import preferences
from bot.people.values import load_values
from broadcasts.audience import membership
from broadcasts.templates.templates import frozen

FIRST = 5
_REMEMBERED = 20_000
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Seen:
    """What one person would get; `problem` says why they would get nothing."""

    person: Person
    text: PreviewText
    problem: str | None


@dataclass(frozen=True, slots=True)
class Gaps:
    """Of `people`, how many cannot be written to for want of a value, and which values are wanting how often."""

    people: int
    affected: int
    missing: Mapping[str, int]


def people(session: Session, broadcast: Broadcast, chosen: Iterable[str] = (), first: int = FIRST) -> list[Seen]:
    """The first few of the audience and those whose distinct ids are `chosen`, each once."""
    members = select(Person).where(membership.belongs(session, broadcast)).order_by(Person.id)
    wanted = {name.strip() for name in chosen if name.strip()}
    found = list(session.scalars(members.where(Person.distinct_id.in_(wanted)))) if wanted else []
    found += [person for person in session.scalars(members.limit(first)) if person not in found]
    plan = _plan(session, broadcast)
    values = load_values(session, [person.id for person in found])
    return [_see(plan, broadcast.slots, person, values.get(person.id, {})) for person in found]


def gaps(session: Session, broadcast: Broadcast) -> Gaps:
    """Everybody of the audience, filled in one by one as the sender will; memory does not grow with the audience."""
    plan = _plan(session, broadcast)
    names = sorted({name for words in broadcast.slots.values() for name in personalise.placeholders(words)})
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    missing: Counter[str] = Counter()
    everybody = affected = 0
    for values in _everybodys_values(session, broadcast):
        everybody += 1
        key = tuple(values.get(name, "") for name in names)
        if key not in known:
            if len(known) >= _REMEMBERED:
                known.clear()
            known[key] = _lacking(plan, broadcast.slots, dict(zip(names, key, strict=True)))
        affected += bool(known[key])
        missing.update(known[key])
    return Gaps(everybody, affected, dict(missing.most_common()))


def unwilling(session: Session, broadcast: Broadcast) -> int:
    """How many of the audience want nothing of its topic, or, of marketing, nothing by WhatsApp or none at all."""
    is_marketing = _plan(session, broadcast)["category"] == "MARKETING"
    unwanted = preferences.refusal(Person.id, broadcast.topic_id, is_marketing=is_marketing).is_not(None)
    refused = or_(unwanted, and_(is_marketing, Person.marketing_opted_out_at.is_not(None)))
    members = membership.belongs(session, broadcast)
    return session.scalar(select(func.count()).select_from(Person).where(members, refused)) or 0


def _plan(session: Session, broadcast: Broadcast) -> Mapping[str, Any]:
    return broadcast.frozen_template or frozen(session.get_one(Template, broadcast.template_id))


def _everybodys_values(session: Session, broadcast: Broadcast) -> Iterator[Mapping[str, str]]:
    ids = select(Person.id).where(membership.belongs(session, broadcast)).order_by(Person.id).limit(_CHUNK)
    after = 0
    while found := session.scalars(ids.where(Person.id > after)).all():
        yield from load_values(session, found).values()
        after = found[-1]


def _lacking(plan: Mapping[str, Any], slots: Mapping[str, str], values: Mapping[str, str]) -> tuple[str, ...]:
    """Names of what is unknown, or of the slot that stays blank or grows too long; empty if all is well."""
    try:
        done = fill(plan, slots, values)
    except PlaceholderError as error:
        return (str(error),)
    return done.missing or done.empty


def _see(plan: Mapping[str, Any], slots: Mapping[str, str], person: Person, values: Mapping[str, str]) -> Seen:
    lacking = _lacking(plan, slots, values)
    try:
        texts = {slot: personalise.render(words, values).text for slot, words in slots.items()}
    except PlaceholderError:
        texts = {}
    problem = _("Would not be sent: nothing known for %(lacking)s.", lacking=", ".join(lacking)) if lacking else None
    return Seen(person, preview_of(plan, texts), problem)
