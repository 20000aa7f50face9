"""A marketer composes a broadcast in a browser, reads it as others would, and has a test of it on the own phone."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.harness import browser
from tests.harness.children import wait_until
from tests.harness.house import SLUG, House, open_house
from tests.harness.servers import Servers
from tests.harness.simulator import WABA_ID

OWN_PHONE = "+201012345699"
BODIES = {"en": "Hello {{1}}, {{2}} begins today.", "de": "Hallo {{1}}, {{2}} beginnt heute."}
TEMPLATES = [
    {
        "name": "lesson",
        "language": language,
        "category": "UTILITY",
        "components": [
            {"type": "BODY", "text": body, "example": {"body_text": [["Ada", "Algebra"]]}},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Stop"}]},
        ],
    }
    for language, body in BODIES.items()
]


def furnish(house: House, folder: Path) -> None:
    (folder / "lesson.json").write_text(json.dumps(TEMPLATES))
    house.run("template", "add", SLUG, str(folder / "lesson.json"))
    house.simulator.configure(templates=[{"waba_id": WABA_ID, **each} for each in TEMPLATES])
    with house.rt.transaction() as session:
        make = factories.make_person
        make(session, first_name="Mia", phone=OWN_PHONE)
        away = [make(session, first_name="Zoe"), make(session, first_name=None, distinct_id="nameless")]
        factories.make_segment(session, away[:1], name="parents")
        factories.make_segment(session, away, name="away")
        pupils = [make(session, first_name=name) for name in ("Ann", "Bea")] + [
            make(session, first_name="Uwe", language="de")
        ]
        factories.make_segment(session, pupils, name="pupils")


def compose(page: Page) -> None:
    page.goto("/broadcasts/new")
    goes_to = page.get_by_role("group", name="Segments it goes to")
    page.get_by_label("Name", exact=True).fill("First lesson")
    goes_to.get_by_text("pupils").click()
    expect(page.locator("[data-audience]")).to_contain_text("3 people")
    goes_to.get_by_text("parents").click()
    expect(page.locator("[data-audience]")).to_contain_text("4 people")
    page.get_by_text("Leave people out").click()
    page.get_by_role("group", name="Segments left out").get_by_text("away").click()
    expect(page.locator("[data-audience]")).to_contain_text("3 people")
    page.get_by_label("Template and language").select_option(label="lesson · en · utility")
    expect(page.locator("[data-problem]", has_text="has no text")).to_have_count(0)


def write(page: Page) -> None:
    first = page.get_by_label("body.1", exact=True).first
    first.fill("<<user.first_name|evil>>")
    expect(page.locator("[data-place='slot.body.1'] .invalid-feedback")).to_contain_text("no filter evil")
    first.fill("dear ")
    page.get_by_role("button", name="<<user.first_name>>").click()
    expect(first).to_have_value("dear <<user.first_name>>")
    expect(page.locator("[data-place='slot.body.1'] .invalid-feedback")).to_be_empty()
    page.get_by_label("body.2", exact=True).first.fill("Algebra")
    page.get_by_label("In their own words for people of de").check()
    german = page.locator(".wording-language")
    german.get_by_label("body.1").fill("<<user.first_name>>")
    german.get_by_label("body.2").fill("Mathe")


def read_as_others(page: Page) -> None:
    look = page.locator("[data-look]")
    expect(look).to_contain_text("Hallo Uwe, Mathe beginnt heute.")
    page.get_by_role("button", name="Next person").click()
    expect(look).to_contain_text("Hello dear Bea, Algebra begins today.")
    page.get_by_label("Show it as").fill("Ann")
    page.get_by_label("Show it as").press("Enter")
    expect(look).to_contain_text("Hello dear Ann, Algebra begins today.")
    page.get_by_label("Show it as").fill("nameless")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(look).to_contain_text("is not in the audience")
    expect(look).to_contain_text("nothing known for first_name")


@pytest.mark.browser
def test_a_broadcast_is_composed_read_as_others_and_tried_out(servers: Servers, tmp_path: Path) -> None:
    with open_house(servers, tmp_path) as house:
        furnish(house, tmp_path)
        house.start()
        with browser.open_page(house.url) as page:
            browser.sign_in(page, house.rt)
            compose(page)
            write(page)
            read_as_others(page)
            page.get_by_role("button", name="Make the draft").click()
            expect(page.get_by_role("heading", name="First lesson")).to_be_visible()
            page.get_by_label("Phone numbers or ids").fill(OWN_PHONE)
            page.get_by_role("button", name="Send a test").click()
            expect(page.get_by_text("The test is on its way.")).to_be_visible()
            expect(page.locator(".test-outcome")).to_contain_text("Read", timeout=30_000)
        heard = [entry for entry in house.simulator.log() if entry["to"].lstrip("+") == OWN_PHONE.lstrip("+")]
        assert [entry["params"]["body"] for entry in heard] == [["dear Mia", "Algebra"]]
        wait_until(lambda: house.ask("SELECT count(*) FROM broadcast WHERE state = 'finished'") == 1, "the test's end")
        assert house.ask("SELECT count(*) FROM message WHERE direction = 'out'") == 1
