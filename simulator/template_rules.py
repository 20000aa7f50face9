"""What a new template must look like (Graph API, "Create message template")."""

import re
from typing import Any

from simulator.config import Template
from simulator.graph import GraphError
from simulator.slots import SLOT

NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,4})?")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
TEXT_LIMITS = {"HEADER": 60, "BODY": 1024, "FOOTER": 60}

Part = dict[str, Any]


def read_template(waba_id: str, given: Part) -> Template:
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
    components = given.get("components")
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        raise GraphError(100, "The parameter components is required.")
    kinds = [str(part.get("type", "")).upper() for part in components]
    if "BODY" not in kinds:
        raise GraphError(100, "A template needs a component of type BODY.", subcode=2388043)
    for kind, part in zip(kinds, components, strict=True):
        part["type"] = kind
        _check_component(kind, part, named=form == "NAMED")
    return Template(waba_id, name, language, category, "PENDING", form, components)


def _check_component(kind: str, part: Part, *, named: bool) -> None:
    text = str(part.get("text", ""))
    if kind in TEXT_LIMITS and len(text) > TEXT_LIMITS[kind]:
        raise GraphError(100, f"The {kind} text may have at most {TEXT_LIMITS[kind]} characters.", subcode=2388040)
    if kind == "BODY" and not text.strip():
        raise GraphError(100, "The BODY text is required.", subcode=2388043)
    slots = list(dict.fromkeys(SLOT.findall(text)))
    if slots and not part.get("example"):
        raise GraphError(100, f"The {kind} has variables and needs an example.", subcode=2388043)
    if slots and not named and slots != [str(number) for number in range(1, len(slots) + 1)]:
        raise GraphError(100, f"The {kind} variables must be {{{{1}}}}, {{{{2}}}} and so on.", subcode=2388043)
    if kind == "BUTTONS" and not 1 <= len(part.get("buttons", [])) <= 10:
        raise GraphError(100, "A template has 1 to 10 buttons.", subcode=2388043)
