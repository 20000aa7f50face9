"""What a rule may ask, and with which operators: tables that the checker, the form and the manual share."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.language import later
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


_EMPTY = {"is_empty": Operator(later("is empty")), "is_not_empty": Operator(later("is not empty"))}
_EXACT = {
    "is": Operator(later("is"), Shape.ONE),
    "is_not": Operator(later("is not"), Shape.ONE),
    "is_one_of": Operator(later("is one of"), Shape.MANY),
}
_ORDER = {
    "before": Operator(later("is before"), Shape.ONE),
    "after": Operator(later("is after"), Shape.ONE),
    "between": Operator(later("is between"), Shape.TWO),
}
_NEAR = {
    "in_last_days": Operator(later("is in the last"), Shape.DAYS),
    "in_next_days": Operator(later("is in the next"), Shape.DAYS),
}

OPERATORS: Mapping[str, Mapping[str, Operator]] = {
    PropertyType.TEXT: {
        **_EXACT,
        "contains": Operator(later("contains"), Shape.ONE),
        "does_not_contain": Operator(later("does not contain"), Shape.ONE),
        "starts_with": Operator(later("starts with"), Shape.ONE),
        **_EMPTY,
    },
    PropertyType.NUMBER: {
        "=": Operator("=", Shape.ONE),
        "!=": Operator("≠", Shape.ONE),
        "<": Operator("<", Shape.ONE),
        "<=": Operator("≤", Shape.ONE),
        ">": Operator(">", Shape.ONE),
        ">=": Operator("≥", Shape.ONE),
        "between": Operator(later("is between"), Shape.TWO),
        **_EMPTY,
    },
    PropertyType.DATE: {"is": Operator(later("is"), Shape.ONE), **_ORDER, **_NEAR, **_EMPTY},
    PropertyType.DATETIME: {**_ORDER, **_NEAR, **_EMPTY},
    PropertyType.TIME: {**_ORDER, **_EMPTY},
    PropertyType.BOOLEAN: {"is": Operator(later("is"), Shape.ONE), **_EMPTY},
    PropertyType.ARRAY: {
        "contains": Operator(later("contains"), Shape.ONE),
        "does_not_contain": Operator(later("does not contain"), Shape.ONE),
        **_EMPTY,
    },
    PropertyType.OBJECT: {
        "has_key": Operator(later("has the key"), Shape.KEY),
        "lacks_key": Operator(later("lacks the key"), Shape.KEY),
        **_EMPTY,
    },
    PropertyType.LOCATION: {"within_km": Operator(later("is near"), Shape.PLACE), **_EMPTY},
    "CODE": {**_EXACT, **_EMPTY},
    "STATUS": {"enabled": Operator(later("is enabled")), "disabled": Operator(later("is disabled"))},
    "CREATED": {**_ORDER, "in_last_days": _NEAR["in_last_days"]},
    "LAST_SEEN": {
        "within_days": Operator(later("within the last"), Shape.DAYS),
        "not_within_days": Operator(later("not within the last"), Shape.DAYS),
        "never": Operator(later("never")),
    },
    "CONVERSATION": {
        "open": Operator(later("is open")),
        "closed": Operator(later("is closed")),
        "none": Operator(later("is not there")),
    },
    "TOPIC": {
        "wants": Operator(later("is wanted by"), Shape.CHANNEL),
        "does_not_want": Operator(later("is not wanted by"), Shape.CHANNEL),
    },
    "MARKETING": {"stopped": Operator(later("was stopped by them")), "not_stopped": Operator(later("was not stopped"))},
    "SEGMENT": {"in": Operator(later("has them in it")), "not_in": Operator(later("does not have them in it"))},
    "BROADCAST": {
        "accepted": Operator(later("was accepted")),
        "delivered": Operator(later("was delivered")),
        "read": Operator(later("was read")),
        "replied": Operator(later("was answered within"), Shape.DAYS),
        "failed": Operator(later("failed"), Shape.FAILURE),
        "skipped": Operator(later("was skipped")),
        "not_sent": Operator(later("was not sent")),
    },
}
"""By kind of subject or type of attribute; labels read on from the subject: `Country` `is` `EG`."""

PROFILE, ACTIVITY, AUDIENCE = later("Profile"), later("Activity"), later("Segments and broadcasts")

SUBJECTS: Mapping[str, Subject] = {
    "attribute": Subject(later("Attribute"), "", PROFILE, Which.ATTRIBUTE),
    "country": Subject(later("Country"), "CODE", PROFILE),
    "language": Subject(later("Language"), "CODE", PROFILE),
    "time_zone": Subject(later("Time zone"), "CODE", PROFILE),
    "first_name": Subject(later("First name"), PropertyType.TEXT, PROFILE),
    "last_name": Subject(later("Last name"), PropertyType.TEXT, PROFILE),
    "nickname": Subject(later("Nickname"), PropertyType.TEXT, PROFILE),
    "distinct_id": Subject(later("Distinct ID"), PropertyType.TEXT, PROFILE),
    "status": Subject(later("Status"), "STATUS", PROFILE),
    "created": Subject(later("Created"), "CREATED", PROFILE),
    "last_seen": Subject(later("Last seen"), "LAST_SEEN", ACTIVITY),
    "conversation": Subject(later("Conversation"), "CONVERSATION", ACTIVITY, Which.NUMBER, is_of_optional=True),
    "topic": Subject(later("Topic"), "TOPIC", ACTIVITY, Which.TOPIC, is_of_optional=True),
    "marketing": Subject(later("Marketing"), "MARKETING", ACTIVITY),
    "segment": Subject(later("Segment"), "SEGMENT", AUDIENCE, Which.SEGMENT),
    "broadcast": Subject(later("Broadcast"), "BROADCAST", AUDIENCE, Which.BROADCAST),
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
