"""What a rule may ask, and with which operators: tables that the checker, the form and the manual share."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.models.words import PropertyType


class Shape(StrEnum):
    """What an operator takes as its value."""

    NONE = "none"
    ONE = "one"
    TWO = "two"
    """[from, to], both included."""
    MANY = "many"
    DAYS = "days"
    """A whole number of days."""
    PLACE = "place"
    """{"latitude", "longitude", "km"}"""
    KEY = "key"
    CHANNEL = "channel"
    """Optional; whatsapp without it."""
    FAILURE = "failure"
    """Optional: one of the classes in bot/people/rules/failures.py."""


@dataclass(frozen=True, slots=True)
class Operator:
    label: str
    shape: Shape = Shape.NONE


class Which(StrEnum):
    """What `of` names."""

    ATTRIBUTE = "attribute"
    NUMBER = "number"
    TOPIC = "topic"
    SEGMENT = "segment"
    BROADCAST = "broadcast"


@dataclass(frozen=True, slots=True)
class Subject:
    """`kind` chooses the operators; of an attribute its type does."""

    label: str
    kind: str
    group: str
    of: Which | None = None
    is_of_optional: bool = False


_EMPTY = {"is_empty": Operator("is empty"), "is_not_empty": Operator("is not empty")}
_EXACT = {
    "is": Operator("is", Shape.ONE),
    "is_not": Operator("is not", Shape.ONE),
    "is_one_of": Operator("is one of", Shape.MANY),
}
_ORDER = {
    "before": Operator("is before", Shape.ONE),
    "after": Operator("is after", Shape.ONE),
    "between": Operator("is between", Shape.TWO),
}
_NEAR = {
    "in_last_days": Operator("is in the last", Shape.DAYS),
    "in_next_days": Operator("is in the next", Shape.DAYS),
}

OPERATORS: Mapping[str, Mapping[str, Operator]] = {
    PropertyType.TEXT: {
        **_EXACT,
        "contains": Operator("contains", Shape.ONE),
        "does_not_contain": Operator("does not contain", Shape.ONE),
        "starts_with": Operator("starts with", Shape.ONE),
        **_EMPTY,
    },
    PropertyType.NUMBER: {
        "=": Operator("=", Shape.ONE),
        "!=": Operator("≠", Shape.ONE),
        "<": Operator("<", Shape.ONE),
        "<=": Operator("≤", Shape.ONE),
        ">": Operator(">", Shape.ONE),
        ">=": Operator("≥", Shape.ONE),
        "between": Operator("is between", Shape.TWO),
        **_EMPTY,
    },
    PropertyType.DATE: {"is": Operator("is", Shape.ONE), **_ORDER, **_NEAR, **_EMPTY},
    PropertyType.DATETIME: {**_ORDER, **_NEAR, **_EMPTY},
    PropertyType.TIME: {**_ORDER, **_EMPTY},
    PropertyType.BOOLEAN: {"is": Operator("is", Shape.ONE), **_EMPTY},
    PropertyType.ARRAY: {
        "contains": Operator("contains", Shape.ONE),
        "does_not_contain": Operator("does not contain", Shape.ONE),
        **_EMPTY,
    },
    PropertyType.OBJECT: {
        "has_key": Operator("has the key", Shape.KEY),
        "lacks_key": Operator("lacks the key", Shape.KEY),
        **_EMPTY,
    },
    PropertyType.LOCATION: {"within_km": Operator("is near", Shape.PLACE), **_EMPTY},
    "CODE": {**_EXACT, **_EMPTY},
    "STATUS": {"enabled": Operator("is enabled"), "disabled": Operator("is disabled")},
    "CREATED": {**_ORDER, "in_last_days": _NEAR["in_last_days"]},
    "LAST_SEEN": {
        "within_days": Operator("within the last", Shape.DAYS),
        "not_within_days": Operator("not within the last", Shape.DAYS),
        "never": Operator("never"),
    },
    "CONVERSATION": {
        "open": Operator("is open"),
        "closed": Operator("is closed"),
        "none": Operator("is not there"),
    },
    "TOPIC": {
        "wants": Operator("is wanted by", Shape.CHANNEL),
        "does_not_want": Operator("is not wanted by", Shape.CHANNEL),
    },
    "MARKETING": {"stopped": Operator("was stopped by them"), "not_stopped": Operator("was not stopped")},
    "SEGMENT": {"in": Operator("has them in it"), "not_in": Operator("does not have them in it")},
    "BROADCAST": {
        "accepted": Operator("was accepted"),
        "delivered": Operator("was delivered"),
        "read": Operator("was read"),
        "replied": Operator("was answered within", Shape.DAYS),
        "failed": Operator("failed", Shape.FAILURE),
        "skipped": Operator("was skipped"),
        "not_sent": Operator("was not sent"),
    },
}
"""By kind of subject or type of attribute; labels read on from the subject: `Country` `is` `EG`."""

PROFILE, ACTIVITY, AUDIENCE = "Profile", "Activity", "Segments and broadcasts"

SUBJECTS: Mapping[str, Subject] = {
    "attribute": Subject("Attribute", "", PROFILE, Which.ATTRIBUTE),
    "country": Subject("Country", "CODE", PROFILE),
    "language": Subject("Language", "CODE", PROFILE),
    "time_zone": Subject("Time zone", "CODE", PROFILE),
    "first_name": Subject("First name", PropertyType.TEXT, PROFILE),
    "last_name": Subject("Last name", PropertyType.TEXT, PROFILE),
    "nickname": Subject("Nickname", PropertyType.TEXT, PROFILE),
    "distinct_id": Subject("Distinct ID", PropertyType.TEXT, PROFILE),
    "status": Subject("Status", "STATUS", PROFILE),
    "created": Subject("Created", "CREATED", PROFILE),
    "last_seen": Subject("Last seen", "LAST_SEEN", ACTIVITY),
    "conversation": Subject("Conversation", "CONVERSATION", ACTIVITY, Which.NUMBER, is_of_optional=True),
    "topic": Subject("Topic", "TOPIC", ACTIVITY, Which.TOPIC, is_of_optional=True),
    "marketing": Subject("Marketing", "MARKETING", ACTIVITY),
    "segment": Subject("Segment", "SEGMENT", AUDIENCE, Which.SEGMENT),
    "broadcast": Subject("Broadcast", "BROADCAST", AUDIENCE, Which.BROADCAST),
}


def operators_of(what: str, kind: PropertyType | None = None) -> Mapping[str, Operator]:
    """Those that fit; none where `what` or the attribute is not known."""
    subject = SUBJECTS.get(what)
    if subject is None:
        return {}
    return OPERATORS.get(subject.kind or str(kind), {})


def value_type(what: str, kind: PropertyType | None) -> PropertyType:
    """What a single value of the condition is written as."""
    if kind is not None:
        return kind
    return PropertyType.DATETIME if what == "created" else PropertyType.TEXT
