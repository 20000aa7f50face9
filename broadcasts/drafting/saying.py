"""The parts of a draft in words, for somebody who has to choose between two of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.models.broadcast import Template
from bot.models.connection import Number
from bot.models.preference import Topic
from bot.models.segment import Segment
from broadcasts.drafting.limits import RANGES
from broadcasts.drafting.meanwhile import SCHEDULE, Difference
from broadcasts.drafting.wanted import LETTERS, Schedule

NOTHING: Final = "nothing"
_NAMES: Final[Mapping[str, str]] = {
    "name": "Name",
    "number": "From",
    "topic": "Topic",
    "segments": "Who gets it",
    "minus": "Who is left out",
    SCHEDULE: "When",
    "care.heeds_frequency": "People who were written to often enough lately are left out",
    "care.skips_gaps": "People with an empty placeholder are left out",
    "care.resends_unsent": "Send once more to whoever is presumed never to have got it",
    "trial.winner_metric": "The better variant is the one that is most",
}
_NAMED: Final[Mapping[str, tuple[type[Any], str]]] = {
    "number": (Number, "{0.name} {0.phone}"),
    "topic": (Topic, "{0.name}"),
    "segments": (Segment, "{0.name}"),
    "minus": (Segment, "{0.name}"),
}
"""Parts that are ids: of what, and how it is called."""


@dataclass(frozen=True, slots=True)
class Said:
    """Lines of each, one below the other."""

    what: str
    theirs: list[str]
    mine: list[str]
    is_taken: bool


def told(session: Session, differences: Iterable[Difference], zone: ZoneInfo) -> list[Said]:
    return [
        Said(
            _name(each.part),
            _lines(session, each.part, each.theirs, zone),
            _lines(session, each.part, each.mine, zone),
            each.is_taken,
        )
        for each in differences
    ]


def _name(part: str) -> str:
    if part in RANGES:
        what, _, _, unit = RANGES[part]
        return f"{what}, in {unit}"
    kind, _, prefix = part.partition(":")
    if kind != "wording":
        return _NAMES[part]
    variant = f"Variant {prefix[0].upper()}" if prefix[:1] in LETTERS.lower() and prefix[1:2] == "." else ""
    _, has_language, language = prefix.removesuffix(".").partition("lang.")
    names = [part for part in (variant, f"in {language}" if has_language else "") if part]
    return f"What it says {' '.join(names)}".strip()


def _lines(session: Session, part: str, value: Any, zone: ZoneInfo) -> list[str]:  # noqa: ANN401 (a part of Wanted)
    if isinstance(value, Schedule):
        return _when(value, zone)
    if part.startswith("wording:") and value is not None:
        return _wording(session, *value)
    if part in _NAMED:
        model, name = _NAMED[part]
        rows = (session.get(model, each) for each in (value if isinstance(value, list) else [value]) if each)
        return [name.format(row) for row in rows if row is not None] or [NOTHING]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [str(value) if value not in (None, "") else NOTHING]


def _wording(session: Session, template_id: int, slots: Mapping[str, str]) -> list[str]:
    template = session.get(Template, template_id)
    first = f"{template.name} · {template.language}" if template else NOTHING
    return [first, *(f"{slot}: {words}" for slot, words in slots.items())]


def _when(schedule: Schedule, zone: ZoneInfo) -> list[str]:
    at, local, end = schedule.scheduled_at, schedule.local_time, schedule.not_after
    first = "As soon as it is launched"
    if at is not None:
        first = f"For all at once, at {at.astimezone(zone):%d %b %Y %H:%M}"
    if local is not None:
        first = f"On each person's own clock, at {local:%d %b %Y %H:%M}"
    lines = [first] if end is None else [first, f"Not after {end.astimezone(zone):%d %b %Y %H:%M}"]
    return lines if schedule.heeds_quiet_hours else [*lines, "Also in quiet hours"]
