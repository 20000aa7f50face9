"""A draft that somebody else saved while it was being edited: what of theirs goes in, and where two say two things.

It is compared part by part: a wording with its slots is one, the schedule is one, and every other field is one.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from broadcasts.drafting import form, typed
from broadcasts.drafting.typed import Typed
from broadcasts.drafting.wanted import Wanted

VERSION: Final = "version"
"""Field of the form: `drafts.version_of` what it was filled with."""
WAS: Final = "was"
"""Field of the form: what it was filled with, as JSON."""
SCHEDULE: Final = "schedule"

_WORDING = re.compile(r"((?:[b-h]\.)?(?:lang\.[A-Za-z_-]+\.)?)(?:template|template\.was|slot\..+|on)")


@dataclass(frozen=True, slots=True)
class Difference:
    """A part that they changed: `part` is `name`, `care.pace_per_s`, `schedule`, or `wording:` with its prefix."""

    part: str
    theirs: Any
    """As in Wanted; of a wording its template's id and its slots; None where it is gone."""
    mine: Any
    is_taken: bool
    """Nobody but them touched it: it stands in the form as they saved it."""


@dataclass(frozen=True, slots=True)
class Met:
    """`typed` holds what was typed, and what they changed wherever nobody touched it here."""

    typed: Typed
    differences: list[Difference]


def meet(mine: Typed, now: Wanted, zone: ZoneInfo) -> Met:
    """`now` is what they saved."""
    theirs = typed.write(now, zone)
    said, saved, was = (_parts(form.read(each, zone).wanted) for each in (mine, theirs, _was(mine)))
    unread = {problem.field for problem in form.read(mine, zone).problems}
    found = [
        Difference(
            part,
            saved.get(part),
            said.get(part),
            is_taken=said.get(part) == was.get(part) and not _is_within(part, unread),
        )
        for part in dict.fromkeys((*saved, *was))
        if saved.get(part) != was.get(part) and saved.get(part) != said.get(part)
    ]
    merged = Typed(mine)
    for part in (each.part for each in found if each.is_taken):
        for name in [name for name in merged if _part_of(name) == part]:
            del merged[name]
        merged |= {name: words for name, words in theirs.items() if _part_of(name) == part}
    return Met(merged, found)


def remember(filled: Typed, version: str) -> Typed:
    """The form with what it was filled with in it, for `meet`."""
    filled[VERSION], filled[WAS] = [version], [orjson.dumps(filled).decode()]
    return filled


def _was(mine: Typed) -> Typed:
    """Empty where it cannot be read: then all that is filled in was changed here."""
    try:
        told = orjson.loads(mine.one(WAS))
    except orjson.JSONDecodeError:
        return Typed()
    pairs = told.items() if isinstance(told, dict) else ()
    return Typed({name: [str(each) for each in words] for name, words in pairs if isinstance(words, list)})


def _parts(wanted: Wanted) -> Mapping[str, Any]:
    parts = {
        "name": wanted.name,
        "number": wanted.number_id,
        "topic": wanted.topic_id,
        "segments": sorted(wanted.segment_ids),
        "minus": sorted(wanted.minus_ids),
        "wording:": (wanted.template_id, _filled(wanted.slots)),
        SCHEDULE: wanted.schedule,
    }
    for each in wanted.wordings:
        prefix = typed.prefix_of(each.variant, each.language)
        parts[f"wording:{prefix}"] = (each.template_id, _filled(each.slots))
    for name, part in (("care", wanted.care), ("trial", wanted.trial)):
        parts |= {f"{name}.{field}": value for field, value in asdict(part).items()}
    return parts


def _filled(slots: Mapping[str, str]) -> dict[str, str]:
    return {slot: words.strip() for slot, words in slots.items() if words.strip()}


def _part_of(name: str) -> str:
    if wording := _WORDING.fullmatch(name):
        return f"wording:{wording[1]}"
    return SCHEDULE if name.startswith(f"{SCHEDULE}.") else name


def _is_within(part: str, fields: set[str]) -> bool:
    return any(field == part or field.startswith(f"{part}.") for field in fields)
