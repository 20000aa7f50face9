"""Whatever people write, and wherever a provider puts it, is text to whoever reads it in a browser."""

from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from playwright.sync_api import Page

from bot.models.words import Role
from tests.chaos.test_intake import post
from tests.harness import browser
from tests.harness.children import wait_until
from tests.harness.house import House
from tests.harness.simulator import NUMBER_ID
from tests.webhooks.conftest import contact, envelope, text_message

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(2)>",
    "</textarea></script><script>alert(3)</script>",
    "<svg/onload=alert(4)>",
    '<a href="javascript:alert(5)">me</a>',
    "javascript:alert(6)",
    "data:text/html,<script>alert(7)</script>",
    "https://backchat.example@evil.example/sign-in",
    "{{7*7}}<<user.first_name>>",
)
PAGES = ("/", "/inbox?state=all", "/events", "/quarantine", "/alerts", "/connections/line", "/journeys", "/broadcasts")


def kinds(word: str) -> list[dict[str, Any]]:
    """The word in every place of a message that a page shows."""
    reply = {"id": word, "title": word, "description": word}
    card = {"name": {"formatted_name": word}, "phones": [{"phone": word}], "urls": [{"url": word}]}
    bought = {"product_retailer_id": word, "quantity": 1, "item_price": word, "currency": word}
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": {"body": word}, "referral": {"headline": word, "body": word, "source_url": word}},
        {"type": "button", "button": {"text": word, "payload": word}},
        {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": reply}},
        {
            "type": "interactive",
            "interactive": {"type": "nfm_reply", "nfm_reply": {"body": word, "response_json": word}},
        },
        {"type": "location", "location": {"latitude": 1, "longitude": 2, "name": word, "address": word, "url": word}},
        {"type": "contacts", "contacts": [card]},
        {"type": "order", "order": {"catalog_id": word, "text": word, "product_items": [bought]}},
        {"type": "document", "document": {"id": "m", "filename": word, "caption": word, "mime_type": word}},
        {"type": "system", "system": {"type": word, "body": word}},
        {"type": "unsupported", "unsupported": {"type": word}, "errors": [{"code": 131051, "title": word}]},
        {"type": word, word: {"body": word}},
    ]
    return [text_message() | {"text": None} | one for one in parts]


def bodies(word: str, phone: str) -> list[bytes]:
    messages = [one | {"from": phone} for one in kinds(word)]
    reaction = {"type": "reaction", "reaction": {"message_id": messages[0]["id"], "emoji": word}}
    unreadable = text_message(sender=phone) | {"timestamp": word}
    messages += [text_message(sender=phone) | reaction, unreadable]
    told = envelope(NUMBER_ID, messages=messages, contacts=[contact(phone, word)])
    alert = {"alert_info": {"alert_type": "X", "alert_severity": "CRITICAL", "alert_description": word}}
    template = {"event": "REJECTED", "message_template_name": word, "message_template_language": "en", "reason": word}
    told["entry"][0]["changes"] += [
        {"field": "account_alerts", "value": alert},
        {"field": "message_template_status_update", "value": template},
        {"field": word, "value": {}},
    ]
    return [orjson.dumps(told)]


@pytest.mark.browser
def test_no_word_of_theirs_runs_and_no_link_of_theirs_can_be_followed(empty_house: House) -> None:
    """Cases 111 and 112: no dialog, nothing that the content security policy had to stop, and all of it to be read."""
    house = empty_house
    house.start("web", "intake")
    for place, word in enumerate(HOSTILE):
        for body in bodies(word, f"2010{place:08d}"):
            assert post(house, body) == 200
    wait_until(
        lambda: house.ask("SELECT count(*) FROM webhook_event WHERE state <> 'new'") == len(HOSTILE), "the words"
    )
    assert house.ask("SELECT count(*) FROM quarantine") == len(HOSTILE)
    threads = house.ask("SELECT array_agg(id ORDER BY id) FROM conversation")
    events = house.ask("SELECT array_agg(id ORDER BY id) FROM webhook_event")
    dialogs: list[str] = []
    with browser.open_page(house.url) as page:
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        browser.sign_in(page, house.rt, Role.ADMIN)
        for path in (*PAGES, *(f"/events/{id_}" for id_ in events)):
            page.goto(path)
            assert foreign_links(page, house) == [], path
        for thread, word in zip(threads, HOSTILE, strict=True):
            page.goto(f"/inbox/{thread}")
            assert page.locator(".bubble").get_by_text(word).count() > 1, word
            assert foreign_links(page, house) == [], word
    assert dialogs == []


MAP = 'a[href^="https://www.openstreetmap.org/?mlat="][rel~="noopener"][rel~="noreferrer"]'


def foreign_links(page: Page, house: House) -> list[str]:
    """But for the map on which a place is shown: built from two numbers, and told nothing of us."""
    found = page.eval_on_selector_all(
        f"a[href]:not({MAP}), area[href], form[action]", "(all) => all.map((a) => a.href || a.action)"
    )
    ours = urlsplit(house.url)  # the simulator's phone is at another port
    return [link for link in found if (urlsplit(link).scheme, urlsplit(link).hostname) != (ours.scheme, ours.hostname)]
