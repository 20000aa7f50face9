"""A marketer reads Insights in a browser: what each block counts, its table, its picture by keys, its file."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from bot.insights import jobs
from bot.insights.blocks.table import BLOCKS
from tests import factories as make
from tests.harness import browser
from tests.harness.house import House, open_house
from tests.harness.servers import Servers

ON_THE_PAGE = [block for block in BLOCKS.values() if not block.above]
CROWDED = """[...document.querySelectorAll('svg.columns')].flatMap(svg => {
  const boxes = [...svg.querySelectorAll('text.tick:not([dy])')].map(name => name.getBoundingClientRect());
  const seen = boxes.filter(box => box.width).map(box => [box.left, box.right]);
  const until = [...seen.slice(1).map(([left]) => left), svg.closest('section').getBoundingClientRect().right];
  return seen.filter(([, right], n) => right > until[n]);
})"""
"""Names below columns that run into the next one, or out of their block."""

CUT_OFF = """[...document.querySelectorAll('.insight-table')].filter(box => box.scrollWidth > box.clientWidth)
    .map(box => [box.scrollWidth, box.clientWidth])"""
"""Tables of which columns are out of sight."""


@pytest.fixture
def house(servers: Servers, tmp_path: Path) -> Iterator[House]:
    with open_house(servers, tmp_path) as opened:
        opened.start("web")
        yield opened


def talk(house: House) -> None:
    """Three people on three days, each answered by hand."""
    with house.rt.transaction() as session:
        number, coach = make.make_number(session), make.make_operator(session)
        for days in range(3):
            at = datetime.now(UTC) - timedelta(days=days)
            person = make.make_person(session)
            make.make_conversation(session, person, number, last_inbound_at=at)
            make.make_inbound(session, person, number, occurred_at=at)
            sent: dict[str, Any] = {
                "state": "accepted",
                "accepted_at": at,
                "author_kind": "coach",
                "operator_id": coach.id,
            }
            make.make_outbound(session, person, number, occurred_at=at, delivery_level=3, **sent)
    jobs.sweep(house.rt)


@pytest.mark.browser
def test_each_block_is_explained_opened_and_taken_along(house: House) -> None:
    talk(house)
    with browser.open_page(house.url) as page:
        page.emulate_media(reduced_motion="reduce")  # a page that still scrolls is hit beside its buttons
        browser.sign_in(page, house.rt)
        page.goto("/")
        page.get_by_role("link", name="Insights", exact=True).click()
        expect(page.get_by_role("heading", name="Is our audience growing?")).to_be_visible()
        for block in ON_THE_PAGE:
            section = page.locator(f"#{block.name}")
            expect(section.get_by_text(block.said)).to_be_hidden()
            section.get_by_role("heading", name=block.title, exact=True).click()
            expect(section.get_by_text(block.said)).to_be_visible()
            assert taken_along(page, section, block.name) == rows_of(section) or block.name == "hours"
        read_by_keys(page)
        page.set_extra_http_headers({"Accept-Language": "de"})  # its dates are longer
        page.goto("/insights")
        expect(page.get_by_role("heading", name="Einblicke")).to_be_visible()
        for days in ("7d", "28d", "90d", "365d"):
            page.goto(f"/insights?period={days}")
            for width in (390, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate(CROWDED) == [], (days, width)
        for name in BLOCKS:
            page.goto(f"/insights/{name}?period=28d")
            assert page.evaluate(CUT_OFF) == [], name


def taken_along(page: Page, section: Locator, name: str) -> int:
    with page.expect_download() as begun:
        section.get_by_role("link", name="CSV").click()
    assert begun.value.suggested_filename.startswith(f"insights-{name}-")
    with begun.value.path().open(newline="", encoding="utf-8-sig") as file:
        return len(list(csv.DictReader(file)))


def rows_of(section: Locator) -> int:
    """Of its table, once that is unfolded; one that says there is nothing has none."""
    table = section.locator("details:has(table)")
    if table.count():
        table.locator("summary").click()
        expect(table.locator("table")).to_be_visible()
    return table.locator("tbody th").count()


def read_by_keys(page: Page) -> None:
    """From the newest day back to the one before, and to the busiest hour's neighbour a day up."""
    section = page.locator("#active")
    section.locator("svg.columns").focus()
    read = section.locator("output")
    expect(read).to_contain_text("Active people 1, New 1")
    newest = read.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(read).not_to_have_text(newest)
    page.keyboard.press("Home")
    expect(read).to_contain_text("Active people 0")
