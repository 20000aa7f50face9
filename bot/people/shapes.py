"""A person, their wishes and their consent as programs see them; docs/people.md describes each field."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.person import Address, ConsentEvent, Person
from bot.models.preference import Topic
from bot.people import fields, preferences

CONSENT = 100
"""Entries of the ledger that are told, the newest."""


def person(session: Session, found: Person) -> dict[str, Any]:
    return _shape(found, _addresses(session, [found.id]).get(found.id, {}))


def people(session: Session, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Of a listing, in its order, in two statements however many they are."""
    found = {each.id: each for each in session.scalars(select(Person).where(Person.id.in_(ids)))}
    addresses = _addresses(session, ids)
    return [_shape(found[id_], addresses.get(id_, {})) for id_ in ids if id_ in found]


def _addresses(session: Session, ids: Sequence[int]) -> dict[int, dict[str, list[str]]]:
    addresses: dict[int, dict[str, list[str]]] = {}
    theirs = select(Address.person_id, Address.kind, Address.value).where(Address.person_id.in_(ids))
    for person_id, kind, value in session.execute(theirs.order_by(Address.id)):
        addresses.setdefault(person_id, {}).setdefault(kind, []).append(value)
    return addresses


def _shape(found: Person, addresses: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "id": found.id,
        "environment": found.environment,
        **{name: getattr(found, name) for name in fields.COLUMNS},
        "addresses": addresses,
        "attributes": found.attributes,
        "marketing_opted_out_at": iso(found.marketing_opted_out_at),
        "created_at": iso(found.created_at),
        "updated_at": iso(found.updated_at),
    }


def wishes(session: Session, found: Person) -> dict[str, Any]:
    """Only what was ever said: whatever is not in it is wanted."""
    names = {
        topic.id: topic.name for topic in session.scalars(select(Topic).where(Topic.environment == found.environment))
    }
    channels: dict[str, bool] = {}
    topics: dict[str, dict[str, bool]] = {}
    for told in preferences.of_person(session, found.id):
        topic_id = told.choice.topic_id
        of = channels if topic_id is None else topics.setdefault(names[topic_id], {})
        of[told.choice.channel.value] = told.choice.wants
    return {"channels": channels, "topics": topics}


def consent(session: Session, found: Person) -> list[dict[str, Any]]:
    events = select(ConsentEvent).where(ConsentEvent.person_id == found.id)
    newest = events.order_by(ConsentEvent.occurred_at.desc(), ConsentEvent.id.desc()).limit(CONSENT)
    return [_entry(event) for event in session.scalars(newest)]


def topic(found: Topic) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "description": found.description,
        "archived_at": iso(found.archived_at),
        "created_at": iso(found.created_at),
    }


def iso(at: Any) -> str | None:  # noqa: ANN401 (a datetime column, or empty)
    return None if at is None else at.isoformat()


def _entry(event: ConsentEvent) -> dict[str, Any]:
    told = {name: getattr(event, name) for name in ("category", "value", "source")}
    return {**told, "words": event.detail, "occurred_at": iso(event.occurred_at)}
