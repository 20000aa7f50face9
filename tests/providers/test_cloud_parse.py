"""What the Cloud API's webhooks say: every documented kind, and everything that is not."""

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from bot.providers.cloud import Cloud
from bot.providers.cloud_json import is_storable
from bot.providers.events import (
    IdentityChange,
    InboundMessage,
    MessageEdit,
    MessageRevoke,
    Notice,
    ReactionChange,
    StatusUpdate,
    Unreadable,
)

AT = "1749416383"
WHEN = datetime(2025, 6, 8, 20, 59, 43, tzinfo=UTC)
METADATA = {"display_phone_number": "+1 555-078-3881", "phone_number_id": "106540352242922"}
MEDIA = {"id": "1908647269898587", "mime_type": "image/jpeg", "sha256": "abc="}


def body_of(value: Any, field: Any = "messages") -> bytes:
    change = {"field": field, "value": value}
    document = {"object": "whatsapp_business_account", "entry": [{"id": "1022", "changes": [change]}]}
    return json.dumps(document, ensure_ascii=False).encode()


def parse(**value: Any) -> list[Any]:
    return list(Cloud().parse(body_of({"messaging_product": "whatsapp", "metadata": METADATA, **value})))


def message(type_: str, part: Any = None, **members: Any) -> dict[str, Any]:
    item = {"from": "16505551234", "id": "wamid.1", "timestamp": AT, "type": type_, type_: part} | members
    return {key: value for key, value in item.items() if value is not None}


def parse_message(item: dict[str, Any], **value: Any) -> Any:
    [event] = parse(messages=[item], **value)
    return event


@pytest.mark.parametrize(
    "item, body, choice",
    [
        (message("text", {"body": "Does it come in another color?"}), "Does it come in another color?", None),
        (message("image", MEDIA | {"caption": "Look"}), "Look", None),
        (message("image", MEDIA), None, None),
        (message("video", MEDIA), None, None),
        (message("audio", MEDIA | {"voice": True}), None, None),
        (message("voice", MEDIA), None, None),
        (message("sticker", MEDIA | {"animated": False}), None, None),
        (message("document", MEDIA | {"filename": "../../etc/passwd"}), "../../etc/passwd", None),
        (
            message("location", {"latitude": 37.4, "longitude": -122.1, "name": "HQ", "address": "1 Way"}),
            "HQ, 1 Way",
            None,
        ),
        (message("location", {"latitude": 37.4, "longitude": "-122.1"}), "37.4, -122.1", None),
        (message("location"), None, None),
        (message("contacts", [{"name": {"formatted_name": "Barbara"}}, {"origin": "other"}]), "Barbara", None),
        (message("contacts", [{}]), None, None),
        (message("button", {"payload": "STOP", "text": "Stop promotions"}), "Stop promotions", "STOP"),
        (message("button", {"text": "Yes"}), "Yes", "Yes"),
        (message("interactive", {"type": "button_reply", "button_reply": {"id": "b1", "title": "One"}}), "One", "b1"),
        (message("interactive", {"type": "list_reply", "list_reply": {"id": "l1", "title": "Two"}}), "Two", "l1"),
        (
            message("interactive", {"type": "nfm_reply", "nfm_reply": {"body": "Sent", "response_json": "[]"}}),
            "Sent",
            None,
        ),
        (message("interactive", {"type": "call_permission_reply", "call_permission_reply": {}}), None, None),
        (message("interactive"), None, None),
        (message("order", {"catalog_id": "7", "text": "Please", "product_items": []}), "Please", None),
        (message("system", {"type": "customer_identity_changed", "body": "new phone"}), "new phone", None),
        (message("unsupported", {"type": "poll_creation"}, errors=[{"code": 131051}]), None, None),
        (message("ephemeral"), None, None),
        (message("hologram", {"depth": 3}), None, None),
        (message("hologram", "flat"), None, None),
        ({"from": "16505551234", "id": "wamid.1", "timestamp": AT}, None, None),
    ],
    ids=lambda value: value.get("type", "nothing") if isinstance(value, dict) else "",
)
def test_every_kind_of_message_is_read(item: dict[str, Any], body: str | None, choice: str | None) -> None:
    event = parse_message(item)
    assert isinstance(event, InboundMessage)
    assert (event.kind, event.body, event.choice) == (item.get("type", "unknown"), body, choice)
    assert (event.message_id, event.number_id, event.occurred_at) == ("wamid.1", METADATA["phone_number_id"], WHEN)
    assert event.sender.phone == "16505551234"
    assert event.pointer == "/entry/0/changes/0/value/messages/0"
    kept = {key: value for key, value in item.items() if key not in {"from", "id", "timestamp"}}
    assert event.content == kept


