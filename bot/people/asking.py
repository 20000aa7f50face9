"""What a query string or a command says → the question about people it is; the same names everywhere."""

import re
from collections.abc import Mapping

from bot.people import sorts
from bot.people.finding import Asked, FilterError

NAMES = ("search", "sort", "status", "country", "segment", "import")
"""`sort` is a property's name, with - in front for the greatest first."""
_STATUS = {"enabled": True, "disabled": False}
_LARGEST_ID = 2**63 - 1


def read(environment: str, given: Mapping[str, str]) -> Asked:
    """Blank is not asked; raises FilterError."""
    asked = {name: given.get(name, "").strip() for name in NAMES}
    sort = asked["sort"] or f"-{sorts.DEFAULT}"
    if asked["status"] and asked["status"] not in _STATUS:
        raise FilterError("status is enabled or disabled.")
    country = asked["country"].upper()
    if country and not re.fullmatch(r"[A-Z]{2}", country):
        raise FilterError("country is a code of two letters, such as EG.")
    return Asked(
        environment,
        text=asked["search"],
        sort=sort.removeprefix("-"),
        is_descending=sort.startswith("-"),
        enabled=_STATUS.get(asked["status"]),
        country=country or None,
        segment_id=read_id("segment", asked["segment"]),
        import_id=read_id("import", asked["import"]),
    )


def read_id(name: str, given: str) -> int | None:
    if not given:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", given, re.ASCII) or int(given) > _LARGEST_ID:
        raise FilterError(f"{name} is a number: the id of one.")
    return int(given)
