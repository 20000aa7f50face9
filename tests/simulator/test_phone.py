"""The page is a phone: it shows what the business wrote, reads it, and answers."""

import json

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.harness import browser
from tests.harness.simulator import NUMBER_ID
from tests.simulator.business import Business
from tests.simulator.desk import PERSON, Desk, part, text, using

TAP = using("tap", part("body", text("Zoë")), part("button", text("a1"), sub_type="url", index="1"))


def test_the_page_and_its_parts_are_served_without_foreign_sources(sim: Desk) -> None:
    for path, words in (("/", b"phone.js"), ("/phone.js", b"EventSource"), ("/phone.css", b".bubble")):
        status, body = sim.call("GET", path)
        assert (status, words in body) == (200, True)
        assert b"https://" not in body
    assert sim.call("GET", "/phone.py")[0] == 404


def test_a_template_is_shown_filled_with_its_buttons(sim: Desk) -> None:
    sim.send(**TAP)
    (item,) = sim.control(f"chat?person={PERSON.strip('+')}")["items"]
    assert (item["text"], item["footer"], item["side"]) == ("Coming, Zoë?", "The clinic", "business")
    assert item["buttons"] == [
        {"kind": "quick_reply", "text": "Yes, come", "id": "Yes, come"},
        {"kind": "url", "text": "Read", "url": "https://example.org/a1"},
    ]


def test_every_kind_of_message_can_be_shown(sim: Desk) -> None:
    sim.open_window()
    for kind in ("image", "location", "contacts", "order", "reaction", "unsupported", "nfm_reply", "unknown"):
        sim.control("inbound", {"from": PERSON, "type": kind})
    action = {"button": "Open", "sections": [{"rows": [{"id": "1", "title": "One"}]}]}
    sim.send(type="interactive", interactive={"type": "list", "body": {"text": "Choose"}, "action": action})
    sim.send(type="image", image={"link": "https://example.org/a.png", "caption": "Look"})
    sim.send(**using("picture", part("header", {"type": "image", "image": {"id": "sample-image"}})))
    items = sim.control(f"chat?person={PERSON.strip('+')}")["items"]
    assert len(items) == 11
    assert items[8]["buttons"][0]["rows"] == [{"id": "1", "title": "One"}]
    assert (items[9]["media"]["source"], items[9]["text"]) == ("https://example.org/a.png", "Look")
    status, picture = sim.call("GET", items[10]["media"]["source"])
    assert (status, picture[:4]) == (200, b"\x89PNG")


def test_opening_a_chat_reads_it_and_hides_its_count(sim: Desk, business: Business) -> None:
    sim.control("config", {"statuses": {"read_share": 0}}, method="PUT")
    sim.hello()
    sim.control("drain", {})
    assert sim.control("chats")[0]["unread"] == 1
    assert [sim.control("open", {"person": PERSON})["read"] for _ in range(2)] == [1, 0]
    sim.control("drain", {})
    assert business.words() == ["sent", "delivered", "read"]
    assert sim.control("chats")[0]["unread"] == 0


@pytest.mark.browser
def test_a_person_reads_on_the_page_and_taps_a_button(sim: Desk, business: Business) -> None:
    with sync_playwright() as playwright:
        chromium = browser.launch(playwright)
        page = chromium.new_page(viewport={"width": 360, "height": 640})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        _story(page, sim, business)
        chromium.close()
    assert problems == []


def _story(page: Page, sim: Desk, business: Business) -> None:
    page.goto(sim.process.url)
    page.get_by_label("Name", exact=True).fill("Zoë")
    page.get_by_label("Phone number", exact=True).fill(PERSON)
    page.get_by_role("button", name="Switch the phone on").click()
    page.get_by_text("Simulated business").click()
    wamid = sim.send(**TAP).wamid
    expect(page.get_by_text("Coming, Zoë?")).to_be_visible()
    expect(page.get_by_title("read")).to_be_visible()
    business.wait(lambda: "read" in business.words(wamid))
    assert business.words(wamid).count("read") == 1
    page.get_by_role("button", name="Yes, come").click()
    business.wait(business.messages)
    tapped = business.messages()[0]
    assert tapped["button"] == {"payload": "Yes, come", "text": "Yes, come"}
    assert tapped["context"]["id"] == wamid
    page.get_by_label("Message", exact=True).fill("See you <b>then</b>")
    page.get_by_label("Send", exact=True).click()
    business.wait(lambda: len(business.messages()) == 2)
    assert business.messages()[1]["text"]["body"] == "See you <b>then</b>"
    expect(page.get_by_text("See you <b>then</b>")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360, json.dumps({"width": width, "number": NUMBER_ID})
