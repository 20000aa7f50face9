"""What a person wants to get: a topic by a channel, or, without a topic, anything by that channel.

Nobody said no means yes. A no to WhatsApp keeps every broadcast away that is marketing or about a topic; a no to a
topic those about it. Replies in a conversation are not meant by either; consent (bot/people/consent.py) is another no.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    SQLColumnExpression,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from bot.language import _, later
from bot.models.person import Person
from bot.models.preference import Preference, Topic
from bot.models.team import ApiToken, Operator
from bot.models.words import Channel
from bot.people.tellers import Teller

NO_CHANNEL: Final = later("this person wants nothing by WhatsApp")
NO_TOPIC: Final = later("this person does not want to hear about this topic")


class PreferenceError(ValueError):
    """The choice cannot be kept; the text says why."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Without a topic it is about everything by that channel."""

    channel: Channel
    wants: bool
    topic_id: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A choice in force, with who told us and when."""

    choice: Choice
    source: str
    by: str | None
    changed_at: datetime


def refusal(
    person_id: SQLColumnExpression[int], topic_id: int | None, *, is_marketing: bool
) -> ColumnElement[str | None]:
    """Why a broadcast like that may not go to somebody, or NULL: for a query; outbox._WIRE says the same in text."""
    if topic_id is None and not is_marketing:
        return cast(null(), Text)
    return (
        select(_REFUSED).where(Preference.person_id == person_id, _is_no(topic_id)).order_by(_FIRST).limit(1)
    ).scalar_subquery()


def refusals_of_all(topic_id: int | None) -> Subquery:
    """The same of everybody who refuses such a broadcast: columns person_id and refusal, each once."""
    said = select(Preference.person_id, _REFUSED.label("refusal")).where(_is_no(topic_id))
    return said.order_by(Preference.person_id, _FIRST).ext(distinct_on(Preference.person_id)).subquery("unwanted")


def refusing_marketing(session: Session, people: Collection[int]) -> set[int]:
    """Who of them wants nothing by WhatsApp."""
    refused = refusal(Person.id, None, is_marketing=True)
    return set(session.scalars(select(Person.id).where(Person.id.in_(people), refused.is_not(None))))


def of_person(session: Session, person_id: int) -> list[Told]:
    """Whatever was ever chosen, yes or no."""
    found = session.execute(
        select(Preference, func.coalesce(Operator.name, ApiToken.name).label("by"))
        .join(Operator, Operator.id == Preference.operator_id, isouter=True)
        .join(ApiToken, ApiToken.id == Preference.token_id, isouter=True)
        .where(Preference.person_id == person_id)
        .order_by(Preference.topic_id.asc().nulls_first(), Preference.channel)
    )
    return [
        Told(Choice(Channel(row.channel), row.wants, row.topic_id), row.source, by, row.changed_at) for row, by in found
    ]


def choose(session: Session, person: Person, choices: Iterable[Choice], teller: Teller) -> int:
    """Put choices in force; how many of them were news. What was chosen already keeps who said it first.

    Raises PreferenceError for a topic of nobody's or of the other environment.
    """
    wanted = {(each.topic_id, each.channel): each for each in choices}
    _check_topics(session, person, {topic_id for topic_id, _ in wanted if topic_id is not None})
    if not wanted:
        return 0
    rows = [
        {
            "environment": person.environment,
            "person_id": person.id,
            "topic_id": each.topic_id,
            "channel": each.channel.value,
            "wants": each.wants,
            "source": teller.source,
            "operator_id": teller.operator_id,
            "token_id": teller.token_id,
        }
        for each in wanted.values()
    ]
    asked = insert(Preference).values(rows)
    new = asked.excluded
    told = session.execute(
        asked.on_conflict_do_update(
            index_elements=["person_id", "topic_id", "channel"],
            set_={
                "wants": new.wants,
                "source": new.source,
                "operator_id": new.operator_id,
                "token_id": new.token_id,
                "changed_at": func.now(),
            },
            where=Preference.wants != new.wants,
        ).returning(Preference.id)
    ).all()
    if told:
        session.execute(update(Person).where(Person.id == person.id).values(updated_at=func.now()))
    return len(told)


_REFUSED = case((Preference.topic_id.is_(None), NO_CHANNEL), else_=NO_TOPIC)
_FIRST = Preference.topic_id.asc().nulls_first()


def _is_no(topic_id: int | None) -> ColumnElement[bool]:
    return and_(
        Preference.channel == Channel.WHATSAPP,
        ~Preference.wants,
        or_(Preference.topic_id.is_(None), Preference.topic_id == literal(topic_id, BigInteger)),
    )


def _check_topics(session: Session, person: Person, wanted: Collection[int]) -> None:
    known: Sequence[int] = session.scalars(
        select(Topic.id).where(Topic.environment == person.environment, Topic.id.in_(wanted))
    ).all()
    if unknown := sorted(set(wanted) - set(known)):
        raise PreferenceError(
            _("There is no topic %(topic)s in %(environment)s.", topic=unknown[0], environment=person.environment)
        )
