"""A person sends files, the worker fetches them, and a coach sees them in a real browser."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.models.words import Role
from tests.harness import browser
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import Servers
from tests.harness.simulator import ACCESS_TOKEN

PHONE = "+201000000077"
SENT = (
    ("image", "sample-image", "stored"),
    ("voice_note", "sample-voice", "stored"),
    ("document", "sample-document", "stored"),
    ("sticker", "sample-sticker", "stored"),
    ("image", "sample-svg", "stored"),
    ("image", "sample-html", "stored"),
    ("image", "sample-polyglot", "stored"),
    ("sticker", "sample-endless", "refused"),
)


@pytest.fixture(scope="module")
def sent(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All of Backchat; everything of SENT has come in and was fetched, or not."""
    with open_house(servers, tmp_path_factory.mktemp("house")) as house:
        house.start()
        for kind, media_id, _ in SENT:
            assert house.simulator.say(PHONE, type=kind, content={"id": media_id, "sha256": None}) == [200]
        done = sorted(state for _, _, state in SENT)
        wait_until(lambda: states(house) == done, "the files to be fetched", timeout_s=60)
        yield house


def states(house: House) -> list[str]:
    return sorted(house.ask("SELECT coalesce(array_agg(state), '{}') FROM media"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.started() as opened:
        yield opened


@pytest.fixture
def coach(sent: House, chromium: Browser) -> Iterator[Page]:
    with browser.open_page(sent.url, chromium) as page:
        browser.sign_in(page, sent.rt, Role.COACH)
        yield page


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_files_arrive_are_fetched_and_are_seen_and_no_script_of_theirs_runs(
    width: int, coach: Page, sent: House
) -> None:
    dialogs: list[str] = []
    coach.context.on("dialog", lambda dialog: dialogs.append(dialog.message))
    coach.set_viewport_size({"width": width, "height": 900})
    coach.goto(f"/inbox/{sent.ask('SELECT id FROM conversation')}")
    for picture in coach.locator(".bubble img").all():
        picture.scroll_into_view_if_needed()
    natural = "() => [...document.querySelectorAll('.bubble img')].map((one) => one.naturalWidth)"
    wait_until(lambda: coach.evaluate(natural)[:2] == [96, 1], "the photo and the sticker to be painted")
    expect(coach.get_by_label("Voice message")).to_be_visible()
    expect(coach.get_by_text("letter.pdf")).to_be_visible()
    expect(coach.get_by_text("There is no file here. The file is larger than 0.5 MB.")).to_be_visible()
    assert coach.evaluate("() => document.documentElement.scrollWidth") <= width
    for card in coach.locator("a.media-card").all():
        with coach.expect_download() as download:
            card.click()
        assert download.value.failure() is None
    for picture in coach.locator("a.media-image").all():
        with coach.expect_popup() as opened:
            picture.click()
        opened.value.wait_for_load_state()
    assert dialogs == []
    assert sent.leaks([PHONE.lstrip("+"), ACCESS_TOKEN, "letter.pdf"]) == []


def test_a_file_is_nobodys_without_signing_in(sent: House) -> None:
    media_id = sent.ask("SELECT min(id) FROM media WHERE state = 'stored'")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{sent.url}/media/{media_id}", timeout=10)
