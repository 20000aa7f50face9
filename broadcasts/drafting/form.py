"""What a filled-in form wants, and at which of its fields a problem belongs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.language import _
from broadcasts.drafting.typed import ID, Typed
from broadcasts.drafting.wanted import Care, Problem, Schedule, Trial, Wanted, Wording

_TIMES = {"at": "schedule.scheduled_at", "local": "schedule.local_time"}
_FLAGS = frozenset({"heeds_frequency", "skips_gaps", "resends_unsent"})


@dataclass(frozen=True, slots=True)
class Read:
    wanted: Wanted
    prefixes: Sequence[str]
    """Of the wordings, in their order."""
    problems: Sequence[Problem]
    """What could not be read at all."""

    def placed(self, problems: Sequence[Problem]) -> dict[str, str]:
        """Problems by the name of the field each belongs to."""
        told: dict[str, str] = {}
        for each in problems:
            name = self._field(each.field)
            told[name] = f"{told[name]} {each.text}" if name in told else each.text
        return told

    def _field(self, path: str) -> str:
        parts = path.split(".")
        prefix = ""
        if parts[0] == "wordings":
            prefix, parts = self.prefixes[int(parts[1])], parts[2:]
        if parts[0] == "slots":
            parts[0] = "slot"
        if prefix and parts[0] in {"variant", "language"}:
            parts = ["template"]
        return prefix + ".".join(parts)


def read(typed: Typed, zone: ZoneInfo) -> Read:
    problems: list[Problem] = []
    prefixes, wordings = [], []
    for prefix, wording in _wordings(typed):
        prefixes.append(prefix)
        wordings.append(wording)
    wanted = Wanted(
        name=typed.one("name"),
        number_id=typed.id("number"),
        template_id=typed.id("template"),
        segment_ids=typed.ids("segments"),
        minus_ids=typed.ids("minus"),
        slots=typed.slots(""),
        topic_id=typed.id("topic") or None,
        wordings=wordings,
        schedule=_schedule(typed, zone, problems),
        care=Care(**_numbers(typed, Care, "care", problems)),
        trial=Trial(**_numbers(typed, Trial, "trial", problems)),
    )
    return Read(wanted, prefixes, problems)


def _wordings(typed: Typed) -> Iterator[tuple[str, Wording]]:
    """Each with the prefix of its fields."""
    for variant, own in enumerate(["", *typed.variants()]):
        if own:
            yield own, Wording(variant=variant, template_id=typed.id(f"{own}template"), slots=typed.slots(own))
        for language in typed.languages(own):
            prefix = f"{own}lang.{language}."
            if typed.one(f"{prefix}on"):
                chosen = typed.id(f"{prefix}template")
                slots = typed.slots(prefix)
                yield prefix, Wording(variant=variant, language=language, template_id=chosen, slots=slots)


def _schedule(typed: Typed, zone: ZoneInfo, problems: list[Problem]) -> Schedule:
    """Only the time that was chosen counts; the other stays in the form."""
    times: dict[str, datetime | None] = {}
    for field in (_TIMES.get(typed.one("schedule.when")), "schedule.not_after"):
        if field is not None:
            times[field.partition(".")[2]] = _time(typed, field, None if field == _TIMES["local"] else zone, problems)
            if field in _TIMES.values() and not typed.one(field):
                problems.append(Problem(field, _("Say when, or send it at once.")))
    return Schedule(**times, heeds_quiet_hours=bool(typed.one("schedule.heeds_quiet_hours")))


def _time(typed: Typed, field: str, zone: ZoneInfo | None, problems: list[Problem]) -> datetime | None:
    text = typed.one(field)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=zone) if found.tzinfo is None else found
    except ValueError:
        problems.append(
            Problem(field, _("%(words)s is not a day and time: write it like 2026-05-01T09:00.", words=text[:40]))
        )
        return None


def _numbers(typed: Typed, part: type[Care | Trial], prefix: str, problems: list[Problem]) -> dict[str, Any]:
    """Blank is what the part says by itself."""
    found: dict[str, Any] = {}
    for field in fields(part):
        name = f"{prefix}.{field.name}"
        text = typed.one(name)
        if field.name in _FLAGS:
            found[field.name] = bool(text)
        elif field.name == "winner_metric":
            found[field.name] = text or None
        elif ID.fullmatch(text):
            found[field.name] = int(text)
        elif text:
            problems.append(Problem(name, _("%(words)s is not a whole number: write it in digits.", words=text[:40])))
    return found
