"""Some people, what they did, and a plain reading of every operator: what the compiled statement is compared with."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person, Property
from bot.models.preference import Preference, Topic
from bot.models.segment import Segment, SegmentMember
from bot.models.words import AuthorKind, MessageState, PropertyType
from bot.people.rules.failures import FAILURES
from tests import factories

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)

# Also what was never meant to be there: texts in numbers, numbers in dates, lists in texts.
VALUES: Mapping[PropertyType, list[Any]] = {
    PropertyType.TEXT: ["gold", "Gold", "old", "", "100%", "a_b", "'; DROP TABLE person; --", "عمان", 5, ["gold"]],
    PropertyType.NUMBER: [-1, 0, 1, 1.5, 2, 1e15, "2", True],
    PropertyType.DATE: ["2026-06-14", "2026-06-15", "2026-06-16", "2025-12-31", "never", 20260615],
    PropertyType.TIME: ["00:00:00", "09:30:00", "23:59:59", "noon"],
    PropertyType.DATETIME: ["2026-06-15T11:59:59Z", "2026-06-15T12:00:00Z", "2026-06-20T00:00:00Z", "2026-06-15", 1],
    PropertyType.BOOLEAN: [True, False, "true", 1],
    PropertyType.ARRAY: [[], ["a"], ["a", "b"], [1, True], "a"],
    PropertyType.OBJECT: [{}, {"k": 1}, {"k": None, "x": {"y": 1}}, "k", ["k"]],
    PropertyType.LOCATION: [
        {"latitude": 30.0, "longitude": 31.0},
        {"latitude": 30.5, "longitude": 31.5},
        {"latitude": -30.0, "longitude": -149.0},
        {"latitude": "30", "longitude": 31.0},
    ],
}


@dataclass
class Facts:
    """One person as a plain reader sees them."""

    person: Person
    seen: dict[int, datetime | None] = field(default_factory=dict)
    threads: dict[int, str] = field(default_factory=dict)
    refused: set[tuple[int | None, str]] = field(default_factory=set)
    segments: set[int] = field(default_factory=set)
    sent: dict[int, Message] = field(default_factory=dict)
    wrote: list[tuple[int, datetime]] = field(default_factory=list)


@dataclass
class World:
    people: list[Facts]
    numbers: list[Number]
    topics: list[Topic]
    segments: list[Segment]
    broadcasts: list[Broadcast]


def make_world(session: Session, size: int = 80, seed: int = 7) -> World:
    drawn = random.Random(seed)
    session.add_all(Property(environment="live", name=f"a.{kind.lower()}", type=kind) for kind in PropertyType)
    numbers = [factories.make_number(session), factories.make_number(session)]
    topics = [Topic(environment="live", name=name) for name in ("news", "offers")]
    session.add_all(topics)
    segments = [factories.make_segment(session), factories.make_segment(session)]
    template = factories.make_template(session, numbers[0].connection)
    broadcasts = [factories.make_broadcast(session, number, segments[0], template) for number in numbers]
    world = World([], numbers, topics, segments, broadcasts)
    session.flush()
    for _ in range(size):
        world.people.append(_facts(session, drawn, world))
    session.flush()
    return world


def _facts(session: Session, drawn: random.Random, world: World) -> Facts:
    person = factories.make_person(
        session,
        phone=None,
        first_name=drawn.choice([None, "", "Ada", "adele", "Bo"]),
        country=drawn.choice([None, "EG", "DE"]),
        language=drawn.choice([None, "ar", "en"]),
        enabled=drawn.random() < 0.7,
        marketing_opted_out_at=drawn.choice([None, NOW]),
        created_at=NOW - timedelta(days=drawn.choice([0, 1, 3, 400])),
        attributes={f"a.{k.lower()}": drawn.choice(v) for k, v in VALUES.items() if drawn.random() < 0.7},
    )
    facts = Facts(person)
    for number in world.numbers:
        if drawn.random() < 0.5:
            facts.threads[number.id] = drawn.choice(["open", "closed"])
            facts.seen[number.id] = drawn.choice([None, NOW - timedelta(days=1), NOW - timedelta(days=40)])
            made = factories.make_conversation(session, person, number, state=facts.threads[number.id])
            made.last_inbound_at = facts.seen[number.id]
    for topic_id in (None, *(topic.id for topic in world.topics)):
        if drawn.random() < 0.3:
            wants, channel = drawn.random() < 0.4, drawn.choice(["whatsapp", "email"])
            columns = {"environment": "live", "person_id": person.id, "channel": channel, "source": "api"}
            session.add(Preference(topic_id=topic_id, wants=wants, **columns))
            facts.refused |= set() if wants else {(topic_id, channel)}
    for segment in world.segments:
        if drawn.random() < 0.5:
            facts.segments.add(segment.id)
    for broadcast in world.broadcasts:
        if drawn.random() < 0.6:
            facts.sent[broadcast.id] = _sent(session, drawn, person, broadcast)
    if drawn.random() < 0.5:
        number, at = drawn.choice(world.numbers), NOW - timedelta(days=drawn.choice([1, 5, 20]))
        factories.make_inbound(session, person, number, occurred_at=at)
        facts.wrote.append((number.id, at))
    _join(session, facts)
    return facts


def _sent(session: Session, drawn: random.Random, person: Person, broadcast: Broadcast) -> Message:
    state = drawn.choice([each for each in MessageState if each is not MessageState.RECEIVED])
    is_failed, is_accepted = state is MessageState.FAILED, state is MessageState.ACCEPTED
    return factories.make_outbound(
        session,
        person,
        session.get_one(Number, broadcast.number_id),
        state=state,
        author_kind=AuthorKind.BROADCAST,
        broadcast_id=broadcast.id,
        accepted_at=NOW - timedelta(days=10) if is_accepted else None,
        delivery_level=drawn.randint(0, 4) if is_accepted else 0,
        error_code=drawn.choice([None, 131026, 131049, 999]) if is_failed else None,
    )


def _join(session: Session, facts: Facts) -> None:
    for segment_id in facts.segments:
        session.add(SegmentMember(segment_id=segment_id, person_id=facts.person.id, environment="live"))


def holds(facts: Facts, node: Mapping[str, Any]) -> bool:
    """Whether somebody matches a rule, read as a person would read it."""
    if "all" in node:
        return all(holds(facts, each) for each in node["all"])
    if "any" in node:
        return any(holds(facts, each) for each in node["any"])
    if "not" in node:
        return not holds(facts, node["not"])
    return READERS.get(node["what"], _profile)(facts, node)


def _profile(facts: Facts, asked: Mapping[str, Any]) -> bool:
    return _text(getattr(facts.person, asked["what"]), asked["operator"], asked.get("value"))


def _text(held: Any, operator: str, value: Any) -> bool:
    if operator in {"is_empty", "is_not_empty"}:
        return (held in (None, "")) == (operator == "is_empty")
    if operator in {"is", "is_not"}:
        return _equal(held, value) == (operator == "is")
    if operator == "is_one_of":
        return any(_equal(held, each) for each in value)
    if operator == "starts_with":
        return held is not None and _shown(held).lower().startswith(value.lower())
    return (held is not None and value.lower() in _shown(held).lower()) == (operator == "contains")


def _equal(held: Any, value: Any) -> bool:
    """As JSON has it: true is not 1."""
    return held == value and isinstance(held, bool) == isinstance(value, bool)


def _shown(held: Any) -> str:
    """As PostgreSQL shows a JSON value that is not a text."""
    return held if isinstance(held, str) else str(held).replace("'", '"')


_NOTHING: Mapping[PropertyType, tuple[Any, ...]] = {PropertyType.ARRAY: ([],), PropertyType.OBJECT: ({},)}


def _attribute(facts: Facts, asked: Mapping[str, Any]) -> bool:
    kind = PropertyType(asked["of"].removeprefix("a.").upper())
    held, operator, value = facts.person.attributes.get(asked["of"]), asked["operator"], asked.get("value")
    if operator in {"is_empty", "is_not_empty"}:
        nothing = _NOTHING.get(kind, ())
        return bool((held in [None, "", *nothing]) == (operator == "is_empty"))
    if operator in {"has_key", "lacks_key"}:
        return bool((isinstance(held, dict) and value in held) == (operator == "has_key"))
    if kind is PropertyType.ARRAY:
        return bool((isinstance(held, list) and any(_equal(each, value) for each in held)) == (operator == "contains"))
    return _typed(held, kind, operator, value)


def _typed(held: Any, kind: PropertyType, operator: str, value: Any) -> bool:
    if operator in {"=", "!="}:
        return _equal(held, value) == (operator == "=")
    if operator == "within_km":
        return _distance(held, value) <= float(value["km"])
    if kind is PropertyType.TEXT or operator == "is":
        return _text(held, operator, value)
    return _fits(held, kind) and _in_order(held, kind, operator, value)


def _fits(held: Any, kind: PropertyType) -> bool:
    if kind is PropertyType.NUMBER:
        return isinstance(held, int | float) and not isinstance(held, bool)
    return isinstance(held, str) and held[:1].isdigit() and len(held) == {"DATE": 10, "TIME": 8, "DATETIME": 20}[kind]


def _in_order(held: Any, kind: PropertyType, operator: str, value: Any) -> bool:
    if operator in {"in_last_days", "in_next_days"}:
        there = NOW + timedelta(days=value if operator == "in_next_days" else -value)
        written = "%Y-%m-%d" if kind is PropertyType.DATE else "%Y-%m-%dT%H:%M:%SZ"
        operator, value = "between", sorted((f"{NOW:{written}}", f"{there:{written}}"))
    compare: dict[str, Callable[[], bool]] = {
        "<": lambda: held < value,
        "before": lambda: held < value,
        "<=": lambda: held <= value,
        ">": lambda: held > value,
        "after": lambda: held > value,
        ">=": lambda: held >= value,
        "between": lambda: value[0] <= held <= value[1],
    }
    return compare[operator]()


def _distance(held: Any, place: Mapping[str, float]) -> float:
    """By the angle between two vectors: another way to the same number."""
    if not isinstance(held, dict) or not all(isinstance(held[part], float) for part in ("latitude", "longitude")):
        return math.inf
    first, second = (_vector(each["latitude"], each["longitude"]) for each in (held, place))
    return 6371.0088 * math.acos(max(-1.0, min(1.0, sum(a * b for a, b in zip(first, second, strict=True)))))


def _vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    north, east = math.radians(latitude), math.radians(longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


def _status(facts: Facts, asked: Mapping[str, Any]) -> bool:
    return bool(facts.person.enabled == (asked["operator"] == "enabled"))


def _created(facts: Facts, asked: Mapping[str, Any]) -> bool:
    at, operator, value = facts.person.created_at, asked["operator"], asked["value"]
    if operator == "in_last_days":
        return at >= NOW - timedelta(days=value)
    if operator == "between":
        return datetime.fromisoformat(value[0]) <= at <= datetime.fromisoformat(value[1])
    return at < datetime.fromisoformat(value) if operator == "before" else at > datetime.fromisoformat(value)


def _last_seen(facts: Facts, asked: Mapping[str, Any]) -> bool:
    last = max((at for at in facts.seen.values() if at is not None), default=None)
    if asked["operator"] == "never":
        return last is None
    is_within = last is not None and last >= NOW - timedelta(days=asked["value"])
    return bool(is_within == (asked["operator"] == "within_days"))


def _conversation(facts: Facts, asked: Mapping[str, Any]) -> bool:
    states = [state for number, state in facts.threads.items() if asked.get("of") in (None, number)]
    return bool(not states if asked["operator"] == "none" else asked["operator"] in states)


def _topic(facts: Facts, asked: Mapping[str, Any]) -> bool:
    channel = asked.get("value") or "whatsapp"
    is_refused = bool({(None, channel), (asked.get("of"), channel)} & facts.refused)
    return is_refused is bool(asked["operator"] == "does_not_want")


def _broadcast(facts: Facts, asked: Mapping[str, Any]) -> bool:
    message = facts.sent.get(asked["of"])
    if asked["operator"] == "not_sent":
        return message is None or message.state in {"suppressed", "failed", "cancelled", "presumed_unsent"}
    return message is not None and _outcome(facts, message, asked["operator"], asked.get("value"))


def _outcome(facts: Facts, message: Message, operator: str, value: Any) -> bool:
    if operator == "failed":
        name = next((name for name, each in FAILURES.items() if message.error_code in each.codes), "other")
        return message.state == "failed" and value in (None, name)
    if operator == "replied":
        sent_at = message.accepted_at or NOW
        until = sent_at + timedelta(days=value)
        is_answered = any(n == message.number_id and sent_at <= at <= until for n, at in facts.wrote)
        return message.accepted_at is not None and is_answered
    if operator == "skipped":
        return message.state == "suppressed"
    return (
        message.state == "accepted" and message.delivery_level >= {"accepted": 0, "delivered": 2, "read": 3}[operator]
    )


READERS: Mapping[str, Callable[[Facts, Mapping[str, Any]], bool]] = {
    "attribute": _attribute,
    "status": _status,
    "created": _created,
    "last_seen": _last_seen,
    "conversation": _conversation,
    "topic": _topic,
    "marketing": lambda facts, asked: (
        (facts.person.marketing_opted_out_at is not None) == (asked["operator"] == "stopped")
    ),
    "segment": lambda facts, asked: (asked["of"] in facts.segments) == (asked["operator"] == "in"),
    "broadcast": _broadcast,
}
