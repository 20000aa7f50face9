"""Twilio's webhooks: a form for each message and each status (Twilio, "Webhook request")."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from simulator.config import Account, Number
from simulator.dialects.twilio_content import hex_of
from simulator.dialects.twilio_form import CODES
from simulator.people import digits_of
from simulator.updates import Piece, StatusUpdate

API = "2010-04-01"
UNDELIVERED = frozenset({131026, 131047, 131049})
"""Failures of the Cloud API that Twilio tells as `undelivered`."""
Told = dict[str, str]


def address_of(phone: str) -> str:
    return f"whatsapp:+{digits_of(phone)}"


def media_sid(media_id: str) -> str:
    return "ME" + media_id.encode().hex()


def media_id_of(sid: str) -> str:
    try:
        return bytes.fromhex(sid.removeprefix("ME")).decode()
    except ValueError:
        return ""


def status(account: Account, number: Number, update: StatusUpdate) -> bytes:
    sent, word = update.sent, update.status
    code = sent.failed_code or 131026
    if word == "failed" and code in UNDELIVERED:
        word = "undelivered"
    told = {
        "SmsSid": sent.wamid,
        "SmsStatus": word,
        "MessageStatus": word,
        "ChannelToAddress": f"+{sent.contact.phone}",
        "To": address_of(sent.contact.phone),
        "ChannelPrefix": "whatsapp",
        "MessageSid": sent.wamid,
        "AccountSid": account.waba_id,
        "From": address_of(number.display_phone_number),
        "ApiVersion": API,
    }
    if update.status == "failed":
        told["ErrorCode"] = str(CODES.get(code, (400, 63013))[1])
    return urlencode(told).encode()


def inbound(account: Account, number: Number, piece: Piece, address: str) -> bytes:
    item, contact = piece.item, piece.contact or {}
    kind, sid = item["type"], item["id"]
    phone = item.get("from")
    sender = f"whatsapp:+{phone}" if phone else f"whatsapp:{item['from_user_id']}"
    told = {
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ProfileName": contact.get("profile", {}).get("name", ""),
        "MessageType": kind,
        "SmsSid": sid,
        "SmsStatus": "received",
        "Body": "",
        "To": address_of(number.display_phone_number),
        "NumSegments": "1",
        "ReferralNumMedia": "0",
        "MessageSid": sid,
        "AccountSid": account.waba_id,
        "From": sender,
        "ExternalUserId": item["from_user_id"],
        "ApiVersion": API,
        **({"WaId": phone} if phone else {}),
        **TOLD[kind](item[kind], f"{address}/{API}/Accounts/{account.waba_id}/Messages/MM{hex_of(sid)}/Media/"),
    }
    context = item.get("context") or {}
    if context.get("id"):
        told["OriginalRepliedMessageSid"] = context["id"]
        told["OriginalRepliedMessageSender"] = address_of(number.display_phone_number)
    for name, parameter in (("forwarded", "Forwarded"), ("frequently_forwarded", "FrequentlyForwarded")):
        if context.get(name):
            told[parameter] = "true"
    return urlencode(told).encode()


def _file(part: dict[str, Any], place: str) -> Told:
    told = {"NumMedia": "1", "MediaUrl0": place + media_sid(str(part.get("id"))), "Body": part.get("caption", "")}
    return told | {"MediaContentType0": part.get("mime_type", "")}


def _place(part: dict[str, Any], _place: str) -> Told:
    told = {"Latitude": part["latitude"], "Longitude": part["longitude"]}
    told |= {"Label": part.get("name"), "Address": part.get("address")}
    return {name: str(value) for name, value in told.items() if value is not None}


def _choice(part: dict[str, Any], _place: str) -> Told:
    """A quick reply of content has a payload; a row of a list has an id and a title."""
    reply = part.get(part["type"], {})
    if part["type"] == "list_reply":
        return {"ListId": reply["id"], "ListTitle": reply["title"], "Body": reply["title"]}
    title = reply.get("title", "")
    return {"ButtonPayload": reply.get("id", ""), "ButtonText": title, "Body": title, "MessageType": "button"}


TOLD: dict[str, Callable[[Any, str], Told]] = {
    "text": lambda part, _: {"Body": part["body"]},
    **dict.fromkeys(("image", "video", "audio", "voice", "document", "sticker"), _file),
    "location": _place,
    "button": lambda part, _: {"ButtonPayload": part["payload"], "ButtonText": part["text"], "Body": part["text"]},
    "interactive": _choice,
}
"""Type of a message to the parameters it brings beside those of every message."""
