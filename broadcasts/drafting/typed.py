"""The form of a draft as typed, so that nothing is ever lost: written from what is wanted, and changed by a button.

A field's name says what it belongs to: `slot.body.1` is the draft's own, `b.slot.body.1` variant B's, and
`lang.de.slot.body.1` what people read in German; `lang.de.on` is there if that wording is wanted.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from zoneinfo import ZoneInfo

from broadcasts.drafting.wanted import LETTERS, Wanted

NOTHING = Wanted(name="", number_id=0, template_id=0, segment_ids=(), slots={})
ID = re.compile(r"[0-9]{1,18}", re.ASCII)
SLOT = re.compile(r"^(?:[a-z]\.)?(?:lang\.[A-Za-z_-]+\.)?slot\.")
"""How the name of a slot's field begins."""
_LANGUAGE = re.compile(r"([A-Za-z_-]+)\.template")
_MINUTE = "%Y-%m-%dT%H:%M"


class Typed(dict[str, list[str]]):
    """Field → what stands in it."""

    def one(self, name: str) -> str:
        return (self.get(name) or [""])[0].strip()

    def id(self, name: str) -> int:
        """0 where none is chosen."""
        return next(iter(self.ids(name)), 0)

    def ids(self, name: str) -> list[int]:
        return [int(each) for each in self.get(name, ()) if ID.fullmatch(each)]

    def slots(self, prefix: str) -> dict[str, str]:
        start = f"{prefix}slot."
        return {name.removeprefix(start): words[0] for name, words in self.items() if name.startswith(start) and words}

    def variants(self) -> list[str]:
        """Prefixes of the variants besides the draft's own, in their order: `b.`, `c.`."""
        return [f"{letter}." for letter in LETTERS[1:].lower() if f"{letter}.template" in self]

    def languages(self, prefix: str) -> list[str]:
        """Codes of the languages that a variant is offered in, whether one is chosen or not."""
        start = f"{prefix}lang."
        named = (_LANGUAGE.fullmatch(name.removeprefix(start)) for name in self if name.startswith(start))
        return sorted(found[1] for found in named if found)


def write(wanted: Wanted, zone: ZoneInfo) -> Typed:
    """The form as it would be filled in to want just this."""
    schedule, when = wanted.schedule, "now"
    typed = {
        "name": wanted.name,
        "number": wanted.number_id or "",
        "topic": wanted.topic_id or "",
        "segments": wanted.segment_ids,
        "minus": wanted.minus_ids,
    }
    typed |= _written("", wanted.template_id, wanted.slots)
    for each in wanted.wordings:
        prefix = prefix_of(each.variant, each.language)
        typed |= _written(prefix, each.template_id, each.slots) | ({f"{prefix}on": "yes"} if each.language else {})
    if schedule.scheduled_at is not None:
        when, typed["schedule.scheduled_at"] = "at", f"{schedule.scheduled_at.astimezone(zone):{_MINUTE}}"
    if schedule.local_time is not None:
        when, typed["schedule.local_time"] = "local", f"{schedule.local_time:{_MINUTE}}"
    if schedule.not_after is not None:
        typed["schedule.not_after"] = f"{schedule.not_after.astimezone(zone):{_MINUTE}}"
    typed |= {"schedule.when": when, "schedule.heeds_quiet_hours": "yes" if schedule.heeds_quiet_hours else ""}
    for part, held in (("care", wanted.care), ("trial", wanted.trial)):
        for field in fields(held):
            value = getattr(held, field.name)
            typed[f"{part}.{field.name}"] = "yes" if value is True else value or ""
    return Typed(
        {name: [str(each) for each in value] if isinstance(value, tuple | list) else [str(value)]
         for name, value in typed.items()}
    )  # fmt: skip


def prefix_of(variant: int, language: str | None) -> str:
    """Such as `b.lang.de.`."""
    own = f"{LETTERS[variant].lower()}." if variant else ""
    return f"{own}lang.{language}." if language else own


def change_by(typed: Typed, action: str) -> Typed:
    """After a button: `add` a variant that begins as the first stands, or `remove:c`; others change nothing."""
    variants, what = typed.variants(), action.partition(":")
    if what[0] == "add" and len(variants) + 1 < len(LETTERS):
        new = prefix_of(len(variants) + 1, None)
        own = {name: words for name, words in typed.items() if name.startswith(("template", "slot.", "lang."))}
        return Typed({**typed, **{f"{new}{name}": words for name, words in own.items()}})
    if what[0] == "remove" and f"{what[2]}." in variants:
        gone = variants.index(f"{what[2]}.")
        moved = {variants[at]: variants[at - 1] for at in range(gone + 1, len(variants))}
        kept = {name: words for name, words in typed.items() if not name.startswith(variants[gone])}
        return Typed({moved.get(name[:2], name[:2]) + name[2:]: words for name, words in kept.items()})
    return typed


def _written(prefix: str, template_id: int, slots: Mapping[str, str]) -> dict[str, Any]:
    return {f"{prefix}template": template_id or ""} | {f"{prefix}slot.{name}": words for name, words in slots.items()}
