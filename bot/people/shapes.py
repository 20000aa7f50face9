"""A person, their wishes and their consent as programs see them; docs/people.md describes each field."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.person import Address, ConsentEvent, Person
from bot.models.preference import Topic
from bot.people import fields, preferences

CONSENT = 100
"""Entries of the ledger that are told, the newest."""


def person(session: Session, found: Person) -> dict[str, Any]:
    addresses: dict[str, list[str]] = {}
    mine = select(Address.kind, Address.value).where(Address.person_id == found.id).order_by(Address.id)
    for kind, value in session.execute(mine):
        addresses.setdefault(kind, []).append(value)
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
