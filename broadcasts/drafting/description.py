"""A draft as JSON: what programs send and files hold, read strictly, and written so that reading it makes the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from bot.models.broadcast import Template
from bot.models.connection import Number
from bot.models.preference import Topic
from bot.models.segment import Segment
from broadcasts.drafting import fields as json
from broadcasts.drafting.wanted import LETTERS, Care, Schedule, Trial, Wanted

MEMBERS: Final = (
    *("name", "number", "segments", "minus", "topic", "template", "slots", "wordings"),
    *("schedule", "care", "trial"),
)
MOST_SEGMENTS: Final = 50
LONGEST_WORDS: Final = 4096
_MOST_WORDINGS: Final = 200
_PARTS: Final = {"schedule": Schedule, "care": Care, "trial": Trial}
_OF_TYPE: Final[Mapping[Any, Callable[[object, str], Any]]] = {
    int: json.whole,
    int | None: json.whole,
    bool: json.flag,
    str | None: json.text,
    datetime | None: json.moment,
}

Reference = str | int


@dataclass(frozen=True, slots=True)
class TemplateName:
    name: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class AskedWording:
    variant: int
    language: str | None
    template: TemplateName
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a description says, by names that nobody has looked up yet; None is what it leaves open."""

    name: str | None = None
    number: Reference | None = None
    segments: Sequence[Reference] | None = None
    minus: Sequence[Reference] | None = None
    topic: Reference | None = None
    template: TemplateName | None = None
    slots: Mapping[str, str] | None = None
    wordings: Sequence[AskedWording] | None = None
    schedule: Mapping[str, Any] = field(default_factory=dict)
    care: Mapping[str, Any] = field(default_factory=dict)
    trial: Mapping[str, Any] = field(default_factory=dict)
    """Of these three only what is said; a member that is null is what it would be without it."""
    cleared: frozenset[str] = frozenset()
    """Members that are null: back to what they are where nobody says anything."""


def read(given: object) -> Asked:
    """Raises FieldError; a member that is null is left open, and `cleared` says so."""
    said = json.members(given, MEMBERS)
    values = {name: _READ[name](value, name) for name, value in said.items()}
    nulls = frozenset(given) - frozenset(said) if isinstance(given, dict) else frozenset()
    return Asked(**values, cleared=nulls)


def write(session: Session, wanted: Wanted) -> dict[str, Any]:
    """With names in place of ids, and without what is as it would be anyway."""
    told: dict[str, Any] = {
        "name": wanted.name,
        "number": session.get_one(Number, wanted.number_id).phone,
        "segments": _names(session, wanted.segment_ids),
        "template": _template(session, wanted.template_id),
        "slots": dict(wanted.slots),
    }
    if wanted.minus_ids:
        told["minus"] = _names(session, wanted.minus_ids)
    if wanted.topic_id is not None:
        told["topic"] = session.get_one(Topic, wanted.topic_id).name
    if wanted.wordings:
        told["wordings"] = [
            {"variant": each.variant, "language": each.language, "template": _template(session, each.template_id)}
            | {"slots": dict(each.slots)}
            for each in wanted.wordings
        ]
    for name, part in _PARTS.items():
        if said := _said(getattr(wanted, name), part()):
            told[name] = said
    return told


def _said(part: object, silent: Schedule | Care | Trial) -> dict[str, Any]:
    values = {each.name: getattr(part, each.name) for each in fields(silent)}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if value != getattr(silent, name)
    }


def _names(session: Session, ids: Sequence[int]) -> list[str]:
    return [session.get_one(Segment, each).name for each in ids]


def _template(session: Session, template_id: int) -> dict[str, str]:
    found = session.get_one(Template, template_id)
    return {"name": found.name, "language": found.language}


def _read_template(value: object, field: str) -> TemplateName:
    said = json.members(value, ("name", "language"), field)
    language = said.get("language")
    return TemplateName(
        json.filled(said.get("name"), json.path(field, "name")),
        None if language is None else json.text(language, json.path(field, "language")),
    )


def _read_wording(value: object, field: str) -> AskedWording:
    said = json.members(value, ("variant", "language", "template", "slots"), field)
    language = said.get("language")
    if "template" not in said:
        raise json.FieldError(field, f"{field} needs a template: a wording is one in a template of its own.")
    return AskedWording(
        _variant(said.get("variant", 0), json.path(field, "variant")),
        None if language is None else json.filled(language, json.path(field, "language")),
        _read_template(said["template"], json.path(field, "template")),
        json.texts(said.get("slots", {}), json.path(field, "slots"), LONGEST_WORDS),
    )


def _variant(value: object, field: str) -> int:
    if not 0 <= json.whole(value, field) < len(LETTERS):
        raise json.FieldError(field, f"{field} is 0 (variant A) to {len(LETTERS) - 1} (variant {LETTERS[-1]}).")
    return int(str(value))


def _read_part(value: object, field: str) -> dict[str, Any]:
    """With the members that are null as what the part says by itself."""
    part = _PARTS[field]
    types = {each.name: each.type for each in fields(part)}
    said = json.members(value, types, field)
    read = {name: _OF_TYPE[types[name]](each, json.path(field, name)) for name, each in said.items()}
    nulls = {name: getattr(part(), name) for name in (value if isinstance(value, dict) else {}) if name not in said}
    return nulls | read


_READ: Final[Mapping[str, Callable[[object, str], Any]]] = {
    "name": json.text,
    "number": json.reference,
    "segments": lambda value, field: json.several(value, field, json.reference, MOST_SEGMENTS),
    "minus": lambda value, field: json.several(value, field, json.reference, MOST_SEGMENTS),
    "topic": json.reference,
    "template": _read_template,
    "slots": lambda value, field: json.texts(value, field, LONGEST_WORDS),
    "wordings": lambda value, field: json.several(value, field, _read_wording, _MOST_WORDINGS),
    **dict.fromkeys(_PARTS, _read_part),
}
