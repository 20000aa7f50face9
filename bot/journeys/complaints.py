"""What a schema error means to the author of a journey: one sentence with the remedy, at the line it is about."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from jsonschema.exceptions import ValidationError

from bot.journeys.source import Document, Path, Problem

_SHAPES = {
    "object": "keys and values, one a line",
    "array": "a list: [a, b], or one - a line",
    "boolean": "true or false",
}
_WANTED_NAMES = {
    "journey": "letters, digits, spaces, - and _ only, as in: welcome",
    "save_as": "small letters, digits and _ only, as in: goal",
}


@dataclass(frozen=True, slots=True)
class _Fault:
    """What stands there, what the schema wants of it, and what its author calls the place."""

    given: Any
    wanted: Any
    where: str


def told(error: ValidationError, document: Document) -> Iterator[Problem]:
    """The problems behind one error of jsonschema; it may tell the same one twice."""
    path: Path = tuple(error.absolute_path)
    fault = _Fault(error.instance, error.validator_value, _name(path))
    if error.validator == "additionalProperties":
        schema: Any = error.schema
        yield from _unknown_keys(fault.given, list(schema["properties"]), path, document)
    elif error.validator == "oneOf" and not isinstance(fault.given, dict):
        return  # its type has been told
    elif error.validator in _SENTENCES:
        yield Problem(document.line_of(path), _SENTENCES[str(error.validator)](fault))
    else:
        yield Problem(document.line_of(path), f"{fault.where}: {error.message}.")


def _name(path: Path) -> str:
    """What the author calls it: ("steps", 1, "buttons", 0) is "step 2, buttons, number 1"."""
    named = [f"number {part + 1}" if isinstance(part, int) else part for part in path]
    if path[:1] == ("steps",) and len(path) > 1 and isinstance(path[1], int):
        named[:2] = [f"step {path[1] + 1}"]
    return ", ".join(named) or "The file"


def _unknown_keys(given: dict[str, Any], known: list[str], path: Path, document: Document) -> Iterator[Problem]:
    for key in given:
        if key not in known:
            near = get_close_matches(key, known, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"What can stand here: {', '.join(known)}."
            yield Problem(document.line_of((*path, key)), f"{key} is not known here. {remedy}")


def _missing(fault: _Fault) -> str:
    return f"{fault.where} needs {' and '.join(name for name in fault.wanted if name not in fault.given)}."


def _say_or_ask(fault: _Fault) -> str:
    if "say" in fault.given and "ask" in fault.given:
        return f"{fault.where} has both say and ask. Make two steps of it."
    return f"{fault.where} needs say (a message) or ask (a question with buttons)."


def _belongs_together(fault: _Fault) -> str:
    for key in fault.given:
        missing = [name for name in fault.wanted.get(key, ()) if name not in fault.given]
        if missing == ["ask"]:
            return f"{fault.where}: {key} belongs to a question. Write ask, or remove {key}."
        if missing:
            return f"{fault.where}: a question needs {' and '.join(missing)} as well."
    return f"{fault.where} is not complete."


def _wrong_type(fault: _Fault) -> str:
    if fault.given is None:
        return f"{fault.where} has nothing after the colon. Fill it in or remove it."
    if isinstance(fault.wanted, str) and fault.wanted in _SHAPES:
        return f"{fault.where} must be {_SHAPES[fault.wanted]}."
    quoted = f' Put it in quotes: "{str(fault.given).lower()}".' if isinstance(fault.given, bool) else ""
    return f"{fault.where} must be text.{quoted}"


def _too_long(fault: _Fault) -> str:
    shown = fault.given if len(fault.given) <= 40 else f"{fault.given[:39]}…"
    return f"{fault.where} ({shown!r}) has {len(fault.given):,} characters, at most {fault.wanted:,} fit. Shorten it."


_SENTENCES: dict[str, Callable[[_Fault], str]] = {
    "required": _missing,
    "oneOf": _say_or_ask,
    "dependentRequired": _belongs_together,
    "type": _wrong_type,
    "maxLength": _too_long,
    "minLength": lambda fault: f"{fault.where} is empty. Write something, or remove it.",
    "maxItems": lambda fault: f"{fault.where}: {len(fault.given)} are too many, at most {fault.wanted} fit.",
    "minItems": lambda fault: f"{fault.where} is an empty list. Put something in, or remove it.",
    "minProperties": lambda fault: f"{fault.where} is empty. Add keywords, or first_message: true.",
    "pattern": lambda fault: f"{fault.where} may hold {_WANTED_NAMES[fault.where.rsplit(', ', 1)[-1]]}.",
}
"""jsonschema's keyword → what to tell the author."""
