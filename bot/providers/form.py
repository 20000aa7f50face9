"""Bodies and queries that are written as forms, and the time for those that tell none."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from bot.providers.base import RECEIVED_AT
from bot.providers.cloud_items import ItemError


def pairs(body: bytes, most: int | None = None) -> list[tuple[str, str]]:
    """Every name and value as written, in order; bytes that are no UTF-8 become U+FFFD.

    Raises ValueError, before it reads any, if there are more than `most`.
    """
    told = body.decode("utf-8", "replace")
    return parse_qsl(told, keep_blank_values=True, errors="replace", max_num_fields=most)


def fields(body: bytes) -> dict[str, str]:
    """What is not blank, as PostgreSQL can hold it; of a name given twice the first counts."""
    found: dict[str, str] = {}
    for name, value in pairs(body):
        if cleaned := value.replace("\0", ""):
            found.setdefault(name.replace("\0", ""), cleaned)
    return found


def received_at(headers: Mapping[str, str]) -> float:
    """Unix seconds; raises ItemError."""
    try:
        return datetime.fromisoformat(headers.get(RECEIVED_AT, "")).timestamp()
    except (ValueError, OverflowError):
        raise ItemError("nothing says when it was") from None
