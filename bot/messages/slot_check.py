"""Whether texts can fill a template's slots, asked before anything is sent."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from bot.messages import personalise
from bot.messages.components import (
    HEADER_FORMATS,
    KNOWN,
    LONGEST_CODE,
    LONGEST_PAYLOAD,
    Component,
    Slot,
    component_of,
    slots_of,
    variables,
    word,
)

LONGEST_BY_ENDING: Final = {"payload": LONGEST_PAYLOAD, "code": LONGEST_CODE}
"""Last word of a button's slot → characters it takes."""

_MEDIA_SLOTS: Final = frozenset({"header.image", "header.video", "header.document"})

_DEGREES: Final = {"header.latitude": 90, "header.longitude": 180}
"""The slots of a place → how far from zero they go."""


def check_slots(components: Sequence[Component], slots: Mapping[str, str]) -> list[str]:
    """Everything that keeps these texts from filling this template, a sentence each, the slot first."""
    found = _unusable(components)
    if found:
        return found
    known = {slot.name: slot for slot in slots_of(components)}
    is_text = word(component_of(components, "HEADER") or {}, "format") in {"", "TEXT"}
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
        if not (is_text and name.startswith("header.")):  # there a variable may be called image or latitude
            found += _value_problems(name, text)
    return found


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
    most = _DEGREES.get(name)
    if most is not None and "<<" not in text and not _is_within(text, most):
        return [f"{name}: is no number of degrees from -{most} to {most}. Write one, such as 30.05."]
    if name in _MEDIA_SLOTS and "<<" not in text and not re.fullmatch(r"https://\S+|\d+", text.strip()):
        return [f"{name}: is neither an https:// address nor the number of an uploaded file. Give one of them."]
    longest = LONGEST_BY_ENDING.get(name.rsplit(".", 1)[-1]) if name.startswith("button.") else None
    if longest and "<<" not in text and len(text) > longest:
        return [f"{name}: is longer than {longest} characters. Shorten it."]
    return []


def _is_within(text: str, most: int) -> bool:
    try:
        return abs(float(text)) <= most
    except ValueError:
        return False


def _slots_told(known: Mapping[str, Slot]) -> str:
    return f"Its slots are {', '.join(known)}." if known else "It has none."
