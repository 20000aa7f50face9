"""What an approved template is made of and where values go in, after the Cloud API's template components.

Components come as the Graph API lists them: HEADER (TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION), BODY, FOOTER, BUTTONS.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

VARIABLE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")

LONGEST_BODY: Final = 1024
LONGEST_HEADER: Final = 60
LONGEST_URL: Final = 2000
LONGEST_PAYLOAD: Final = 256
LONGEST_CODE: Final = 15

KNOWN: Final = frozenset({"HEADER", "BODY", "FOOTER", "BUTTONS"})
HEADER_FORMATS: Final = frozenset({"TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"})

_PLACE_PARTS = (("latitude", True), ("longitude", True), ("name", False), ("address", False))
_UNSAFE_IN_URL = "/?#[]@!$&'()*+,;=:%~"
"""Kept as they are in a URL's last part: an author may have escaped it already."""

Component = Mapping[str, Any]
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value: "header.1", "header.image", "body.1", "body.name", "button.0.1", "button.1.payload"."""

    name: str
    where: str
    """For people: "body", "header", "button Open"."""
    example: str | None = None
    required: bool = True


def word(component: Component, key: str) -> str:
    """A type or format in upper case: the API answers in it, its documentation writes lower case."""
    return str(component.get(key) or "").upper()


def buttons_of(components: Sequence[Component]) -> list[Component]:
    return [button for each in components if word(each, "type") == "BUTTONS" for button in each.get("buttons") or ()]


def component_of(components: Sequence[Component], type_: str) -> Component | None:
    return next((each for each in components if word(each, "type") == type_), None)


def slots_of(components: Sequence[Component]) -> tuple[Slot, ...]:
    """Every slot, in the order a reader meets them."""
    header, body = component_of(components, "HEADER"), component_of(components, "BODY")
    found = list(_header_slots(header)) if header else []
    found += _text_slots("body", "body", body) if body else []
    for index, button in enumerate(buttons_of(components)):
        found += _button_slots(index, button)
    return tuple(found)


@lru_cache(maxsize=512)
def variables(text: str) -> tuple[str, ...]:
    """Names in `{{…}}`, each once, in order of appearance."""
    return tuple(dict.fromkeys(VARIABLE.findall(text)))


def _header_slots(header: Component) -> Iterator[Slot]:
    format_ = word(header, "format")
    if format_ == "TEXT":
        yield from _text_slots("header", "header", header)
    elif format_ == "LOCATION":
        for part, required in _PLACE_PARTS:
            yield Slot(f"header.{part}", "header", required=required)
    else:
        yield Slot(f"header.{format_.lower()}", "header", _first((header.get("example") or {}).get("header_handle")))
        if format_ == "DOCUMENT":
            yield Slot("header.filename", "header", required=False)


def _text_slots(prefix: str, where: str, component: Component) -> list[Slot]:
    examples = _examples(prefix, component.get("example") or {})
    names = variables(str(component.get("text") or ""))
    return [Slot(f"{prefix}.{name}", where, examples.get(name)) for name in names]


def _examples(prefix: str, example: Mapping[str, Any]) -> dict[str, str]:
    named = example.get(f"{prefix}_text_named_params") or ()
    listed = example.get(f"{prefix}_text") or ()
    if listed and isinstance(listed[0], list):
        listed = listed[0]
    return {str(index): str(text) for index, text in enumerate(listed, 1)} | {
        str(each.get("param_name")): str(each.get("example")) for each in named
    }


def _button_slots(index: int, button: Component) -> list[Slot]:
    where = f"button {button.get('text') or index + 1}"
    match word(button, "type"):
        case "URL":
            example = _first(button.get("example"))
            return [Slot(f"button.{index}.1", where, example)] if VARIABLE.search(str(button.get("url") or "")) else []
        case "OTP":
            return [Slot(f"button.{index}.1", where)]
        case "QUICK_REPLY":
            return [Slot(f"button.{index}.payload", where, required=False)]
        case "COPY_CODE":
            return [Slot(f"button.{index}.code", where, _first(button.get("example")))]
        case "FLOW":
            return [Slot(f"button.{index}.flow_token", where, required=False)]
    return []


def _first(example: object) -> str | None:
    if isinstance(example, list):
        example = example[0] if example else None
    return None if example is None else str(example)


def parameters_of(components: Sequence[Component], texts: Texts, *, named: bool) -> list[dict[str, Any]]:
    """The `components` of a send; a part without values is left out, as the API wants it for static parts."""
    header, body = component_of(components, "HEADER"), component_of(components, "BODY")
    sent: list[dict[str, Any]] = []
    if header and (given := _header_parameters(header, texts, named=named)):
        sent.append({"type": "header", "parameters": given})
    if body and (given := _text_parameters("body", body, texts, named=named)):
        sent.append({"type": "body", "parameters": given})
    for index, button in enumerate(buttons_of(components)):
        if chosen := _button_parameter(index, button, texts):
            sub_type, parameter = chosen
            sent.append({"type": "button", "sub_type": sub_type, "index": str(index), "parameters": [parameter]})
        elif word(button, "type") in _ALWAYS_NAMED:
            sent.append({"type": "button", "sub_type": word(button, "type").lower(), "index": str(index)})
    return sent


def _header_parameters(header: Component, texts: Texts, *, named: bool) -> list[dict[str, Any]]:
    format_ = word(header, "format").lower()
    if format_ == "text":
        return _text_parameters("header", header, texts, named=named)
    if format_ == "location":
        parts = {part: texts[f"header.{part}"] for part, _ in _PLACE_PARTS if texts.get(f"header.{part}")}
        return [{"type": "location", "location": parts}]
    source = texts[f"header.{format_}"]
    media = {"link" if "://" in source else "id": source}
    if filename := texts.get("header.filename"):
        media["filename"] = filename
    return [{"type": format_, format_: media}]


def _text_parameters(prefix: str, component: Component, texts: Texts, *, named: bool) -> list[dict[str, Any]]:
    names = variables(str(component.get("text") or ""))
    if named:
        return [{"type": "text", "parameter_name": name, "text": texts[f"{prefix}.{name}"]} for name in names]
    ordered = sorted(names, key=lambda name: (len(name), name))
    return [{"type": "text", "text": texts[f"{prefix}.{name}"]} for name in ordered]


_ALWAYS_NAMED: Final = frozenset({"FLOW"})
"""Buttons that a send has to name even if nothing fills them: without that the API refuses it (error 131009)."""

_BUTTONS: Final[dict[str, tuple[str, str, Callable[[str], dict[str, Any]]]]] = {
    "URL": ("url", "1", lambda text: {"type": "text", "text": quote(text, safe=_UNSAFE_IN_URL)}),
    "OTP": ("url", "1", lambda text: {"type": "text", "text": text}),
    "QUICK_REPLY": ("quick_reply", "payload", lambda text: {"type": "payload", "payload": text}),
    "COPY_CODE": ("copy_code", "code", lambda text: {"type": "coupon_code", "coupon_code": text}),
    "FLOW": ("flow", "flow_token", lambda text: {"type": "action", "action": {"flow_token": text}}),
}
"""Type of a button → sub_type of its parameter, the slot that fills it, and how."""


def _button_parameter(index: int, button: Component, texts: Texts) -> tuple[str, dict[str, Any]] | None:
    known = _BUTTONS.get(word(button, "type"))
    if known is None:
        return None
    sub_type, slot, parameter = known
    text = texts.get(f"button.{index}.{slot}", "")
    return (sub_type, parameter(text)) if text else None
