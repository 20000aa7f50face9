"""What a template wants filled, and whether a message fills it (Cloud API, "Template object")."""

import re
from collections.abc import Callable
from typing import Any

from simulator.config import Template
from simulator.graph import GraphError
from simulator.validate import check_location, check_media

SLOT = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
BAD_TEXT = re.compile(r"[\n\t]| {5,}")
MAX_BODY_ALONE = 32_768
MAX_BODY = 1024
MAX_HEADER = 60
NEEDS_PARAMETER = {"COPY_CODE": "coupon_code", "OTP": "text"}
NAMED_ALWAYS = {"FLOW": "action"}
"""Buttons that a message has to name, with a parameter of that type or none."""

Part = dict[str, Any]


class Shape:
    """The slots of one template, worked out once and not for every message."""

    __slots__ = (
        "alone",
        "body",
        "body_length",
        "button_count",
        "buttons",
        "header",
        "header_form",
        "header_length",
        "named",
        "to_name",
    )

    def __init__(self, template: Template) -> None:
        parts = {str(part.get("type", "")).upper(): part for part in template.components}
        header, body = parts.get("HEADER", {}), parts.get("BODY", {})
        self.named = template.parameter_format.upper() == "NAMED"
        self.header_form = str(header.get("format", "TEXT" if header else "")).upper()
        self.header, self.header_length = _slots_of(str(header.get("text", "")))
        self.body, self.body_length = _slots_of(str(body.get("text", "")))
        self.buttons = {index: wanted for index, wanted in _button_slots(parts.get("BUTTONS", {})) if wanted}
        self.to_name = {
            index: NAMED_ALWAYS[kind]
            for index, button in enumerate(parts.get("BUTTONS", {}).get("buttons", []))
            if (kind := str(button.get("type", "")).upper()) in NAMED_ALWAYS
        }
        self.button_count = len(parts.get("BUTTONS", {}).get("buttons", []))
        self.alone = set(parts) == {"BODY"}


def _slots_of(text: str) -> tuple[tuple[str, ...], int]:
    """Names of the slots in order of first mention, and the length of the text around them."""
    return tuple(dict.fromkeys(SLOT.findall(text))), len(SLOT.sub("", text))


def _button_slots(part: Part) -> list[tuple[int, str]]:
    """Index of each button and the type of parameter it must be given, if any."""
    slots = []
    for index, button in enumerate(part.get("buttons", [])):
        kind = str(button.get("type", "")).upper()
        wanted = "text" if kind == "URL" and SLOT.search(str(button.get("url", ""))) else NEEDS_PARAMETER.get(kind, "")
        slots.append((index, wanted))
    return slots


def check_parameters(shape: Shape, components: object) -> dict[str, Any]:
    """Raises GraphError 132000, 131008, 132012, 132018 or 132005; returns the values by component for the log."""
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        raise GraphError(100, "Param template['components'] must be an array of objects.")
    given: dict[str, list[Part]] = {"header": [], "body": []}
    buttons: dict[int, list[Part]] = {}
    for part in components:
        kind, parameters = str(part.get("type", "")).lower(), part.get("parameters", [])
        if not isinstance(parameters, list) or not all(isinstance(value, dict) for value in parameters):
            raise GraphError(100, f"Param template['components'] of type {kind}: parameters must be an array.")
        if kind == "button":
            buttons[_index_of(part)] = parameters
        elif kind in given:
            given[kind] = parameters
        elif kind not in {"footer", "carousel", "limited_time_offer", "order_status"}:
            raise GraphError(100, f"Param template['components'] has an unknown type {kind!r}.")
    values: dict[str, Any] = {}
    if shape.header_form or given["header"]:
        values["header"] = _check_header(shape, given["header"])
    values["body"] = _check_texts(shape, "body", shape.body, given["body"])
    _check_length(shape, "body", values["body"], MAX_BODY_ALONE if shape.alone else MAX_BODY)
    if shape.buttons or shape.to_name or buttons:
        values["buttons"] = _check_buttons(shape, buttons)
    return {name: value for name, value in values.items() if value}


