"""What a program may ask for: bytes → a checked request, or a refusal that names the field."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bot.api.refusals import RefusalError, invalid

LONGEST_TEXT = 4096
"""Characters of a text message (Cloud API, messages reference)."""
LARGEST_ID = 2**63 - 1

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_FIELDS = frozenset({"number", "to", "text", "template"})
_TEMPLATE_FIELDS = frozenset({"name", "language", "slots"})


@dataclass(frozen=True, slots=True)
class TemplateRequest:
    """`slots` are literal texts by slot name: {"body.1": "Ada"}."""

    name: str
    language: str
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """To either `phone` or `distinct_id`, either `text` or `template`; `fingerprint` is the same for equal requests."""

    number: str | None
    phone: str | None
    distinct_id: str | None
    text: str | None
    template: TemplateRequest | None
    fingerprint: bytes


def read_message(body: bytes) -> MessageRequest:
    given = read_object(body)
    _only(given, _FIELDS, None)
    phone, distinct_id = _recipient(given)
    if ("text" in given) == ("template" in given):
        raise invalid("text", "Give either text or template.")
    return MessageRequest(
        number=_number(given),
        phone=phone,
        distinct_id=distinct_id,
        text=_text(given, "text", longest=LONGEST_TEXT) if "text" in given else None,
        template=_template(given["template"]) if "template" in given else None,
        fingerprint=hashlib.sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)).digest(),
    )


def read_object(body: bytes) -> Mapping[str, Any]:
    return _object(_json(body), None)


def read_key(header: str | None) -> str | None:
    """The Idempotency-Key, if one was sent."""
    if header is not None and not _KEY.fullmatch(header):
        raise RefusalError(400, "bad_idempotency_key", "Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return header


def _json(body: bytes) -> Any:  # noqa: ANN401 (whatever was sent)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RefusalError(400, "bad_json", f"The body is not JSON: {error.msg}.") from error


def _recipient(given: Mapping[str, Any]) -> tuple[str | None, str | None]:
    to = given.get("to")
    if isinstance(to, str):
        return _text(given, "to", longest=32), None
    if to is None:
        raise invalid("to", 'Say who it is for: "to": "+491701234567" or "to": {"distinct_id": "…"}.')
    target = _object(to, "to")
    _only(target, frozenset({"distinct_id"}), "to")
    return None, _text(target, "distinct_id", within="to")


def _number(given: Mapping[str, Any]) -> str | None:
    number = given.get("number")
    if number is None:
        return None
    if isinstance(number, int) and not isinstance(number, bool):
        return str(number)
    return _text(given, "number", longest=32)


def _template(value: object) -> TemplateRequest:
    given = _object(value, "template")
    _only(given, _TEMPLATE_FIELDS, "template")
    slots = _object(given.get("slots", {}), "template.slots")
    return TemplateRequest(
        name=_text(given, "name", within="template"),
        language=_text(given, "language", within="template"),
        slots={name: _text(slots, name, within="template.slots", longest=LONGEST_TEXT) for name in slots},
    )


def _text(given: Mapping[str, Any], name: str, *, within: str | None = None, longest: int = 512) -> str:
    value = given.get(name)
    field = _path(within, name)
    if name not in given:
        raise invalid(field, f"{field} is missing.")
    if not isinstance(value, str):
        raise invalid(field, f"{field} must be a text.")
    if not value.strip():
        raise invalid(field, f"{field} is empty.")
    if len(value) > longest:
        raise invalid(field, f"{field} has {len(value):,} characters; {longest:,} are the most.")
    if "\x00" in value:
        raise invalid(field, f"{field} holds a NUL character.")
    return value


def _object(value: object, field: str | None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise invalid(field, f"{field or 'The body'} must be a JSON object.")
    return value


def _only(given: Mapping[str, Any], known: frozenset[str], within: str | None) -> None:
    for name in given:
        if name not in known:
            where = within or "the body"
            raise invalid(
                _path(within, name), f"There is no field {name[:64]!r} in {where}: use {', '.join(sorted(known))}."
            )


def _path(within: str | None, name: str) -> str:
    return name[:64] if within is None else f"{within}.{name[:64]}"
