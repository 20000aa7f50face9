"""The parts of a draft in words, for somebody who has to choose between two of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.language import _, later, translated
from bot.models.broadcast import Template
from bot.models.connection import Number
from bot.models.preference import Topic
from bot.models.segment import Segment
from broadcasts.drafting.limits import RANGES
from broadcasts.drafting.meanwhile import SCHEDULE, Difference
from broadcasts.drafting.wanted import LETTERS, Schedule

NOTHING: Final = later("nothing")
_NAMES: Final[Mapping[str, str]] = {
    "name": later("Name"),
    "number": later("From"),
    "topic": later("Topic"),
    "segments": later("Who gets it"),
    "minus": later("Who is left out"),
    SCHEDULE: later("When"),
    "care.heeds_frequency": later("People who were written to often enough lately are left out"),
    "care.skips_gaps": later("People with an empty placeholder are left out"),
    "care.resends_unsent": later("Send once more to whoever is presumed never to have got it"),
    "trial.winner_metric": later("The better variant is the one that is most"),
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
        what, _least, _most, unit = RANGES[part]
        return _("%(what)s, in %(unit)s", what=translated(what), unit=translated(unit))
    kind, _colon, prefix = part.partition(":")
    if kind != "wording":
        return translated(_NAMES[part])
    variant = prefix[0].upper() if prefix[:1] in LETTERS.lower() and prefix[1:2] == "." else ""
    _letter, has_language, language = prefix.removesuffix(".").partition("lang.")
    if variant and has_language:
        return _("What it says Variant %(variant)s in %(language)s", variant=variant, language=language)
    if variant:
        return _("What it says Variant %(variant)s", variant=variant)
    return _("What it says in %(language)s", language=language) if has_language else _("What it says")


def _lines(session: Session, part: str, value: Any, zone: ZoneInfo) -> list[str]:  # noqa: ANN401 (a part of Wanted)
    if isinstance(value, Schedule):
        return _when(value, zone)
    if part.startswith("wording:") and value is not None:
        return _wording(session, *value)
    if part in _NAMED:
        model, name = _NAMED[part]
        rows = (session.get(model, each) for each in (value if isinstance(value, list) else [value]) if each)
        return [name.format(row) for row in rows if row is not None] or [translated(NOTHING)]
    if isinstance(value, bool):
        return [_("yes") if value else _("no")]
    return [str(value) if value not in (None, "") else translated(NOTHING)]


def _wording(session: Session, template_id: int, slots: Mapping[str, str]) -> list[str]:
    template = session.get(Template, template_id)
    first = f"{template.name} · {template.language}" if template else translated(NOTHING)
    return [first, *(f"{slot}: {words}" for slot, words in slots.items())]


def _when(schedule: Schedule, zone: ZoneInfo) -> list[str]:
    at, local, end = schedule.scheduled_at, schedule.local_time, schedule.not_after
    first = _("As soon as it is launched")
    if at is not None:
        first = _("For all at once, at %(at)s", at=f"{at.astimezone(zone):%d %b %Y %H:%M}")
    if local is not None:
        first = _("On each person's own clock, at %(local)s", local=f"{local:%d %b %Y %H:%M}")
    lines = [first] if end is None else [first, _("Not after %(end)s", end=f"{end.astimezone(zone):%d %b %Y %H:%M}")]
    return lines if schedule.heeds_quiet_hours else [*lines, _("Also in quiet hours")]
