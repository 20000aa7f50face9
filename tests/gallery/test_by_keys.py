"""The inbox without a mouse, from the sign-in to a closed conversation."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.factories import PASSWORD
from tests.gallery.opened import Gallery, opened
from tests.harness.browser import open_page
from tests.harness.servers import Servers

pytestmark = [
    pytest.mark.browser,
    # The development server forgets a static file whose reader has gone to another page; Granian does not.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def gallery(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    with opened(servers, tmp_path_factory.mktemp("gallery")) as open_gallery:
        yield open_gallery


@pytest.fixture
def page(gallery: Gallery) -> Iterator[Page]:
    with open_page(gallery.url) as opened_page:
        yield opened_page


def tab_to(page: Page, words: str) -> None:
    """Go on by Tab until what has the focus says these words; each stop on the way can be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() == 0:
            continue
        assert focused.evaluate(
            "e => getComputedStyle(e).outlineStyle !== 'none' || getComputedStyle(e).boxShadow !== 'none'"
        ), focused.evaluate("e => e.outerHTML")
        if words in (focused.inner_text() or "") or words == focused.get_attribute("aria-label"):
            return
    pytest.fail(f"Tab never comes to “{words}”")


def test_a_coach_signs_in_answers_and_closes_by_keys_alone(page: Page) -> None:
    press, write = page.keyboard.press, page.keyboard.type
    page.goto("/inbox")
    write("tomas@lingua.example")
    press("Tab")
    write(PASSWORD)
    press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    page.wait_for_load_state()

    press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    press("Enter")
    tab_to(page, "By keys")
    press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    press("Tab")
    press("Tab")
    assert page.evaluate(
        "document.querySelector('dialog').contains(document.activeElement) || document.activeElement === document.body"
    )
    press("Escape")
    expect(page.get_by_role("button", name="By keys")).to_be_focused()

    press("j")
    expect(page.get_by_role("log")).to_contain_text("שלום")
    page.wait_for_load_state()  # keys are a script's
    press("p")
    expect(page.get_by_role("complementary", name="The person")).to_be_focused()
    press("Escape")
    expect(page.get_by_role("link", name="Profile")).to_be_focused()

    press("r")
    write("Thursday is fine.")
    press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Thursday is fine.")
    press("Escape")
    press("e")
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
