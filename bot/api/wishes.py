"""REST for programs: what somebody wants to get, their consent, and the topics there are; docs/api.md is its manual."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify
from sqlalchemy.orm import Session

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate, read_fields
from bot.api.profiles import teller, whom
from bot.api.refusals import RefusalError, invalid
from bot.api.requests import LARGEST_ID
from bot.models.preference import Topic
from bot.models.words import Channel
from bot.people import consent, preferences, shapes, topics
from bot.people.consent import Word
from bot.people.preferences import Choice
from bot.people.topics import TopicError

LONGEST_EVIDENCE = 2000

api = refusals.blueprint("wishes_api", __name__)


@api.get("/people/<path:who>/preferences")
def show_preferences(who: str) -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify(shapes.wishes(session, whom(session, token, who)))


@api.patch("/people/<path:who>/preferences")
def choose(who: str) -> Response:
    """{"channels": {"email": false}, "topics": {"News": {"whatsapp": false}}}; what is not named stays."""
    token = authenticate()
    given = read_fields("channels", "topics")
    with runtime.current().transaction() as session:
        person = whom(session, token, who)
        choices = _choices("channels", given.get("channels") or {}, None)
        for name, wanted in _object(given.get("topics") or {}, "topics").items():
            topic = _topic_named(session, token.environment, name)
            choices += _choices(f"topics.{name[:64]}", wanted, topic.id)
        preferences.choose(session, person, choices, teller(token))
        return jsonify(shapes.wishes(session, person))


@api.get("/people/<path:who>/consent")
def show_consent(who: str) -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify({"consent": shapes.consent(session, whom(session, token, who))})


@api.post("/people/<path:who>/consent")
def tell(who: str) -> Response:
    """{"value": "stop" or "resume", "words": the evidence, "occurred_at": when they said it}."""
    token = authenticate()
    given = read_fields("value", "words", "occurred_at")
    value, words, at = given.get("value"), given.get("words"), _time(given.get("occurred_at"))
    if value not in {consent.STOP, consent.RESUME}:
        raise invalid("value", "value must be stop or resume.")
    if not isinstance(words, str) or not 0 < len(words.strip()) <= LONGEST_EVIDENCE or not _is_storable(words):
        raise invalid("words", f"words must be the evidence, a text of 1 to {LONGEST_EVIDENCE:,} characters.")
    with runtime.current().transaction() as session:
        person = whom(session, token, who)
        word = Word(person.id, consent.MARKETING, value, "api", at, words.strip(), token_id=token.id)
        consent.tell(session, [word])
        answer = jsonify({"consent": shapes.consent(session, person)})
    answer.status_code = 201
    return answer


@api.get("/topics")
def index() -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify({"topics": [shapes.topic(each) for each in topics.every(session, token.environment)]})


@api.post("/topics")
def create_topic() -> Response:
    token = authenticate()
    given = _texts(read_fields("name", "description"))
    with runtime.current().transaction() as session:
        try:
            made = topics.create(session, token.environment, given.get("name") or "", given.get("description"))
        except TopicError as error:
            raise invalid("name", str(error)) from error
        answer = jsonify(shapes.topic(made))
    answer.status_code = 201
    return answer


@api.patch("/topics/<int:topic_id>")
def change_topic(topic_id: int) -> Response:
    """{"description": …, "archived": true or false}; a name stays."""
    environment = authenticate().environment
    given = read_fields("description", "archived")
    archived = given.get("archived")
    if archived not in {None, True, False}:
        raise invalid("archived", "archived must be true or false.")
    with runtime.current().transaction() as session:
        found = session.get(Topic, min(topic_id, LARGEST_ID))
        if found is None or found.environment != environment:
            raise RefusalError(404, "unknown_topic", f"There is no such topic in {environment}.")
        if "description" in given:
            topics.describe(session, found.id, _texts({"description": given["description"]})["description"])
        if archived is not None:
            (topics.archive if archived else topics.restore)(session, found.id)
        session.flush()
        session.refresh(found)
        return jsonify(shapes.topic(found))


def _choices(field: str, given: object, topic_id: int | None) -> list[Choice]:
    made = []
    for name, wants in _object(given, field).items():
        if name not in set(Channel):
            raise invalid(f"{field}.{name[:64]}", f"There is no channel {name[:64]!r}: there are {', '.join(Channel)}.")
        if not isinstance(wants, bool):
            raise invalid(f"{field}.{name}", "This must be true or false.")
        made.append(Choice(Channel(name), wants, topic_id))
    return made


def _topic_named(session: Session, environment: str, name: str) -> Topic:
    found = next((each for each in topics.every(session, environment) if each.name == name), None)
    if found is None:
        raise RefusalError(
            422,
            "unknown_topic",
            f"There is no topic {name[:64]!r} in {environment}: GET /api/v1/topics lists them.",
            "topics",
        )
    return found


def _time(given: object) -> datetime:
    """When it was said; now unless told."""
    if given is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
        at = at.astimezone(UTC) if at is not None and at.tzinfo else None
    except (ValueError, OverflowError):
        at = None
    if at is None or at > datetime.now(UTC):
        raise invalid("occurred_at", "occurred_at must be a time that is not to come, as 2026-01-31T12:00:00Z.")
    return at


def _texts(given: Mapping[str, Any]) -> dict[str, str | None]:
    for name, value in given.items():
        if value is not None and not (
            isinstance(value, str) and _is_storable(value) and len(value) <= LONGEST_EVIDENCE
        ):
            raise invalid(name, f"{name} must be a text.")
    return dict(given)


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _object(given: object, field: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise invalid(field, f"{field} must be a JSON object.")
    return given
