"""Two coaches at work in two browsers at once, told through the processes a user starts."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bot.models.words import Role
from tests.harness.browser import open_pages, sign_in, started
from tests.harness.children import wait_until
from tests.harness.house import SLUG, House, open_house
from tests.harness.servers import Servers
from tests.harness.simulator import WABA_ID

pytestmark = pytest.mark.browser

ADA = "+201012345701"
TEMPLATE = {
    "name": "go_on",
    "language": "en",
    "category": "UTILITY",
    "components": [{"type": "BODY", "text": "May we go on with your question?"}],
}


@pytest.fixture(scope="module")
def house(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("two-coaches")
    with open_house(servers, folder) as opened:
        (folder / "go_on.json").write_text(json.dumps(TEMPLATE))
        opened.run("template", "add", SLUG, str(folder / "go_on.json"))
        opened.simulator.configure(templates=[{"waba_id": WABA_ID, **TEMPLATE}])
        opened.start()
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as opened:
        yield opened


@pytest.fixture
def coaches(house: House, browser: Browser) -> Iterator[list[Page]]:
    """Both have Ada's conversation open."""
    asked = len(said_to_ada(house))
    assert house.simulator.say(ADA, f"Question {asked}", name="Ada") == [200]
    wait_until(lambda: house.ask("SELECT count(*) FROM conversation WHERE unread_count > 0") == 1, "Ada's question")
    with open_pages(house.url, 2, browser) as pages:
        for page in pages:
            sign_in(page, house.rt, Role.COACH)
            page.goto("/inbox")
            page.get_by_role("link", name="Ada").first.click()
            expect(log_of(page)).to_contain_text(f"Question {asked}")
            page.wait_for_load_state()
        yield pages


def log_of(page: Page) -> Locator:
    return page.get_by_role("log")


def reply_of(page: Page) -> Locator:
    return page.get_by_label("Your reply")


def said_to_ada(house: House) -> list[str]:
    """Texts and names of templates that the provider took."""
    taken = [entry for entry in house.simulator.log() if entry["to"].lstrip("+") == ADA[1:]]
    return [entry["template"] if entry["type"] == "template" else entry["text"] for entry in taken]


def test_one_person_is_answered_once_by_two_who_press_at_the_same_time(house: House, coaches: list[Page]) -> None:
    one, other = coaches
    for page in coaches:
        expect(page.get_by_text("is here too")).to_be_visible()
        expect(page.get_by_text("Nobody looks after this yet")).to_be_visible()
    reply_of(one).press_sequentially("On Monday at ten.")
    expect(other.get_by_text("is writing")).to_be_visible()
    reply_of(other).fill("On Friday at noon.")

    for page in coaches:
        page.evaluate("() => { document.querySelector('[data-reply]').requestSubmit(); }")
    for page in coaches:
        expect(log_of(page).locator(".bubble-out")).to_have_count(1)
    expect(other.get_by_role("alert")).to_contain_text("is writing")
    other.get_by_role("button", name="Send mine too").click()
    expect(other.get_by_role("alert")).to_contain_text("A colleague has answered meanwhile")
    expect(reply_of(other)).to_have_value("On Friday at noon.")
    house.settle()
    assert said_to_ada(house) == ["On Monday at ten."]
    expect(one.get_by_text("You look after this")).to_be_visible()
    expect(other.get_by_text("looks after this")).to_be_visible()


def test_a_hand_over_is_seen_by_the_other_without_a_reload(coaches: list[Page]) -> None:
    one, other = coaches
    one.get_by_role("button", name="Take").click()
    expect(other.get_by_text("looks after this")).to_be_visible()
    with other.expect_response(lambda answer: "/assign" in answer.url):
        other.get_by_role("button", name="Take").click()
    expect(other.get_by_text("You look after this")).to_be_visible()
    expect(one.get_by_text("You look after this")).to_have_count(0)
    one.get_by_role("button", name="Take").wait_for()


def test_the_window_closes_while_somebody_types_and_their_words_wait_for_the_answer(
    house: House, coaches: list[Page]
) -> None:
    one, other = coaches
    reply_of(one).press_sequentially("The price is ")
    with house.rt.transaction() as session:
        session.connection().exec_driver_sql(
            "UPDATE conversation SET last_inbound_at = now() - interval '23 hours 59 minutes 50 seconds'"
        )
    one.reload()
    reply_of(one).fill("The price is 25.")
    expect(one.get_by_text("Ask them back with a template")).to_be_visible(timeout=60_000)
    expect(one.get_by_label("Send this when they answer")).to_have_value("The price is 25.")
    before = said_to_ada(house)
    one.get_by_role("button", name="Send the template").click()
    expect(other.get_by_text("Waits for their answer")).to_be_visible()
    wait_until(lambda: said_to_ada(house) == [*before, "go_on"], "the template")

    house.simulator.say(ADA, "Yes, please", name="Ada")
    wait_until(lambda: said_to_ada(house) == [*before, "go_on", "The price is 25."], "what was held")
    for page in coaches:
        expect(log_of(page)).to_contain_text("The price is 25.")
        expect(page.get_by_text("Waits for their answer")).to_have_count(0)
    house.settle()
    assert said_to_ada(house) == [*before, "go_on", "The price is 25."]
