"""A broadcast is composed and launched in a browser, its sender is killed on the way, and the page tells the end."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, update

from bot.models.connection import Number
from bot.models.segment import SegmentMember
from bot.models.words import Environment
from tests import factories
from tests.harness import browser
from tests.harness.campaign import enrol
from tests.harness.children import wait_until
from tests.harness.house import SLUG, House, open_house
from tests.harness.servers import Servers
from tests.harness.simulator import WABA_ID

PEOPLE = 600
PACE = 40
WINDOW = 16
TEMPLATE = {
    "name": "lesson",
    "language": "en",
    "category": "UTILITY",
    "components": [{"type": "BODY", "text": "Hello {{1}}.", "example": {"body_text": [["Ada"]]}}],
}


def furnish(house: House, folder: Path) -> None:
    (folder / "lesson.json").write_text(json.dumps(TEMPLATE))
    house.run("template", "add", SLUG, str(folder / "lesson.json"))
    house.simulator.configure(templates=[{"waba_id": WABA_ID, **TEMPLATE}])
    house.simulator.set_faults(send={"slow": 1.0}, slow_s=0.3)
    with house.rt.transaction() as session:
        people = enrol(session, PEOPLE)
        segment = factories.make_segment(session, name="pupils")
        members = [{"segment_id": segment.id, "person_id": id_, "environment": Environment.LIVE} for id_ in people]
        session.execute(insert(SegmentMember), members)
        session.execute(update(Number).values(pace_per_s=PACE))
        house.audience |= set(people)


def launch(page: Page) -> None:
    page.goto("/broadcasts/new")
    page.get_by_label("Name", exact=True).fill("First lesson")
    page.get_by_role("group", name="Segments it goes to").get_by_text("pupils").click()
    page.get_by_label("Template and language").select_option(label="lesson · en · utility")
    page.get_by_label("body.1").fill("<<user.first_name>>")
    page.get_by_role("button", name="Make the draft").click()
    page.get_by_role("link", name="Preflight and launch").click()
    for box in page.locator("[name=ticked]").all():
        box.check()
    page.get_by_role("button", name="Launch").click()


def shown(page: Page, part: str) -> int:
    value = page.locator("[data-ledger] .stat", has_text=part).locator(".stat-value")
    return int(value.inner_text().replace(",", ""))


def wait_beyond(page: Page, accepted: int) -> int:
    return int(wait_until(lambda: (now := shown(page, "Accepted")) > accepted and now, "the page to count on"))


@pytest.mark.browser
def test_from_compose_to_a_finished_ledger_with_a_kill_in_between(servers: Servers, tmp_path: Path) -> None:
    with open_house(servers, tmp_path) as house:
        furnish(house, tmp_path)
        house.start()
        with browser.open_page(house.url) as page:
            browser.sign_in(page, house.rt)
            launch(page)
            page.evaluate("window.isThisPage = true")
            accepted = wait_beyond(page, 20)
            house.kill("send")
            house.start("send")
            wait_beyond(page, accepted + 20)
            expect(page.get_by_text("Finished").first).to_be_visible(timeout=120_000)
            house.settle()
            expect(page.locator("[data-ledger] .stat", has_text="Waiting")).to_contain_text("0")
            verdict = house.verdict()
            wait_until(lambda: shown(page, "In doubt") == len(verdict.doubt), "what is in doubt")
            assert shown(page, "Accepted") == PEOPLE - len(verdict.doubt)
            assert page.evaluate("window.isThisPage"), "the numbers moved without a reload"
        assert verdict.is_green
        assert len(verdict.doubt) <= WINDOW
        assert house.simulator.accepted() == PEOPLE - len(verdict.doubt)