def _index_of(part: Part) -> int:
    try:
        return int(part["index"])
    except (KeyError, TypeError, ValueError):
        raise GraphError(100, "A button component needs an index.") from None


def _check_header(shape: Shape, parameters: list[Part]) -> object:
    form = shape.header_form.lower()
    if form in {"", "text"}:
        texts = _check_texts(shape, "header", shape.header, parameters)
        _check_length(shape, "header", texts, MAX_HEADER)
        return texts
    _count("header", len(parameters), 1)
    if parameters[0].get("type") != form:
        raise GraphError(132012, f"header: Format mismatch, expected {shape.header_form}.")
    if form == "location":
        check_location(parameters[0])
    else:
        check_media(parameters[0].get(form), form)
    return [parameters[0].get(form)]


def _check_texts(
    shape: Shape, place: str, slots: tuple[str, ...], parameters: list[Part]
) -> dict[str, str] | list[str]:
    _count(place, len(parameters), len(slots))
    texts = [_text_of(parameter, place) for parameter in parameters]
    if not shape.named or not slots:
        return texts
    names = [parameter.get("parameter_name") for parameter in parameters]
    if not all(names):
        raise GraphError(100, f"{place}: Parameter name is missing or empty.")
    if set(names) != set(slots):
        raise GraphError(132012, f"{place}: the template's parameter names are {', '.join(slots)}.")
    return dict(zip(map(str, names), texts, strict=True))


def _text_of(parameter: Part, place: str) -> str:
    read = TEXTS.get(str(parameter.get("type")))
    if read is None:
        raise GraphError(132012, f"{place}: Format mismatch, expected TEXT.")
    text = read(parameter)
    if not isinstance(text, str) or not text.strip():
        raise GraphError(131008, f"{place}: Parameter of type text is missing text value.")
    if BAD_TEXT.search(text):
        raise GraphError(
            132018, f"{place}: Param text cannot have new-line/tab characters or more than 4 consecutive spaces."
        )
    return text


TEXTS: dict[str, Callable[[Part], object]] = {
    "text": lambda parameter: parameter.get("text"),
    "currency": lambda parameter: (parameter.get("currency") or {}).get("fallback_value"),
    "date_time": lambda parameter: (parameter.get("date_time") or {}).get("fallback_value"),
}


def _check_length(shape: Shape, place: str, texts: dict[str, str] | list[str], most: int) -> None:
    values = texts.values() if isinstance(texts, dict) else texts
    length = (shape.body_length if place == "body" else shape.header_length) + sum(map(len, values))
    if length > most:
        raise GraphError(132005, f"{place}: translated text has {length} characters, at most {most} are allowed.")


def _check_buttons(shape: Shape, given: dict[int, list[Part]]) -> dict[str, list[Any]]:
    for index in given:
        if not 0 <= index < shape.button_count:
            raise GraphError(132018, f"The template has no button at index {index}.")
    for index, wanted in shape.buttons.items():
        parameters = given.get(index, [])
        _count(f"button at index {index}", len(parameters), 1)
        if parameters[0].get("type") != wanted:
            raise GraphError(132012, f"button at index {index}: Format mismatch, expected {wanted}.")
        if not parameters[0].get(wanted):
            raise GraphError(131008, f"Button at index {index} of type Url requires a parameter.")
    for index, wanted in shape.to_name.items():
        if index not in given:
            raise GraphError(131009, f"Button at index {index} of type Flow is not named in the message.")
        if any(parameter.get("type") != wanted for parameter in given[index]):
            raise GraphError(132012, f"button at index {index}: Format mismatch, expected {wanted}.")
    return {
        str(index): [next((value for name, value in p.items() if name != "type"), None) for p in parameters]
        for index, parameters in given.items()
    }


def _count(place: str, given: int, wanted: int) -> None:
    if given != wanted:
        raise GraphError(
            132000,
            f"{place}: number of localizable_params ({given}) does not match the expected number of params ({wanted})",
        )
