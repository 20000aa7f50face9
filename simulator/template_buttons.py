"""What the buttons of a new template must look like (Graph API, "Template components")."""

import re
from collections import Counter
from typing import Any

from simulator.graph import GraphError
from simulator.slots import SLOT

MOST = 10
MOST_OF: dict[str, int] = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "FLOW": 1, "OTP": 1, "QUICK_REPLY": 10}
SUFFIX = re.compile(r"[^{}]+\{\{1\}\}")

Part = dict[str, Any]


def check_buttons(part: Part) -> None:
    buttons = part.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= MOST or not all(isinstance(b, dict) for b in buttons):
        raise _refusal(f"A template has 1 to {MOST} buttons.")
    for button in buttons:
        button["type"] = str(button.get("type", "")).upper()
        _check_button(button)
    kinds = [button["type"] for button in buttons]
    for kind, count in Counter(kinds).items():
        if count > MOST_OF[kind]:
            raise _refusal(f"A template has at most {MOST_OF[kind]} buttons of the type {kind}.")
    replies = [place for place, kind in enumerate(kinds) if kind == "QUICK_REPLY"]
    if replies and replies[-1] - replies[0] >= len(replies):
        raise _refusal("Quick reply buttons must stand together.", title="Invalid button order")


def _check_button(button: Part) -> None:
    kind, text = button["type"], str(button.get("text", ""))
    if kind not in MOST_OF:
        raise _refusal(f"Param buttons has an unexpected type {kind}.")
    if kind != "COPY_CODE" and not 1 <= len(text) <= 25:
        raise _refusal("A button's text has 1 to 25 characters.")
    if kind == "URL":
        _check_url(button)
    if kind == "PHONE_NUMBER" and not re.fullmatch(r"\+?\d{5,19}", str(button.get("phone_number", ""))):
        raise _refusal("phone_number must be a phone number of at most 20 characters.")
    if kind == "COPY_CODE" and not 1 <= len(_first(button.get("example"))) <= 15:
        raise _refusal("A code to copy needs an example of at most 15 characters.")
    if kind == "FLOW" and not any(button.get(member) for member in ("flow_id", "flow_name", "flow_json")):
        raise _refusal("A flow's button needs a flow_id, flow_name or flow_json.")


def _check_url(button: Part) -> None:
    url = str(button.get("url", ""))
    if not re.match(r"https?://", url) or len(url) > 2000:
        raise _refusal("url must be a web address of at most 2000 characters.")
    if SLOT.search(url):
        if not SUFFIX.fullmatch(url):
            raise _refusal("A url has one variable, {{1}}, at its end.")
        if not _first(button.get("example")):
            raise _refusal("A url with a variable needs an example.")


def _first(example: object) -> str:
    if isinstance(example, list):
        example = example[0] if example else ""
    return str(example or "")


def _refusal(details: str, title: str = "Invalid button") -> GraphError:
    return GraphError(100, details, subcode=2388043, title=title)
