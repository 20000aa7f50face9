"""Messages that are nothing but a word to stop marketing, or to have it again: kept as consent and confirmed once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.journeys.runner import TOO_OLD, Arrival
from bot.messages.compose import Author, Draft, compose, text_content
from bot.models.connection import Number
from bot.models.journey import Journey
from bot.models.person import Person
from bot.models.words import AuthorKind, StopMeaning
from bot.people import consent, stop_words
from bot.people.consent import Word
from bot.people.stop_words import Meant

JOURNEY = "Opt-out words"
"""The stack's part that confirms: every message has an author, and this one's is no journey of the team's."""
_SPEC = {"journey": JOURNEY, "start": {}, "steps": []}


@dataclass(frozen=True, slots=True)
class Taken:
    """`left` are the messages that mean something else; `composed` counts the confirmations (ring "send")."""

    left: Sequence[Arrival]
    composed: int


def take(session: Session, number: Number, arrivals: Sequence[Arrival]) -> Taken:
    """Keep what the words mean, whenever they were written; only those of the last 24 hours are answered.

    A tap on a journey's own button is an answer to its question, whatever it says; and a word to have marketing again
    means that only from somebody who has stopped it: "start" may well start a journey.
    """
    words = stop_words.in_force(session, number.environment)
    found = {arrival.message_id: word for arrival in arrivals if (word := _meant(words, arrival))}
    if not found:
        return Taken(arrivals, 0)
    people = _people(session, [arrival.person_id for arrival in arrivals if arrival.message_id in found])
    has_stopped = {id_: bool(person.marketing_opted_out_at or person.answers_only) for id_, person in people.items()}
    told: list[tuple[Arrival, Meant]] = []
    news: dict[int, tuple[Arrival, Meant]] = {}
    for arrival in sorted(arrivals, key=lambda arrival: (arrival.occurred_at, arrival.message_id)):
        word = found.get(arrival.message_id)
        if word is None:
            continue
        is_stop, was_stopped = word.meaning is StopMeaning.STOP, has_stopped[arrival.person_id]
        if is_stop or was_stopped:
            told.append((arrival, word))
        if is_stop != was_stopped:
            news[arrival.person_id] = (arrival, word)
        has_stopped[arrival.person_id] = is_stop
    consent.tell(session, [_word(arrival, word) for arrival, word in told])
    taken = {arrival.message_id for arrival, _ in told}
    composed = _confirm(session, number, list(news.values()), people)
    return Taken([arrival for arrival in arrivals if arrival.message_id not in taken], composed)


def _meant(words: Mapping[str, Meant], arrival: Arrival) -> Meant | None:
    if arrival.choice and arrival.choice.startswith("j:"):
        return None
    return stop_words.meant(words, arrival.body)


def _people(session: Session, ids: Sequence[int]) -> Mapping[int, Person]:
    """As they were before they said it."""
    found = session.scalars(select(Person).where(Person.id.in_(ids)).execution_options(populate_existing=True))
    return {person.id: person for person in found}


def _word(arrival: Arrival, word: Meant) -> Word:
    value = consent.STOP if word.meaning is StopMeaning.STOP else consent.RESUME
    detail = f"“{arrival.body}” (message {arrival.message_id})"
    return Word(arrival.person_id, consent.MARKETING, value, "word", arrival.occurred_at, detail)


def _confirm(
    session: Session, number: Number, told: Sequence[tuple[Arrival, Meant]], people: Mapping[int, Person]
) -> int:
    known = stop_words.replies(session, number.environment)
    drafts = []
    since = datetime.now(UTC) - TOO_OLD
    for arrival, word in told:
        text = stop_words.reply_in(known, (people[arrival.person_id].language, word.language), word.meaning)
        if text and arrival.occurred_at > since:
            key = f"o:{arrival.message_id}"
            cause = arrival.message_id
            drafts.append(Draft(arrival.person_id, "text", text_content(text), text, key, cause_message_id=cause))
    if drafts:
        compose(session, number, Author(AuthorKind.STACK, _journey(session, number.environment)), drafts)
    return len(drafts)


def _journey(session: Session, environment: str) -> int:
    """Made the first time somebody is confirmed; never active, so nothing starts it."""
    made = insert(Journey).values(environment=environment, name=JOURNEY, version=1, source="", spec=_SPEC, active=False)
    session.execute(made.on_conflict_do_nothing(index_elements=["environment", "name", "version"]))
    found = select(Journey.id).where(Journey.environment == environment, Journey.name == JOURNEY)
    return session.scalars(found.order_by(Journey.version).limit(1)).one()
