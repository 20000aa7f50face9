"""Limits of interactive messages (Cloud API reference, "Interactive object")."""

from collections.abc import Callable
from typing import Any

from simulator.graph import GraphError

Part = dict[str, Any]


def check_interactive(interactive: Part) -> None:
    """Raises 100 for a missing member and 131009 for one that is too long, too many or repeated."""
    kind = interactive.get("type")
    if kind not in CHECKS:
        raise GraphError(100, f"Param interactive['type'] must be one of {{{', '.join(sorted(CHECKS)).upper()}}}.")
    check, body_limit = CHECKS[kind]
    _sized(_part(interactive, "body"), "text", "Body text", body_limit)
    if "footer" in interactive:
        _sized(_part(interactive, "footer"), "text", "Footer text", 60)
    if "header" in interactive:
        _check_header(_part(interactive, "header"), kind)
    check(_part(interactive, "action"))


def _check_header(header: Part, kind: str) -> None:
    form = header.get("type")
    allowed = {"text"} if kind == "list" else {"text", "image", "video", "document"}
    if form not in allowed:
        raise GraphError(131009, f"Header type must be one of {', '.join(sorted(allowed))}.")
    if form == "text":
        _sized(header, "text", "Header text", 60)
    elif not isinstance(header.get(form), dict) or not {"id", "link"} & header[form].keys():
        raise GraphError(100, f"Param header['{form}'] must have an id or a link.")


def _check_buttons(action: Part) -> None:
    buttons = _items(action, "buttons", 3)
    replies = []
    for button in buttons:
        if button.get("type") != "reply":
            raise GraphError(100, "Param button['type'] must be one of {REPLY}.")
        reply = _part(button, "reply")
        _sized(reply, "id", "Button id", 256)
        _sized(reply, "title", "Button title", 20)
        replies.append(reply)
    _unlike(replies, "id", "Button ids")
    _unlike(replies, "title", "Button titles")


def _check_list(action: Part) -> None:
    _sized(action, "button", "List button", 20)
    sections = _items(action, "sections", 10)
    rows: list[Part] = []
    for section in sections:
        if len(sections) > 1:
            _sized(section, "title", "Section title", 24)
        rows.extend(_items(section, "rows", 10))
    if len(rows) > 10:
        raise GraphError(131009, "Total row count exceed max allowed count: 10.")
    for row in rows:
        _sized(row, "id", "Row id", 200)
        _sized(row, "title", "Row title", 24)
        if row.get("description"):
            _sized(row, "description", "Row description", 72)
    _unlike(rows, "id", "Row ids")


def _check_url(action: Part) -> None:
    _named(action, "cta_url")
    parameters = _part(action, "parameters")
    _sized(parameters, "display_text", "Button text", 20)
    _sized(parameters, "url", "Url", 2000)


def _check_flow(action: Part) -> None:
    _named(action, "flow")
    parameters = _part(action, "parameters")
    if parameters.get("flow_message_version") != "3":
        raise GraphError(100, "Param flow_message_version must be one of {3}.")
    if bool(parameters.get("flow_id")) == bool(parameters.get("flow_name")):
        raise GraphError(100, "Exactly one of flow_id and flow_name is required.")
    _sized(parameters, "flow_cta", "Flow button", 30)


def _check_location_request(action: Part) -> None:
    _named(action, "send_location")


def _check_contact_request(action: Part) -> None:
    _named(action, "request_contact_info")


CHECKS: dict[str, tuple[Callable[[Part], None], int]] = {
    "button": (_check_buttons, 1024),
    "list": (_check_list, 4096),
    "cta_url": (_check_url, 1024),
    "flow": (_check_flow, 1024),
    "location_request_message": (_check_location_request, 1024),
    "request_contact_info": (_check_contact_request, 1024),
}
"""Kind of interactive message: the check of its action and the limit of its body text."""


def _part(whole: Part, name: str) -> Part:
    part = whole.get(name)
    if not isinstance(part, dict):
        raise GraphError(100, f"The parameter interactive['{name}'] is required.")
    return part


def _items(whole: Part, name: str, most: int) -> list[Part]:
    items = whole.get(name)
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise GraphError(100, f"The parameter {name} is required.")
    if len(items) > most:
        raise GraphError(131009, f"Invalid {name} count. Min allowed {name}: 1, Max allowed {name}: {most}.")
    return items


def _sized(part: Part, name: str, label: str, most: int) -> None:
    value = part.get(name)
    if not isinstance(value, str) or not value.strip():
        raise GraphError(100, f"{label} is required.")
    if len(value) > most:
        raise GraphError(131009, f"{label} length invalid. Min length: 1, Max length: {most}.")


def _named(action: Part, name: str) -> None:
    if action.get("name") != name:
        raise GraphError(100, f"Param action['name'] must be one of {{{name}}}.")


def _unlike(parts: list[Part], name: str, label: str) -> None:
    if len({part[name] for part in parts}) < len(parts):
        raise GraphError(131009, f"{label} must be unlike each other.")