def test_a_reply_an_advert_and_a_forward_keep_their_context() -> None:
    event = parse_message(message("text", {"body": "yes"}, context={"from": "1555", "id": "wamid.0"}))
    assert event.reply_to == "wamid.0"
    event = parse_message(message("text", {"body": "yes"}, context={"forwarded": True}, referral={"source_id": "ad"}))
    assert event.reply_to is None
    assert event.content["referral"] == {"source_id": "ad"}


def test_an_edit_is_the_new_wording_of_another_message() -> None:
    edited = {"type": "text", "text": {"body": "v2"}, "context": {"id": "wamid.7"}}
    event = parse_message(message("edit", {"original_message_id": "wamid.0", "message": edited}))
    assert isinstance(event, MessageEdit)
    assert (event.target, event.kind, event.body, event.content) == ("wamid.0", "text", "v2", edited)


def test_a_revoke_names_the_deleted_message() -> None:
    event = parse_message(message("revoke", {"original_message_id": "wamid.0"}))
    assert isinstance(event, MessageRevoke)
    assert event.target == "wamid.0"
    assert event.sender is not None
    assert event.sender.phone == "16505551234"


@pytest.mark.parametrize("emoji, read", [("\U0001f44d", "\U0001f44d"), ("", None), (None, None)])
def test_a_reaction_without_an_emoji_was_taken_back(emoji: str | None, read: str | None) -> None:
    part = {"message_id": "wamid.0"} | ({} if emoji is None else {"emoji": emoji})
    event = parse_message(message("reaction", part))
    assert isinstance(event, ReactionChange)
    assert (event.target, event.emoji, event.message_id) == ("wamid.0", read, "wamid.1")


@pytest.mark.parametrize(
    "system, phone, user_id",
    [
        ({"type": "user_changed_number", "wa_id": "12195555358"}, "12195555358", None),
        ({"type": "customer_changed_number", "new_wa_id": "12195555358"}, "12195555358", None),
        ({"type": "user_changed_number", "wa_id": "12195555358", "user_id": "US.2"}, "12195555358", "US.2"),
        ({"type": "user_changed_user_id", "user_id": "US.2"}, None, "US.2"),
        ({"type": "user_changed_number", "wa_id": "US.2"}, None, "US.2"),
    ],
)
def test_a_change_of_address_names_old_and_new(system: dict[str, str], phone: str | None, user_id: str | None) -> None:
    event = parse_message(message("system", system | {"body": "A changed"}))
    assert isinstance(event, IdentityChange)
    assert (event.sender.phone, event.new_phone, event.new_user_id) == ("16505551234", phone, user_id)
    assert event.body == "A changed"


def test_a_rotated_user_id_is_a_change_of_address() -> None:
    item = {"wa_id": "16505551234", "user_id": {"previous": "US.1", "current": "US.2"}, "timestamp": AT}
    value = {"metadata": METADATA, "user_id_update": [item, {"user_id": {"current": "US.3"}, "timestamp": AT}]}
    changed, bad = Cloud().parse(body_of(value, "user_id_update"))
    assert isinstance(changed, IdentityChange)
    assert (changed.sender.phone, changed.sender.user_id, changed.new_user_id) == ("16505551234", "US.1", "US.2")
    assert isinstance(bad, Unreadable)


USER = "US.13491208655302741918"
PARENT = "US.ENT.506847293015824"


@pytest.mark.parametrize(
    "members, contacts, phone, user_id",
    [
        ({"from": "+1 (650) 555-1234"}, [], "16505551234", None),
        ({"from": 16505551234}, [], "16505551234", None),
        ({"from": "5678"}, [], "5678", None),
        ({"from": "16505551234", "from_user_id": USER}, [], "16505551234", USER),
        ({"from_user_id": USER}, [], None, USER),
        ({"from_user_id": USER}, [{"user_id": USER, "wa_id": "16505551234"}], "16505551234", USER),
        ({"from": USER}, [], None, USER),
        ({"from": USER}, [{"wa_id": USER, "profile": {}}], None, USER),
        ({"from": "16505551234"}, [{"wa_id": "16505551234", "user_id": USER}], "16505551234", USER),
        ({"from": "16505551234"}, [{"wa_id": "999", "user_id": USER}], "16505551234", None),
        ({"from": "16505551234", "from_user_id": "not-a-user-id"}, [], "16505551234", None),
        ({"from_user_id": "not-a-user-id"}, [], None, "not-a-user-id"),
        ({"from": "16505551234"}, ["garbage", None, {"wa_id": ["x"]}], "16505551234", None),
    ],
)
def test_a_sender_is_known_by_phone_or_user_id_wherever_they_stand(
    members: dict[str, Any], contacts: list[Any], phone: str | None, user_id: str | None
) -> None:
    item = {"id": "wamid.1", "timestamp": AT, "type": "text", "text": {"body": "hi"}} | members
    sender = parse_message(item, contacts=contacts).sender
    assert (sender.phone, sender.user_id) == (phone, user_id)


