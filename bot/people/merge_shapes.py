"""What would become of two people, as programs and commands see it."""

from dataclasses import asdict
from typing import Any

from bot.models.person import Person
from bot.people.merging import Preview


def preview(seen: Preview) -> dict[str, Any]:
    return {
        "stays": _who(seen.stays),
        "goes": _who(seen.goes),
        "reason": seen.reason,
        "fields": [
            asdict(each) | {"is_conflict": each.is_conflict} for each in seen.fields if each.winner != "neither"
        ],
        "moves": dict(seen.moves),
        "joined": dict(seen.joined),
    }


def _who(person: Person) -> dict[str, Any]:
    return {"id": person.id, "distinct_id": person.distinct_id}
