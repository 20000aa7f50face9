"""Twilio's templates: content of its Content API, with what WhatsApp said of it (Twilio, "Content API").

A template's name in Backchat is `<name>.<ContentSid>`, because Twilio sends by the sid and people read names.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from bot.providers import cloud_answers, cloud_json
from bot.providers.base import Account, AnswerError, HttpRequest, TemplateMaker, TemplatePage
from bot.providers.cloud_identity import text_of
from bot.providers.cloud_items import part_of
from bot.providers.twilio_answers import meaning

PAGE = 100

_API, _CONTENT_API = "https://api.", "https://content."
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")

Part = Mapping[str, Any]


class TwilioContent:
    maker: TemplateMaker | None = None

    def request(self, account: Account, after: str | None, name: str | None = None) -> HttpRequest:  # noqa: ARG002 (it lists all)
        """The Content API is a host of its own beside `api.`; elsewhere (a simulator) it is where the rest is."""
        base = account.base_url
        if base.startswith(_API):
            base = _CONTENT_API + base.removeprefix(_API)
        url = f"{base}/v1/ContentAndApprovals?{after or urlencode({'PageSize': PAGE})}"
        return HttpRequest("GET", url, login(account), b"")

    def page(self, status: int, body: bytes) -> TemplatePage:
        """Raises AnswerError."""
        answer = cloud_answers.read(body)
        listed = answer.get("contents")
        if not 200 <= status < 300:
            code = answer.get("code")
            why = f"error {code}: {meaning(code)}" if isinstance(code, int) else f"HTTP {status} without a reason"
            raise AnswerError(f"Twilio refused with {why}.")
        if not isinstance(listed, list) or not cloud_json.is_storable(answer):
            raise AnswerError("The answer is not a list of templates: check the connection's base URL.")
        following = part_of(answer, "meta").get("next_page_url")
        after = urlsplit(following).query if isinstance(following, str) else None
        documents = (_document(content) for content in listed if isinstance(content, dict))
        return TemplatePage(tuple(each for each in documents if each), after or None)


def login(account: Account) -> dict[str, str]:
    pair = f"{account.account_id}:{account.secrets['auth_token']}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _document(content: Part) -> dict[str, Any] | None:
    sid, approval = text_of(content, "sid"), part_of(content, "approval_requests")
    name = text_of(approval, "name") or text_of(content, "friendly_name")
    if sid is None:
        return None
    components = [each for kind, part in part_of(content, "types").items() for each in _components(kind, part)]
    body = next((each["text"] for each in components if each["type"] == "BODY"), "")
    is_named = any(not variable.isdecimal() for variable in _VARIABLE.findall(body))
    told = {
        "id": sid,
        "name": f"{name}.{sid}" if name else sid,
        "language": text_of(content, "language") or "en",
        "status": (text_of(approval, "status") or "unsubmitted").upper(),
        "category": (text_of(approval, "category") or "").upper() or None,
        "parameter_format": "NAMED" if is_named else "POSITIONAL",
        "rejected_reason": text_of(approval, "rejection_reason"),
        "components": components,
    }
    return {key: value for key, value in told.items() if value is not None}


def _components(kind: str, part: object) -> Iterator[dict[str, Any]]:
    """The body and its buttons; with a variable anywhere else the kind itself, which nobody can choose then."""
    if not isinstance(part, dict):
        return
    place = "body" if "body" in part else "title"
    rest = {key: value for key, value in part.items() if key != place}
    if _VARIABLE.search(orjson.dumps(rest).decode()):
        yield {"type": kind.upper()}
    if isinstance(text := part.get(place), str):
        yield {"type": "BODY", "text": text}
    actions = part.get("actions")
    if buttons := [_button(each) for each in actions if isinstance(each, dict)] if isinstance(actions, list) else []:
        yield {"type": "BUTTONS", "buttons": buttons}


def _button(action: Part) -> dict[str, Any]:
    told = {
        "type": (text_of(action, "type") or "quick_reply").upper(),
        "text": action.get("title"),
        "url": action.get("url"),
        "phone_number": action.get("phone"),
    }
    return {key: value for key, value in told.items() if value is not None}