def test_contacts_belong_to_messages_by_value_not_by_place() -> None:
    contacts = [
        {"wa_id": "2", "profile": {"name": "Two", "username": "@two"}, "parent_user_id": PARENT},
        {"wa_id": "1", "profile": {"name": "One"}},
    ]
    first, second = parse(messages=[message("text", {"body": "a"}, **{"from": who}) for who in "12"], contacts=contacts)
    assert (first.sender.name, second.sender.name) == ("One", "Two")
    assert (second.sender.username, second.sender.parent_user_id) == ("two", PARENT)


def test_a_status_carries_our_mark_its_recipient_and_its_error() -> None:
    told = {"id": "wamid.9", "timestamp": AT, "recipient_id": "16505551234", "biz_opaque_callback_data": "o1.5.1"}
    failed = told | {"status": "failed", "errors": [{"code": 131026, "title": "Message undeliverable"}]}
    by_user = {"id": "wamid.9", "status": "read", "timestamp": AT, "recipient_user_id": USER}
    first, second, third = parse(statuses=[told | {"status": "sent"}, failed, by_user])
    assert first == StatusUpdate(
        "/entry/0/changes/0/value/statuses/0",
        METADATA["phone_number_id"],
        "wamid.9",
        "sent",
        WHEN,
        "o1.5.1",
        "16505551234",
    )
    assert (second.status, second.error_code, second.error_text) == ("failed", 131026, "Message undeliverable")
    assert (third.status, third.recipient, third.callback) == ("read", USER, None)


@pytest.mark.parametrize("word", ["sent", "delivered", "read", "played", "failed", "deleted", "warning", "levitated"])
def test_every_status_word_is_handed_on(word: str) -> None:
    [event] = parse(statuses=[{"id": "w", "status": word, "timestamp": AT}])
    assert isinstance(event, StatusUpdate)
    assert event.status == word


@pytest.mark.parametrize("raw", [AT, int(AT), float(AT), f"{AT}000", int(AT) * 1000])
def test_times_are_seconds_or_milliseconds_as_text_or_number(raw: object) -> None:
    assert parse_message(message("text", {"body": "x"}, timestamp=raw)).occurred_at == WHEN


BAD_TIMES = ["yesterday", "", "-5", "nan", "1e400", True, [], {}, 10**20, "9" * 400]


@pytest.mark.parametrize(
    "item, reason",
    [
        *((message("text", {"body": "x"}) | {"timestamp": raw}, "timestamp") for raw in BAD_TIMES),
        (message("text", {"body": "x"}) | {"timestamp": None}, "timestamp"),
        (message("text", {"body": "x"}) | {"id": None}, "id is missing"),
        (message("text", {"body": "x"}) | {"id": 7}, "id is missing"),
        (message("text", {"body": "x"}) | {"id": "w" * 513}, "id is missing"),
        (message("text", {"body": "x"}) | {"from": None}, "nothing says who sent it"),
        (message("text", {"body": "x"}) | {"from": "nobody"}, "nothing says who sent it"),
        (message("text", {"body": 5}), "text.body"),
        (message("text", "x"), "text is not an object"),
        (message("text"), "text is not an object"),
        (message("reaction", {"emoji": "x"}), "reaction.message_id"),
        ("a message", "it is not an object"),
        (None, "it is not an object"),
    ],
    ids=lambda value: str(value)[-30:],
)
def test_a_bad_item_is_unreadable_and_its_neighbours_are_not(item: Any, reason: str) -> None:
    good = message("text", {"body": "good"})
    before, bad, after = parse(messages=[good, item, good])
    assert isinstance(before, InboundMessage)
    assert isinstance(after, InboundMessage)
    assert isinstance(bad, Unreadable)
    assert bad.pointer == "/entry/0/changes/0/value/messages/1"
    assert bad.reason.startswith(reason)


