"""One sample of every inbound message type and variant, the base a control request changes."""

from typing import Any, NamedTuple

from simulator.media_samples import describe_sample


class Kind(NamedTuple):
    """`member` of the message holds `sample`; `contacts` is False where the provider sends no contacts block."""

    type: str
    member: str = ""
    sample: Any = None
    errors: tuple[int, ...] = ()
    contacts: bool = True
    replies: bool = False


VCARD = {
    "name": {"formatted_name": "Nadia Rahman", "first_name": "Nadia", "last_name": "Rahman"},
    "phones": [{"phone": "+31 6 12345678", "wa_id": "31612345678", "type": "CELL"}],
    "emails": [{"email": "nadia@example.org", "type": "WORK"}],
    "org": {"company": "Example", "department": "Care", "title": "Nurse"},
}
ORDER = {
    "catalog_id": "194836987003835",
    "text": "Please deliver before noon",
    "product_items": [{"product_retailer_id": "sku-1", "quantity": 2, "item_price": 4.5, "currency": "EUR"}],
}
CALL_PERMISSION = {"response": "accept", "expiration_timestamp": 1_900_000_000, "response_source": "user_action"}
EDIT = {
    "original_message_id": "wamid.unknown",
    "message": {"type": "text", "context": {"id": "wamid.unknown"}, "text": {"body": "Hello, corrected"}},
}


def _media(kind: str, media_id: str, **members: object) -> Kind:
    return Kind(kind, kind, describe_sample(media_id) | members)


def _reply(kind: str, sample: dict[str, Any]) -> Kind:
    return Kind("interactive", "interactive", {"type": kind, kind: sample}, replies=True)


def _system(kind: str, body: str, **members: str) -> Kind:
    return Kind("system", "system", {"body": body, "type": kind, **members}, contacts=False)


def _unsupported(code: int, kind: str) -> Kind:
    return Kind("unsupported", "unsupported", {"type": kind}, errors=(code,))


KINDS: dict[str, Kind] = {
    "text": Kind("text", "text", {"body": "Hello"}),
    "image": _media("image", "sample-image"),
    "video": _media("video", "sample-video"),
    "audio": _media("audio", "sample-audio", voice=False),
    "voice_note": _media("audio", "sample-voice", voice=True),
    "voice": _media("voice", "sample-voice"),
    "document": _media("document", "sample-document", filename="letter.pdf"),
    "sticker": _media("sticker", "sample-sticker", animated=False),
    "location": Kind(
        "location",
        "location",
        {"latitude": 52.3731, "longitude": 4.8926, "name": "Dam Square", "address": "Dam, Amsterdam"},
    ),
    "contacts": Kind("contacts", "contacts", [VCARD]),
    "button": Kind("button", "button", {"payload": "yes", "text": "Yes"}, replies=True),
    "button_reply": _reply("button_reply", {"id": "yes", "title": "Yes"}),
    "list_reply": _reply("list_reply", {"id": "row-1", "title": "First", "description": "The first row"}),
    "nfm_reply": _reply(
        "nfm_reply", {"name": "flow", "body": "Sent", "response_json": '{"flow_token":"unused","score":"5"}'}
    ),
    "call_permission_reply": _reply("call_permission_reply", CALL_PERMISSION),
    "interactive_missing": Kind("interactive"),
    "reaction": Kind("reaction", "reaction", {"message_id": "wamid.unknown", "emoji": "\U0001f44d"}),
    "reaction_removed": Kind("reaction", "reaction", {"message_id": "wamid.unknown"}),
    "order": Kind("order", "order", ORDER),
    "user_changed_number": _system(
        "user_changed_number", "User A changed from 31612345678 to 31687654321", wa_id="31687654321"
    ),
    "user_changed_user_id": _system("user_changed_user_id", "User id changed", user_id="NL.10000000000000000001"),
    "customer_changed_number": _system("customer_changed_number", "Customer changed number", new_wa_id="31687654321"),
    "customer_identity_changed": _system("customer_identity_changed", "Security code changed"),
    "unsupported": _unsupported(131051, "poll_creation"),
    "unavailable": _unsupported(131060, "media_placeholder"),
    "edit": Kind("edit", "edit", EDIT),
    "revoke": Kind("revoke", "revoke", {"original_message_id": "wamid.unknown"}),
    "ephemeral": Kind("ephemeral"),
    "request_welcome": Kind("request_welcome"),
    "hsm": Kind("hsm"),
    "unknown": Kind("unknown", errors=(131051,)),
}
"""The name a control request uses as `type`: what is sent."""

CONTEXTS: dict[str, dict[str, Any]] = {
    "reply": {"from": "", "id": "wamid.unknown"},
    "product": {
        "from": "",
        "id": "wamid.unknown",
        "referred_product": {"catalog_id": "194836987003835", "product_retailer_id": "sku-1"},
    },
    "forwarded": {"forwarded": True},
    "frequently_forwarded": {"frequently_forwarded": True},
}

REFERRAL = {
    "source_url": "https://fb.me/simulated",
    "source_id": "120226305854810726",
    "source_type": "ad",
    "headline": "Talk to a nurse",
    "body": "Free and private",
    "media_type": "image",
    "image_url": "https://example.org/ad.png",
    "ctwa_clid": "ARAkLkA8rmlFeiCktEJQ-QTwRiyYHAFDLMNDBH0CD3qpjd0HR4irJ6LEkR7JwFF4",
    "welcome_message": {"text": "Hi! How can we help?"},
}

UNSUPPORTED_PAYLOAD = {
    "code": 131000,
    "title": "Unsupported webhook payload",
    "message": "Unsupported webhook payload",
    "error_data": {"details": "The payload could not be represented."},
}
