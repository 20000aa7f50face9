"""The largest body there is: a thousand updates of several numbers and accounts in 3 MB, with garbage among them."""

import time
from typing import Any

import orjson
import pytest

from bot.connections import numbers
from bot.models.connection import Connection
from bot.models.words import Environment
from tests.webhooks.conftest import NUMBER_ID, Line, contact, envelope, quarantine, text_message

OTHER = "206540352242922"
LONG = "word " * 790
GARBAGE: tuple[tuple[Any, str], ...] = (
    (None, "it is not an object"),
    (text_message() | {"timestamp": "yesterday"}, "timestamp is not in unix seconds"),
    (text_message() | {"id": 5}, "id is missing or not a text of at most 512 characters"),
    (text_message() | {"from": None}, "nothing says who sent it"),
    (text_message() | {"text": []}, "text is not an object"),
)
EVERY = 20
"""So many good messages between two bad ones."""


@pytest.fixture
def two_numbers(line: Line) -> Line:
    with line.rt.transaction() as session:
        connection = session.get_one(Connection, line.connection_id)
        numbers.add(
            session,
            connection,
            environment=Environment.LIVE,
            provider_number_id=OTHER,
            phone="+15550783882",
            name="Second line",
        )
    return line


def said(number_id: str, count: int) -> dict[str, Any]:
    """An entry with so many messages of as many people, and garbage between them."""
    phones = [f"2010{number:08d}" for number in range(count)]
    messages: list[Any] = [text_message(LONG, sender=phone) for phone in phones]
    for place, (bad, _) in enumerate(GARBAGE):
        messages.insert(EVERY * (place + 1), bad)
    [entry] = envelope(number_id, messages=messages, contacts=list(map(contact, phones)))["entry"]
    return dict(entry)


def told(number_id: str, count: int) -> dict[str, Any]:
    at = str(int(time.time()))
    statuses = [{"id": f"wamid.{number_id}.{n}", "status": "sent", "timestamp": at} for n in range(count)]
    [entry] = envelope(number_id, statuses=statuses)["entry"]
    return dict(entry)


def about_the_account() -> dict[str, Any]:
    template = {"event": "APPROVED", "message_template_name": "visit", "message_template_language": "en_US"}
    changes = [
        {"field": "message_template_status_update", "value": template | {"message_template_id": 7, "reason": "NONE"}},
        {"field": "account_update", "value": {"event": "ACCOUNT_DELETED"}},
        {"field": "account_update", "value": {}},
        {"field": "moon_phase", "value": {"phase": 1}},
        "?",
    ]
    return {"id": "202290129340398", "time": int(time.time()), "changes": changes}


def test_every_good_item_is_applied_once_and_every_bad_one_has_its_place_and_reason(two_numbers: Line) -> None:
    line = two_numbers
    entries = [about_the_account(), said(NUMBER_ID, 400), "?", said(OTHER, 400), told(OTHER, 200), said("777", 0)]
    body = orjson.dumps({"object": "whatsapp_business_account", "entry": entries})
    assert 3_000_000 < len(body) < line.rt.settings.webhook_max_bytes
    for whole in (body, body.replace(b'"object"', b' "object"'), body):  # again, and with other bytes
        assert line.post(whole).status_code == 200
        line.apply()
    assert line.ask("SELECT count(*) FROM webhook_event") == 2
    assert line.rows(
        "SELECT count(*), count(DISTINCT provider_message_id), count(DISTINCT number_id) FROM message"
    ) == [(800, 800, 2)]
    assert line.ask("SELECT count(*) FROM person") == 400
    assert line.ask("SELECT count(*) FROM conversation") == 800
    assert line.ask("SELECT count(*) FROM status_event") == 200
    assert line.rows("SELECT name, status FROM template") == [("visit", "APPROVED")]
    assert line.ask("SELECT count(*) FROM alert") == 1
    assert sorted(quarantine(line)) == sorted(2 * list(refused()))


def refused() -> list[tuple[str, str]]:
    places = [("/entry/0/changes/2/value", "event is missing"), ("/entry/0/changes/4", "it is not an object")]
    places.append(("/entry/2", "it is not an object"))
    for entry in (1, 3):
        at = f"/entry/{entry}/changes/0/value/messages"
        places += [(f"{at}/{EVERY * (n + 1)}", reason) for n, (_, reason) in enumerate(GARBAGE)]
    at = "/entry/5/changes/0/value/messages"
    return places + [(f"{at}/{n}", reason) for n, (_, reason) in enumerate(GARBAGE)]
