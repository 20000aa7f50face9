"""What a new template must look like (Graph API, "Create message template")."""

import re
from collections.abc import Mapping
from typing import Any

from simulator.config import Template
from simulator.graph import GraphError
from simulator.slots import SLOT
from simulator.template_buttons import check_buttons
from simulator.template_codes import read_code

NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,4})?")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
FORMATS = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
KINDS = ("HEADER", "BODY", "FOOTER", "BUTTONS")
LIMITS: dict[str, tuple[int, int]] = {"HEADER": (60, 2388047), "BODY": (1024, 2388040), "FOOTER": (60, 2388073)}
"""Component: characters of its text, and the subcode for more."""
EDGE = re.compile(r"^\s*\{\{|\}\}\s*$")
HANDLES = {False: re.compile(r"\d+::\S+"), True: re.compile(r"https?://\S+")}
"""Whether samples of files are links at this provider: what one looks like."""

Part = dict[str, Any]


def read_template(waba_id: str, given: Part, *, by_link: bool = False) -> Template:
    name, language = str(given.get("name", "")), str(given.get("language", ""))
    category, form = str(given.get("category", "")).upper(), str(given.get("parameter_format", "POSITIONAL")).upper()
    if not NAME.fullmatch(name):
        raise GraphError(100, "Param name must have lower-case letters, digits and underscores only, at most 512.")
    if not LANGUAGE.fullmatch(language):
        raise GraphError(100, "Param language must be a supported locale code.")
    if category not in CATEGORIES:
        raise GraphError(100, f"Param category must be one of {{{', '.join(CATEGORIES)}}}.")
    if form not in {"NAMED", "POSITIONAL"}:
        raise GraphError(100, "Param parameter_format must be one of {NAMED, POSITIONAL}.")
    components = read_components(given.get("components"), category, named=form == "NAMED", by_link=by_link)
    return Template(waba_id, name, language, category, "PENDING", form, components)


def read_components(components: object, category: str, *, named: bool, by_link: bool) -> list[Part]:
    """As they are kept: types and formats in upper case."""
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        raise GraphError(100, "The parameter components is required.")
    if category == "AUTHENTICATION":
        return read_code(components)
    kinds = [str(part.get("type", "")).upper() for part in components]
    if "BODY" not in kinds:
        raise GraphError(100, "A template needs a component of type BODY.", subcode=2388043)
    if unknown := set(kinds) - set(KINDS):
        raise GraphError(100, f"Param components has an unexpected type {', '.join(sorted(unknown))}.")
    for kind, part in zip(kinds, components, strict=True):
        part["type"] = kind
        if kind == "BUTTONS":
            check_buttons(part)
        else:
            _check_text(kind, part, named=named, by_link=by_link)
    return components


def _check_text(kind: str, part: Part, *, named: bool, by_link: bool) -> None:
    if kind == "HEADER":
        part["format"] = str(part.get("format", "TEXT")).upper()
        if part["format"] not in FORMATS:
            raise GraphError(100, f"Param format must be one of {{{', '.join(FORMATS)}}}.", subcode=2388047)
        if part["format"] != "TEXT":
            _check_sample(part, by_link=by_link)
            return
    text = str(part.get("text", ""))
    most, subcode = LIMITS[kind]
    if len(text) > most:
        raise GraphError(
            100, f"The {kind} text may have at most {most} characters.", subcode=subcode, title="Text too long"
        )
    if not text.strip():
        raise GraphError(100, f"The {kind} text is required.", subcode=2388043)
    slots = list(dict.fromkeys(SLOT.findall(text)))
    if slots and kind == "FOOTER":
        raise GraphError(
            100, "The FOOTER takes no variables.", subcode=2388073, title="Variables can't be in the footer"
        )
    if kind == "HEADER" and len(slots) > 1:
        raise GraphError(100, "The HEADER takes one variable.", subcode=2388047, title="Too many variables")
    _check_slots(kind, text, slots, part, named=named)


def _check_slots(kind: str, text: str, slots: list[str], part: Part, *, named: bool) -> None:
    if slots and not named and slots != [str(number) for number in range(1, len(slots) + 1)]:
        raise GraphError(100, f"The {kind} variables must be {{{{1}}}}, {{{{2}}}} and so on.", subcode=2388043)
    if kind == "BODY" and EDGE.search(text):
        raise GraphError(
            100,
            "Variables can't be at the start or end of the template.",
            subcode=2388299,
            title="Leading or trailing params not allowed",
        )
    if slots and sorted(_examples(kind.lower(), part.get("example"), named=named)) != sorted(slots):
        raise GraphError(
            100,
            f"The {kind} has variables and needs an example for each.",
            subcode=2388043,
            title="Message template is missing expected field(s)",
        )


def _examples(place: str, example: object, *, named: bool) -> list[str]:
    """The variables that have one."""
    example = example if isinstance(example, Mapping) else {}
    if named:
        return [str(each.get("param_name")) for each in example.get(f"{place}_text_named_params") or () if each]
    listed = example.get(f"{place}_text") or []
    listed = listed[0] if listed and isinstance(listed[0], list) else listed
    return [str(number) for number, text in enumerate(listed, 1) if text]


def _check_sample(part: Part, *, by_link: bool) -> None:
    """A place needs none."""
    if part["format"] == "LOCATION":
        return
    handles = (part.get("example") or {}).get("header_handle") or [""]
    if not HANDLES[by_link].fullmatch(str(handles[0])):
        raise GraphError(
            100,
            f"A HEADER of the format {part['format']} needs a sample in example.header_handle.",
            subcode=2388043,
            title="Message template is missing expected field(s)",
        )
