"""Bytes that claim to be JSON, made into values that PostgreSQL can hold."""

import json
import math
import re
from typing import Any

import orjson

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SPARE_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+"?)|,(?=\s*[\]}])', re.DOTALL)
"""A comma that nothing follows; matches texts as well, to step over them."""
_MAX_INT = 2**63


class UnreadableBodyError(ValueError):
    """Not a JSON document; the text says why and repeats nothing of it."""


def read(body: bytes) -> Any:  # noqa: ANN401 (any JSON value)
    """Raises UnreadableBodyError. NULs and lone surrogates are taken out, bytes that are no UTF-8 become U+FFFD."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _clean(_read_patiently(body))
    return _clean(document) if b"\\u0000" in body else document


def is_storable(item: object) -> bool:
    """Whether jsonb can hold it: not nested too deeply, no number beyond 64 bits."""
    try:
        orjson.dumps(item)
    except TypeError:
        return False
    return True


def _read_patiently(body: bytes) -> Any:  # noqa: ANN401 (any JSON value)
    """For the few bodies the strict reader refuses: lone surrogates, stray bytes, a comma too many (Kaleyra)."""
    written = body.decode("utf-8", "replace")
    for text in (written, _SPARE_COMMA.sub(r"\1", written)):
        try:
            return json.loads(text)
        except RecursionError:
            raise UnreadableBodyError("the body is nested too deeply") from None
        except ValueError:
            continue
    raise UnreadableBodyError("the body is not JSON")


def _clean(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """The value with its structure copied; iterative, because a body may nest deeper than the stack."""
    root: list[Any] = [value]
    pending: list[Any] = [root]
    while pending:
        holder = pending.pop()
        for key, item in list(enumerate(holder) if isinstance(holder, list) else holder.items()):
            holder[key] = cleaned = _clean_one(item)
            if isinstance(cleaned, list | dict):
                pending.append(cleaned)
    return root[0]


def _clean_one(item: Any) -> Any:  # noqa: ANN401 (any JSON value)
    match item:
        case str():
            return _UNSTORABLE.sub("", item)
        case dict():
            return {_UNSTORABLE.sub("", key): value for key, value in item.items()}
        case bool():
            return item
        case int() if not -_MAX_INT <= item < _MAX_INT:
            return float(item) if abs(item) < 10**300 else None
        case float() if not math.isfinite(item):
            return None
    return item