def test_bad_entries_changes_and_values_leave_the_others_alone() -> None:
    good = {"field": "messages", "value": {"metadata": METADATA, "messages": [message("text", {"body": "good"})]}}
    entries = [
        "x",
        {"changes": 5},
        {},
        {"changes": [7, {"field": "messages", "value": []}, {}, good]},
        {"changes": [good]},
    ]
    events = Cloud().parse(orjson.dumps({"entry": entries}))
    told = [(event.pointer, type(event).__name__) for event in events]
    assert told == [
        ("/entry/0", "Unreadable"),
        ("/entry/1/changes", "Unreadable"),
        ("/entry/2/changes", "Unreadable"),
        ("/entry/3/changes/0", "Unreadable"),
        ("/entry/3/changes/1", "Unreadable"),
        ("/entry/3/changes/2", "Unreadable"),
        ("/entry/3/changes/3/value/messages/0", "InboundMessage"),
        ("/entry/4/changes/0/value/messages/0", "InboundMessage"),
    ]


@pytest.mark.parametrize("metadata", [None, {}, [], {"phone_number_id": ""}, {"phone_number_id": []}])
def test_messages_without_a_number_are_kept_aside_whole(metadata: object) -> None:
    [event] = Cloud().parse(body_of({"metadata": metadata, "messages": [message("text", {"body": "x"})]}))
    assert isinstance(event, Unreadable)
    assert event.item is not None
    assert event.reason == "metadata.phone_number_id is missing"


@pytest.mark.parametrize(
    "field",
    ["history", "smb_app_state_sync", "flows", "calls", "group_lifecycle_update", "group_settings_update", "new_thing"],
)
def test_fields_without_effect_are_notices(field: str) -> None:
    assert Cloud().parse(body_of({"a": 1}, field)) == [Notice("/entry/0/changes/0", field, {"a": 1})]


def test_group_messages_and_messages_of_ourselves_to_nobody_are_notices() -> None:
    ours = message("text", {"body": "x"}, **{"from": "15550783881"})
    group = message("text", {"body": "x"}, group_id="G")
    alone = message("text", {"body": "x"}, group_id="")
    events = parse(messages=[ours, group, alone])
    assert [(type(event), getattr(event, "field", "")) for event in events] == [
        (Notice, "messages.own"),
        (Notice, "messages.group"),
        (InboundMessage, ""),
    ]


def test_messages_and_statuses_in_one_value_are_both_read() -> None:
    status = {"id": "w", "status": "sent", "timestamp": AT}
    events = parse(messages=[message("text", {"body": "x"})], statuses=[status])
    assert [type(event) for event in events] == [InboundMessage, StatusUpdate]


def test_what_a_database_cannot_hold_is_taken_out_of_texts() -> None:
    body = body_of({"metadata": METADATA, "messages": [message("text", {"body": "SPOT"})]})
    for raw, clean in [
        (rb"a\u0000b", "ab"),
        (rb"a\ud800b", "ab"),
        (b"a\xffb", "a\ufffdb"),
        (rb"\ud83d\ude00", "\U0001f600"),
    ]:
        [event] = Cloud().parse(body.replace(b"SPOT", raw))
        assert isinstance(event, InboundMessage)
        assert event.body == clean


def test_an_item_nested_too_deeply_or_with_a_giant_number_is_unreadable() -> None:
    body = body_of({"metadata": METADATA, "messages": [message("text", {"body": "x"}, extra="SPOT")]})
    nested = body.replace(b'"SPOT"', b"[" * 300 + b"]" * 300)
    [event] = Cloud().parse(nested)
    assert isinstance(event, Unreadable)
    [event] = Cloud().parse(body.replace(b'"SPOT"', b"1" * 40))
    assert isinstance(event, InboundMessage)
    assert is_storable(event.content)


@pytest.mark.parametrize(
    "field, value, kind",
    [
        ("account_update", {"event": "ACCOUNT_DELETED"}, Unreadable),
        ("message_template_status_update", {"event": "LEVITATED"}, Unreadable),
        ("flows", {}, Notice),
    ],
)
def test_what_a_database_cannot_hold_is_not_handed_on(field: str, value: dict[str, Any], kind: type) -> None:
    body = body_of({"message_template_name": "a", "message_template_language": "en", "extra": "SPOT"} | value, field)
    [event] = Cloud().parse(body.replace(b'"SPOT"', b"[" * 300 + b"]" * 300))
    assert type(event) is kind
    assert getattr(event, "item", None) is None
    assert getattr(event, "value", {}) == {}
