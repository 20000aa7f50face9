"""A webhook of Twilio as events: a form, put into the Cloud API's shape and read as that (Twilio, "Webhook request").

Parameters come and go unannounced, so whatever is not known here is passed over. None of them tells a time.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.providers import form, twilio_answers
from bot.providers.base import QUERY
from bot.providers.cloud_identity import contacts_by_value, digits_of
from bot.providers.cloud_items import Item, ItemError, Surroundings
from bot.providers.cloud_kinds import MEDIA_KINDS
from bot.providers.cloud_messages import message_event
from bot.providers.cloud_statuses import status_event
from bot.providers.events import Event, Notice, Unreadable

MARK: Final = "mark"
"""The name in the query of the address for statuses that our mark on the message has."""

_CHANNEL = "whatsapp:"
_MAX_FILES = 10
_INBOUND = frozenset({"received", "receiving"})
_STATUSES = {"undelivered": "failed"}
"""Twilio's words that are not Meta's; queued, sending and the like are handed on."""

_REFERRAL = {
    "source_url": "ReferralSourceUrl",
    "source_id": "ReferralSourceId",
    "source_type": "ReferralSourceType",
    "headline": "ReferralHeadline",
    "body": "ReferralBody",
    "ctwa_clid": "ReferralCtwaClid",
}
_FORWARDED = {"forwarded": "Forwarded", "frequently_forwarded": "FrequentlyForwarded"}
_LIST_REPLY = {"id": "ListId", "title": "ListTitle", "description": "ListDescription"}

Fields = Mapping[str, str]


def parse(body: bytes, headers: Mapping[str, str]) -> list[Event]:
    """Never raises."""
    told = form.fields(body)
    try:
        if not any(told.get(end, "").startswith(_CHANNEL) for end in ("From", "To")):
            return [Notice("", "a message that is not WhatsApp's" if "From" in told else "a form without From", {})]
        if told.get("MessageStatus", "received") not in _INBOUND:
            return [_status(told, headers)]
        return list(_messages(told, form.received_at(headers)))
    except ValueError as error:
        return [Unreadable("", str(error), dict(told))]


def _status(told: Fields, headers: Mapping[str, str]) -> Event:
    word, code = told["MessageStatus"].lower(), told.get("ErrorCode", "")
    failure = {"code": code, "title": twilio_answers.meaning(int(code))} if _is_code(code) else None
    item = {
        "id": told.get("MessageSid"),
        "status": _STATUSES.get(word, word),
        "timestamp": form.received_at(headers),
        "recipient_id": _address(told, "To"),
        "biz_opaque_callback_data": form.fields(headers.get(QUERY, "").encode()).get(MARK),
        "errors": [failure] if failure else [],
    }
    return status_event("", item, _around(told, ours="From"))


def _messages(told: Fields, at: float) -> Iterator[Event]:
    """One, and one more for each file after the first, since a message of ours holds one."""
    around = _around(told, ours="To")
    count = told.get("NumMedia", "0")
    files = min(int(count), _MAX_FILES) if _is_code(count) else 0
    sid = told.get("MessageSid") or told.get("SmsMessageSid")
    if sid is None:
        raise ItemError("MessageSid is missing")
    for index in range(max(files, 1)):
        item = {
            "id": f"{sid}:{index}" if index else sid,
            "from": _address(told, "From") or told.get("WaId"),
            "from_user_id": told.get("ExternalUserId"),
            "timestamp": at,
            **_said(told, index if files else None),
            **_beside(told),
        }
        pointer = f"/MediaUrl{index}" if index else ""
        try:
            yield message_event(pointer, {key: value for key, value in item.items() if value is not None}, around)
        except ValueError as error:
            yield Unreadable(pointer, str(error), dict(told))


def _said(told: Fields, file: int | None) -> Item:
    """`type` and the part of that name."""
    body = told.get("Body")
    if file is not None:
        mime_type = told.get(f"MediaContentType{file}", "")
        part = {"url": told.get(f"MediaUrl{file}"), "mime_type": mime_type or None, "caption": None if file else body}
        return _part(_kind_of(mime_type, told), _without_nothing(part))
    if "ButtonText" in told or "ButtonPayload" in told:
        return _part("button", {"text": told.get("ButtonText", body), "payload": told.get("ButtonPayload")})
    if "ListId" in told:
        reply = {key: told.get(name) for key, name in _LIST_REPLY.items()}
        return _part("interactive", {"type": "list_reply", "list_reply": _without_nothing(reply)})
    if "Latitude" in told:
        place = {"latitude": _figure(told, "Latitude"), "longitude": _figure(told, "Longitude")}
        words = {"name": told.get("Label"), "address": told.get("Address")}
        return _part("location", _without_nothing(place | words))
    if body is None:
        return {"type": told.get("MessageType", "unsupported")}
    return _part("text", {"body": body})


def _beside(told: Fields) -> Item:
    context: dict[str, Any] = {"id": told.get("OriginalRepliedMessageSid")}
    context |= {key: True for key, name in _FORWARDED.items() if told.get(name, "").lower() == "true"}
    beside = {
        "context": _without_nothing(context),
        "referral": _without_nothing({key: told.get(name) for key, name in _REFERRAL.items()}) | _seen(told),
    }
    return {key: part for key, part in beside.items() if part}


def _seen(told: Fields) -> Item:
    """The picture or video of the advertisement."""
    kind, url = told.get("ReferralMediaContentType", "").partition("/")[0], told.get("ReferralMediaUrl")
    return {"media_type": kind, f"{kind}_url": url} if url and kind in {"image", "video"} else {}


def _around(told: Fields, *, ours: str) -> Surroundings:
    number = digits_of(_address(told, ours))
    if number is None:
        raise ItemError(f"{ours} is not a WhatsApp number")
    sender = {"wa_id": _address(told, "From") or told.get("WaId"), "user_id": told.get("ExternalUserId")}
    contact = sender | {"profile": {"name": told.get("ProfileName")}}
    return Surroundings(number, number, contacts_by_value({"contacts": [contact]}))


def _address(told: Fields, end: str) -> str | None:
    """Without the channel before it: a phone with +, or a user id."""
    return told.get(end, "").removeprefix(_CHANNEL) or None


def _kind_of(mime_type: str, told: Fields) -> str:
    """A sticker is told from a picture by `MessageType` alone."""
    kind, named = mime_type.partition("/")[0], told.get("MessageType", "")
    if named in MEDIA_KINDS:
        return named
    return kind if kind in {"image", "video", "audio"} else "document"


def _part(kind: str, part: Item) -> Item:
    return {"type": kind, kind: part}


def _without_nothing(part: Mapping[str, Any]) -> Item:
    return {key: value for key, value in part.items() if value is not None}


def _figure(told: Fields, name: str) -> float | str | None:
    written = told.get(name)
    try:
        return float(written) if written is not None else None
    except ValueError:
        return written


def _is_code(written: str) -> bool:
    return written.isascii() and written.isdecimal() and 0 < len(written) < 10
