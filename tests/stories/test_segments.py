"""A marketer builds a segment by clicking, in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bot.models.person import Property
from tests import factories
from tests.harness import browser
from tests.harness.house import House, open_house
from tests.harness.servers import Servers


@pytest.fixture
def house(servers: Servers, tmp_path: Path) -> Iterator[House]:
    with open_house(servers, tmp_path) as opened:
        opened.start("web")
        yield opened


def enrol(house: House) -> None:
    with house.rt.transaction() as session:
        session.add(Property(environment="live", name="plan", type="TEXT"))
        for country, plan in (("EG", "gold"), ("EG", "silver"), ("EG", "gold"), ("DE", "gold")):
            factories.make_person(session, country=country, attributes={"plan": plan})


@pytest.mark.browser
def test_a_segment_is_built_by_clicking_and_shows_who_is_in_it(house: House) -> None:
    enrol(house)
    with browser.open_page(house.url) as page:
        browser.sign_in(page, house.rt)
        page.goto("/segments")
        page.get_by_role("link", name="New segment").first.click()
        count = page.locator(".answer-count")

        page.get_by_label("What it asks").select_option("Country")
        page.get_by_label("Value").fill("EG")
        expect(count).to_have_text("3")

        page.get_by_role("button", name="Condition", exact=True).click()
        page.get_by_label("What it asks").nth(1).select_option("plan")
        page.get_by_label("Value").nth(1).fill("gold")
        expect(count).to_have_text("2")

        page.get_by_label("How many of these").select_option("any")
        expect(count).to_have_text("4")
        page.get_by_role("button", name="Remove this condition").nth(1).click()
        expect(count).to_have_text("3")

        page.get_by_label("Name").fill("Egypt")
        page.get_by_role("button", name="Make the segment").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Egypt")
        expect(page.get_by_text("3 people")).to_be_visible()
        expect(page.get_by_text("Country is “EG”")).to_be_visible()
