"""A template, its slots' texts and a person's values → what is sent and what people read; docs/personalisation.md.

`frozen` is {"name", "language", "category", "parameter_format", "components"}, as it stood at launch.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.messages import personalise
from bot.messages.components import (
    LONGEST_BODY,
    LONGEST_HEADER,
    LONGEST_URL,
    VARIABLE,
    Component,
    buttons_of,
    component_of,
    parameters_of,
    word,
)
from bot.messages.components import Slot as Slot
from bot.messages.components import slots_of as slots_of
from bot.messages.personalise import PlaceholderError
from bot.messages.slot_check import LONGEST_BY_ENDING
from bot.messages.slot_check import check_slots as check_slots

_NOT_IN_A_PARAMETER = re.compile(r"\s*[\n\r\t\v\f\x85\u2028\u2029]\s*| {4,}")
"""The API refuses parameters with newlines, tabs or more than three spaces in a row (error 132012)."""

_BARE = {"OTP": "Copy code"}
"""Buttons that say words of WhatsApp's own."""


@dataclass(frozen=True, slots=True)
class PreviewText:
    header: str
    body: str
    footer: str
    buttons: tuple[str, ...]
    header_format: str = "TEXT"
    """TEXT, or what stands above the text: IMAGE, VIDEO, DOCUMENT or LOCATION; `header` is then its name or address."""
    button_types: tuple[str, ...] = ()
    """QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE, FLOW …, as `buttons`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A template and its slots' texts, taken apart once for everybody who gets it."""

    frozen: Mapping[str, Any]
    texts: tuple[tuple[Slot, str], ...]
    names: frozenset[str]
    """The attributes its texts read; empty too where a text cannot be read, which filling then says."""
    header: Component
    body: Component


@dataclass(frozen=True, slots=True)
class Filled:
    content: dict[str, Any]
    """{} if `empty` says anything: there is nothing that may be sent."""
    body: str
    empty: tuple[str, ...]
    """Slots that came out blank for this person."""
    missing: tuple[str, ...]
    """Attributes without value and default, also where other words keep the slot from being blank."""


def plan(frozen: Mapping[str, Any], slots: Mapping[str, str]) -> Plan:
    components = frozen["components"]
    texts = tuple((slot, slots.get(slot.name, "")) for slot in slots_of(components))
    header, body = component_of(components, "HEADER") or {}, component_of(components, "BODY") or {}
    return Plan(frozen, texts, frozenset(_names_in(text for _, text in texts)), header, body)


def fill(frozen: Mapping[str, Any], slots: Mapping[str, str], values: Mapping[str, str]) -> Filled:
    """Fill in one person's values; PlaceholderError names the slot if the result is longer than WhatsApp takes."""
    return fill_plan(plan(frozen, slots), values)


def fill_plan(plan: Plan, values: Mapping[str, str]) -> Filled:
    """The same for the next of many; `values` need hold no others than `plan.names`."""
    texts: dict[str, str] = {}
    empty: list[str] = []
    missing: dict[str, None] = {}
    for slot, written in plan.texts:
        try:
            rendered = personalise.render(written, values)
        except PlaceholderError as error:
            raise PlaceholderError(f"{slot.name}: {error}") from None
        text = texts[slot.name] = _NOT_IN_A_PARAMETER.sub(" ", rendered.text).strip()
        missing.update(dict.fromkeys(rendered.empty))
        if slot.required and not text:
            empty.append(slot.name)
    body = _body_preview(plan.body, texts)
    if empty:
        return Filled({}, body, tuple(empty), tuple(missing))
    _refuse_too_long(plan.header, body, texts)
    return Filled(content_of(plan.frozen, texts), body, (), tuple(missing))


def content_of(frozen: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """The Cloud API's {"type": "template", …}; `texts` are slots already rendered, every required one there."""
    named = str(frozen.get("parameter_format") or "").upper() == "NAMED"
    template: dict[str, Any] = {"name": frozen["name"], "language": {"code": frozen["language"]}}
    if components := parameters_of(frozen["components"], texts, named=named):
        template["components"] = components
    return {"type": "template", "template": template}


def preview_of(frozen: Mapping[str, Any], texts: Mapping[str, str]) -> PreviewText:
    """What the person would read; a slot without text shows as it stands in the template."""
    components = frozen["components"]
    header = component_of(components, "HEADER") or {}
    body = component_of(components, "BODY") or {}
    footer = component_of(components, "FOOTER") or {}
    return PreviewText(
        header=_header_preview(header, texts),
        body=_body_preview(body, texts),
        footer=str(footer.get("text") or ""),
        buttons=tuple(
            str(each.get("text") or _BARE.get(type_ := word(each, "type"), type_.replace("_", " ").title()))
            for each in buttons_of(components)
        ),
        header_format=word(header, "format") or "TEXT",
        button_types=tuple(word(each, "type") for each in buttons_of(components)),
    )


def _header_preview(header: Component, texts: Mapping[str, str]) -> str:
    format_ = word(header, "format")
    if format_ in ("", "TEXT"):
        return _put_in("header", str(header.get("text") or ""), texts)
    if format_ == "LOCATION":
        return texts.get("header.name") or texts.get("header.address") or "Location"
    return texts.get("header.filename") or texts.get(f"header.{format_.lower()}") or format_.title()


def _body_preview(body: Component, texts: Mapping[str, str]) -> str:
    return _put_in("body", str(body.get("text") or ""), texts)


def _put_in(prefix: str, text: str, texts: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: texts.get(f"{prefix}.{found[1]}") or found[0], text)


def _names_in(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        with suppress(PlaceholderError):
            yield from personalise.placeholders(text)


def _refuse_too_long(header: Component, body: str, texts: Mapping[str, str]) -> None:
    lengths = [("the body", len(body), LONGEST_BODY)]
    if word(header, "format") == "TEXT":
        lengths.append(("the header", len(_header_preview(header, texts)), LONGEST_HEADER))
    for name, text in texts.items():
        if name.startswith("button."):
            lengths.append((name, len(text), LONGEST_BY_ENDING.get(name.rsplit(".", 1)[-1], LONGEST_URL)))
    for place, length, longest in lengths:
        if length > longest:
            raise PlaceholderError(
                f"{place} is {length:,} characters with this person's values, WhatsApp takes {longest:,}. Shorten it."
            )
