"""The shape of the on-premises API, which Turn.io speaks too: bodies without an envelope, `errors` in answers.

A body names no business number, for an installation has one; nor does a status carry our mark, so it is known by id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson

from bot.providers import cloud_answers, cloud_identity, cloud_json, cloud_parse
from bot.providers.base import Account, AnswerError, HttpRequest, MediaLocation, OutboundMessage, Outcome
from bot.providers.cloud_items import Item, Surroundings, part_of
from bot.providers.cloud_statuses import code_of
from bot.providers.events import ONLY_NUMBER, Echo, Event, InboundMessage, MediaRef, Unreadable
from bot.providers.legacy_codes import ACTIONS, MEANINGS


def document_of(body: bytes) -> Item | Unreadable:
    try:
        document = cloud_json.read(body)
    except cloud_json.UnreadableBodyError as error:
        return Unreadable("", str(error))
    return document if isinstance(document, dict) else Unreadable("", "the body is not a JSON object")


def surroundings_of(document: Item) -> Surroundings:
    return Surroundings(ONLY_NUMBER, None, cloud_identity.contacts_by_value(document))


def events_of(document: Item) -> Iterator[Event]:
    """The lists of the document's top level, read as those of a Cloud API value."""
    statuses = document.get("statuses")
    if isinstance(statuses, list):
        document = document | {"statuses": [_with_recipient(status) for status in statuses]}
    for event in cloud_parse.events_of_value("", "messages", document, surroundings_of(document)):
        yield located(event)


def located(event: Event) -> Event:
    """With the address of the file, which follows from its id: this API hands files out without being asked where."""
    if isinstance(event, InboundMessage | Echo) and event.media is not None and event.media.id:
        return replace(event, media=replace(event.media, url=f"/v1/media/{quote(event.media.id, safe='')}"))
    return event


def request(account: Account, message: OutboundMessage, content: Mapping[str, Any], address: str) -> HttpRequest:
    """`content` as `translated` made it; `address` is the member that names the person."""
    to = message.to.removeprefix("+")  # these APIs know people by their WhatsApp id: digits
    body = {"recipient_type": "individual", address: to, **content}
    headers = bearer(account) | {"Content-Type": "application/json"}
    return HttpRequest("POST", f"{account.base_url}/v1/messages", headers, orjson.dumps(body))


def bearer(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.secrets['access_token']}"}


def translated(account: Account, content: Mapping[str, Any]) -> dict[str, Any]:
    """Cloud API content as this API wants it: the preview beside the text, a template with its namespace."""
    text, template, audio = content.get("text"), content.get("template"), part_of(content, "audio")
    if isinstance(text, dict):
        shown = {key: value for key, value in text.items() if key != "preview_url"}
        return {**content, "preview_url": bool(text.get("preview_url")), "text": shown}
    if isinstance(template, dict):
        language = {"policy": "deterministic", **part_of(template, "language")}
        return {**content, "template": {"namespace": account.account_id, **template, "language": language}}
    if "voice" in audio:  # it is one by its codec here
        return {**content, "audio": {key: value for key, value in audio.items() if key != "voice"}}
    return dict(content)


def outcome(status: int, body: bytes) -> Outcome:
    """Errors come as {"errors": [{"code": …}]} or as the Cloud API's {"error": {"code": …}}."""
    answer = cloud_answers.read(body)
    errors = answer.get("errors")
    listed = errors if isinstance(errors, list) else [answer.get("error")]
    first = next((code for error in listed if isinstance(error, dict) and (code := code_of(error)) is not None), None)
    answer = answer if first is None else answer | {"error": {"code": first}}
    return cloud_answers.outcome(status, answer, ACTIONS, MEANINGS)


class LegacyMedia:
    """Files by id at a fixed place; `url` of a MediaRef is that place, relative to the base URL."""

    def locate(self, account: Account, number_id: str, media: MediaRef) -> None:  # noqa: ARG002 (the contract)
        return None

    def location(self, account: Account, status: int, body: bytes) -> MediaLocation:  # noqa: ARG002 (the contract)
        raise AnswerError("This provider is never asked where a file is: it is at the address that its id makes.")

    def fetch(self, account: Account, url: str) -> HttpRequest:
        """The token goes to the installation itself; a link that a message brought along gets none."""
        if url.startswith("/"):
            return HttpRequest("GET", f"{account.base_url}{url}", bearer(account), b"")
        return HttpRequest("GET", url, {}, b"")


def _with_recipient(status: object) -> object:
    """Newer installations name the recipient within `message`."""
    told = part_of(status, "message").get("recipient_id") if isinstance(status, dict) else None
    return {"recipient_id": told, **status} if told is not None and isinstance(status, dict) else status
