"""A template, its slots' texts and a person's values → what is sent and what people read; docs/personalisation.md.

`frozen` is {"name", "language", "category", "parameter_format", "components"}, as it stood at launch.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from bot.messages import personalise
from bot.messages.components import (
    HEADER_FORMATS,
    KNOWN,
    LONGEST_BODY,
    LONGEST_CODE,
    LONGEST_HEADER,
    LONGEST_PAYLOAD,
    LONGEST_URL,
    VARIABLE,
    Component,
    buttons_of,
    component_of,
    parameters_of,
    variables,
    word,
)
from bot.messages.components import Slot as Slot
from bot.messages.components import slots_of as slots_of
from bot.messages.personalise import PlaceholderError

_NOT_IN_A_PARAMETER = re.compile(r"\s*[\n\r\t\v\f\x85\u2028\u2029]\s*| {4,}")
"""The API refuses parameters with newlines, tabs or more than three spaces in a row (error 132012)."""

_LONGEST_BY_ENDING: Final = {"payload": LONGEST_PAYLOAD, "code": LONGEST_CODE}
_MEDIA_SLOTS: Final = frozenset({"header.image", "header.video", "header.document"})


@dataclass(frozen=True, slots=True)
class PreviewText:
    header: str
    body: str
    footer: str
    buttons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    content: dict[str, Any]
    """{} if `empty` says anything: there is nothing that may be sent."""
    body: str
    empty: tuple[str, ...]
    """Slots that came out blank for this person."""
    missing: tuple[str, ...]
    """Attributes without value and default, also where other words keep the slot from being blank."""


def check_slots(components: Sequence[Component], slots: Mapping[str, str]) -> list[str]:
    """Everything that keeps these texts from filling this template, a sentence each, the slot first."""
    found = _unusable(components)
    if found:
        return found
    known = {slot.name: slot for slot in slots_of(components)}
    for name in slots:
        if name not in known:
            near = get_close_matches(name, known, 1)
            remedy = f"Did you mean {near[0]}?" if near else _slots_told(known)
            found.append(f"{name}: the template has no such slot. {remedy}")
    for name, slot in known.items():
        text = slots.get(name, "")
        if not text.strip():
            if slot.required:
                found.append(f"{name} ({slot.where}): has no text. Write one, for example {slot.example or 'Hello'}.")
            continue
        found += [f"{name}: {problem}" for problem in personalise.problems(text)]
        found += _value_problems(name, text)
    return found


def fill(frozen: Mapping[str, Any], slots: Mapping[str, str], values: Mapping[str, str]) -> Filled:
    """Fill in one person's values; PlaceholderError names the slot if the result is longer than WhatsApp takes."""
    components = frozen["components"]
    texts: dict[str, str] = {}
    empty: list[str] = []
    missing: dict[str, None] = {}
    for slot in slots_of(components):
        try:
            rendered = personalise.render(slots.get(slot.name, ""), values)
        except PlaceholderError as error:
            raise PlaceholderError(f"{slot.name}: {error}") from None
        text = texts[slot.name] = _NOT_IN_A_PARAMETER.sub(" ", rendered.text).strip()
        missing.update(dict.fromkeys(rendered.empty))
        if slot.required and not text:
            empty.append(slot.name)
    preview = preview_of(frozen, texts)
    if empty:
        return Filled({}, preview.body, tuple(empty), tuple(missing))
    _refuse_too_long(components, preview, texts)
    return Filled(content_of(frozen, texts), preview.body, (), tuple(missing))


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
        body=_put_in("body", str(body.get("text") or ""), texts),
        footer=str(footer.get("text") or ""),
        buttons=tuple(
            str(each.get("text") or word(each, "type").replace("_", " ").title()) for each in buttons_of(components)
        ),
    )


def _header_preview(header: Component, texts: Mapping[str, str]) -> str:
    format_ = word(header, "format")
    if format_ in ("", "TEXT"):
        return _put_in("header", str(header.get("text") or ""), texts)
    if format_ == "LOCATION":
        return texts.get("header.name") or texts.get("header.address") or "Location"
    return texts.get("header.filename") or texts.get(f"header.{format_.lower()}") or format_.title()


def _put_in(prefix: str, text: str, texts: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: texts.get(f"{prefix}.{found[1]}") or found[0], text)


def _refuse_too_long(components: Sequence[Component], preview: PreviewText, texts: Mapping[str, str]) -> None:
    lengths = [("the body", len(preview.body), LONGEST_BODY)]
    if word(component_of(components, "HEADER") or {}, "format") == "TEXT":
        lengths.append(("the header", len(preview.header), LONGEST_HEADER))
    for name, text in texts.items():
        if name.startswith("button."):
            lengths.append((name, len(text), _LONGEST_BY_ENDING.get(name.rsplit(".", 1)[-1], LONGEST_URL)))
    for place, length, longest in lengths:
        if length > longest:
            raise PlaceholderError(
                f"{place} is {length:,} characters with this person's values, WhatsApp takes {longest:,}. Shorten it."
            )


def _unusable(components: Sequence[Component]) -> list[str]:
    """What of the template itself cannot be sent, whatever the texts."""
    found = [
        f"The template has a {word(each, 'type') or 'nameless'} component. Choose one of header, body, footer, buttons."
        for each in components
        if word(each, "type") not in KNOWN
    ]
    header = component_of(components, "HEADER")
    if header and (format_ := word(header, "format")) not in HEADER_FORMATS:
        found.append(f"The template's header has the format {format_ or 'none'}. Choose one with text or media.")
    if component_of(components, "BODY") is None:
        found.append("The template has no body, which every WhatsApp template must have. Fetch it again.")
    for each in components:
        numbers = sorted(int(name) for name in variables(str(each.get("text") or "")) if name.isdecimal())
        if numbers and numbers != list(range(1, len(numbers) + 1)):
            found.append(f"The template's {word(each, 'type').lower()} skips a number in {{{{1}}}}, {{{{2}}}}, … .")
    return found


def _value_problems(name: str, text: str) -> list[str]:
    if name in _MEDIA_SLOTS and "<<" not in text and not re.fullmatch(r"https://\S+|\d+", text.strip()):
        return [f"{name}: is neither an https:// address nor the number of an uploaded file. Give one of them."]
    longest = _LONGEST_BY_ENDING.get(name.rsplit(".", 1)[-1]) if name.startswith("button.") else None
    if longest and "<<" not in text and len(text) > longest:
        return [f"{name}: is longer than {longest} characters. Shorten it."]
    return []


def _slots_told(known: Mapping[str, Slot]) -> str:
    return f"Its slots are {', '.join(known)}." if known else "It has none."
