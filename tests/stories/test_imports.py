"""A messy spreadsheet becomes a segment by clicking alone, heals on the way, and is taken back again."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.harness import browser
from tests.harness.house import House

MESSY = (
    "Vorname;Handynummer;E-Mail;points||NUMBER\r\n"
    "Jürgen;01012345678;juergen@example.org;12.5\r\n"
    "<b>Zoë</b>;+20 101 234 5679;;3\r\n"
    "Kim;9.2E+11;kim@example.org;7\r\n"
    "Ånne;(010) 1234-5670;;many\r\n"
    "Lee;12;lee@example.org;1\r\n"
)

DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "text/csv" }));
  for (const type of ["dragenter", "dragover", "drop"])
    document.querySelector("[data-drop]").dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true }));
}"""


@pytest.mark.browser
def test_a_messy_spreadsheet_is_seen_through_healed_taken_in_and_taken_back(empty_house: House, tmp_path: Path) -> None:
    house = empty_house
    house.start("web", "bulk", "clock")
    with house.rt.transaction() as session:
        factories.make_number(session)
    file = tmp_path / "Kontakte.csv"
    file.write_bytes(MESSY.encode("cp1252"))
    with browser.open_page(house.url) as page:
        browser.sign_in(page, house.rt)
        save(page, file)
        see_the_preview(house, page)
        heal(page)
        confirm(house, page)
        undo(house, page)
        drop(page)


def save(page: Page, file: Path) -> None:
    page.goto("/imports/new")
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Upload CSV file").click()
    chooser.value.set_files(file)
    expect(page.get_by_role("list", name="Chosen files")).to_contain_text("Kontakte.csv")
    page.get_by_label("Segment Name").fill("Frühling")
    page.get_by_label("Country", exact=True).select_option("EG")
    page.get_by_role("button", name="Save").click()  # does nothing: the box is not ticked
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Save").click()


def see_the_preview(house: House, page: Page) -> None:
    expect(page.get_by_role("heading", name="2 people would change")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Nothing has happened yet")).to_be_visible()
    expect(page.locator(".becomes")).to_contain_text("Handynummer")
    expect(page.get_by_label("First rows")).to_contain_text("<b>Zoë</b>")
    expect(page.get_by_label("First rows")).to_contain_text("+201012345678")
    expect(page.locator(".stat", has_text="With problems")).to_contain_text("3")
    assert house.ask("SELECT count(*) FROM person") == 0


def heal(page: Page) -> None:
    page.get_by_role("link", name="Put right").click()
    expect(page.get_by_label("Handynummer of row 4")).to_be_focused()  # the first cell at fault
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("+201012345671")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 row is right now.")).to_be_visible()
    page.get_by_role("link", name="Cells of another type").click()
    page.get_by_label("points||NUMBER of row 5").fill("40")
    page.get_by_role("button", name="Check the rows on this page").last.click()
    expect(page.get_by_text("1 row is right now.")).to_be_visible()
    page.get_by_role("link", name="Kontakte.csv").click()


def confirm(house: House, page: Page) -> None:
    page.get_by_role("button", name="Confirm: change 4 people").click()
    expect(page.get_by_text("Imported", exact=True)).to_be_visible(timeout=30_000)
    expect(page.get_by_text("4 + 0 + 0 + 0 + 1 + 0 = 5 rows")).to_be_visible()
    assert house.ask("SELECT count(*) FROM segment_member") == 4
    with page.expect_download() as download:
        page.get_by_role("link", name="Rows with comments").click()
    assert "Lee;12;" in download.value.path().read_text()


def undo(house: House, page: Page) -> None:
    page.get_by_role("button", name="Undo the import").click()
    expect(page.get_by_text("Undone", exact=True)).to_be_visible(timeout=30_000)
    expect(page.locator(".stat", has_text="Disappeared again")).to_contain_text("4")
    assert house.ask("SELECT count(*) FROM person") == 0


def drop(page: Page) -> None:
    page.goto("/imports/new")
    for name in ("one.csv", "two.csv"):
        page.evaluate(DROP, [name, f"Phone\n+2010123456{len(name)}{ord(name[0]) % 10}\n"])
    page.get_by_role("button", name="Leave out one.csv").click()
    expect(page.get_by_role("list", name="Chosen files").get_by_role("listitem")).to_have_count(1)
    page.get_by_label("Segment Name").fill("Herbst")
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="1 person would change")).to_be_visible(timeout=30_000)
