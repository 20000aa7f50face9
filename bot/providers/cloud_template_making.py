"""Making, editing and deleting templates by the Graph API (Meta, "Template management", "Resumable upload")."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from bot.providers import cloud_answers, cloud_json
from bot.providers import cloud_identity as identity
from bot.providers.base import (
    Account,
    HttpRequest,
    Sample,
    TemplateMaker,
    TemplateReceipt,
    TemplateRefusedError,
)
from bot.providers.cloud_codes import MEANINGS
from bot.providers.cloud_graph import GraphTemplates
from bot.providers.cloud_items import part_of, sentence

IS_THERE: Final = 2388024

_SUBCODES: Final[Mapping[int, tuple[str, str | None]]] = {
    IS_THERE: ("A template of this name and language is there already: choose another name or language.", "name"),
    2388023: ("The name was deleted a short while ago and is locked for 30 days: choose another one.", "name"),
    2388019: ("The account has as many templates as it may have: delete some that nobody uses.", None),
    2388040: ("A text is longer than WhatsApp takes: shorten it.", "body"),
    2388047: ("The header is not as WhatsApp wants it: look at its text, its variable and its sample.", "header"),
    2388072: ("The body is not as WhatsApp wants it: look at its variables and its line breaks.", "body"),
    2388073: ("The footer is not as WhatsApp wants it: it takes plain text without variables.", "footer"),
    2388293: ("The body has too many variables for so few words: write more around them, or drop some.", "body"),
    2388299: ("The body begins or ends with a variable: put words before and after it.", "body"),
    2388043: ("Something is missing, such as an example of a variable or a sample of the header.", None),
    2388003: ("An approved template can be edited once in 24 hours and ten times in 30 days: wait.", None),
    2593002: ("WhatsApp does not know this template, or it cannot be changed as it stands: refresh it.", None),
}
"""Subcode of a refusal → what it means with its remedy, and the part of the template that it is about."""

_CODES: Final = {
    80008: "WhatsApp takes no more calls for templates of this account in this hour: try again later.",
    4: "WhatsApp takes no more calls of this app in this hour: try again later.",
}
_MAX_WORDS = 500
_FORM = {"Content-Type": "application/json"}


class GraphTemplateMaker(GraphTemplates):
    edits = True
    unpauses = True
    samples_by_link = False

    @property
    def maker(self) -> TemplateMaker | None:
        """It is both: the list, and who adds to it."""
        return self

    def create(self, account: Account, document: Mapping[str, Any]) -> HttpRequest:
        return HttpRequest("POST", self.list_url(account), self.headers(account) | _FORM, orjson.dumps(document))

    def edit(self, account: Account, template_id: str, document: Mapping[str, Any]) -> HttpRequest:
        told = {name: document[name] for name in ("category", "components") if name in document}
        url = f"{account.base_url}/{template_id}"
        return HttpRequest("POST", url, self.headers(account) | _FORM, orjson.dumps(told))

    def delete(self, account: Account, name: str, template_id: str | None) -> HttpRequest:
        asked = {"name": name} | ({"hsm_id": template_id} if template_id else {})
        return HttpRequest("DELETE", f"{self.list_url(account)}?{urlencode(asked)}", self.headers(account), b"")

    def unpause(self, account: Account, template_id: str) -> HttpRequest:
        return HttpRequest("POST", f"{account.base_url}/{template_id}/unpause", self.headers(account), b"")

    def unpaused(self, status: int, body: bytes) -> None:
        """A refusal may come as a success that is none, with its reason (Meta, "Template pausing")."""
        answer = _answer(status, body)
        if answer.get("success") is not True:
            told = identity.text_of(answer, "reason")
            reason = sentence(told[:_MAX_WORDS]) if told else "It does not say why."
            raise TemplateRefusedError(f"WhatsApp does not take the pause back: {reason}")

    def receipt(self, status: int, body: bytes) -> TemplateReceipt:
        answer = _answer(status, body)
        told = {name: identity.text_of(answer, name) for name in ("id", "status", "category")}
        return TemplateReceipt(told["id"], _upper(told["status"]), _upper(told["category"]))

    def open_sample(self, account: Account, sample: Sample) -> HttpRequest:
        """`app` is the app that the token belongs to."""
        asked = {"file_name": sample.name, "file_length": len(sample.content), "file_type": sample.mime_type}
        return HttpRequest("POST", f"{account.base_url}/app/uploads?{urlencode(asked)}", self.headers(account), b"")

    def send_sample(self, account: Account, opened: tuple[int, bytes], sample: Sample) -> HttpRequest:
        session = identity.text_of(_answer(*opened), "id")
        if session is None or not session.startswith("upload:"):
            raise TemplateRefusedError("WhatsApp opened no upload for the sample: try again.", "header.sample")
        headers = {"Authorization": f"OAuth {account.secrets['access_token']}", "file_offset": "0"}
        return HttpRequest("POST", f"{account.base_url}/{session}", headers, sample.content)

    def handle(self, status: int, body: bytes) -> str:
        told = identity.text_of(_answer(status, body), "h")
        if told is None:
            raise TemplateRefusedError("WhatsApp gave the sample no handle: try again.", "header.sample")
        return told


def _answer(status: int, body: bytes) -> dict[str, Any]:
    """Raises TemplateRefusedError, with the provider's own words for people where it has some."""
    answer = cloud_answers.read(body)
    if 200 <= status < 300 and answer and cloud_json.is_storable(answer):
        return answer
    error = part_of(answer, "error")
    code, subcode = error.get("code"), error.get("error_subcode")
    if not isinstance(code, int):
        raise TemplateRefusedError(f"The provider answered HTTP {status} without a reason: check the base URL.")
    text, place = _SUBCODES.get(subcode if isinstance(subcode, int) else 0, (None, None))
    meaning = text or _CODES.get(code) or _told(error) or MEANINGS.get(code) or "it does not say why"
    own = identity.text_of(error, "error_user_msg")
    if own and text:
        meaning = f"{meaning} It says: {sentence(own[:_MAX_WORDS])}"
    number = f"{code}/{subcode}" if subcode else str(code)
    raise TemplateRefusedError(
        f"The provider refused ({number}): {meaning}", place, is_there=code == 100 and subcode == IS_THERE
    )


def _told(error: Mapping[str, Any]) -> str | None:
    words = identity.text_of(error, "error_user_msg") or identity.text_of(part_of(error, "error_data"), "details")
    words = words or identity.text_of(error, "message")
    return sentence(words[:_MAX_WORDS]) if words else None


def _upper(word: str | None) -> str | None:
    return word.upper() if word else None
