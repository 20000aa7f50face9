"""A broadcast's page is pushed to by the server a user starts: its numbers move without a reload."""

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from http.client import HTTPResponse

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.models.words import MessageState, Role
from tests import factories
from tests.broadcasts import standings
from tests.harness import browser
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import Servers
from tests.harness.visitor import Visitor

PLACES = 4
"""A quarter of the house's BACKCHAT_WEB_THREADS."""
QUEUED = {"state": MessageState.QUEUED}


@pytest.fixture(scope="module")
def house(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The web process alone: what moves the numbers is the test."""
    with open_house(servers, tmp_path_factory.mktemp("house")) as opened:
        opened.start("web")
        yield opened


@pytest.fixture
def broadcast_id(house: House) -> int:
    """Four people wait, two of them without a message yet."""
    with house.rt.transaction() as session:
        return standings.make(session, QUEUED, QUEUED, unmade=2).id


@pytest.fixture
def marketer(house: House) -> Visitor:
    return sign_in(house)


def sign_in(house: House) -> Visitor:
    with house.rt.transaction() as session:
        email = factories.make_operator(session, Role.MARKETER).email
    visitor = Visitor(house.url)
    visitor.sign_in(email, factories.PASSWORD)
    return visitor


def open_stream(visitor: Visitor, broadcast_id: int, last: str = "") -> HTTPResponse:
    request = urllib.request.Request(f"{visitor.base_url}/broadcasts/{broadcast_id}/stream")
    if last:
        request.add_header("Last-Event-ID", last)
    answer = visitor._opener.open(request, timeout=30)
    assert isinstance(answer, HTTPResponse)
    return answer


def refusal(visitor: Visitor, broadcast_id: int) -> urllib.error.HTTPError:
    with pytest.raises(urllib.error.HTTPError) as refused:
        open_stream(visitor, broadcast_id)
    refused.value.close()
    return refused.value


def next_event(stream: HTTPResponse) -> dict[str, str]:
    """The next one with data; its lines by their names."""
    lines: dict[str, list[str]] = {}
    while True:
        line = stream.readline().decode().rstrip("\n")
        if not line and "data" in lines:
            return {name: "\n".join(values) for name, values in lines.items()}
        name, mark, value = line.partition(": ")
        if mark and name:
            lines.setdefault(name, []).append(value)


def sum_of(part: str) -> str:
    """The line that adds up the audience."""
    found = re.search(r"\d+ \+ .* = \d+", re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", part)))
    assert found
    return found[0]


def take(house: House, broadcast_id: int, **values: object) -> None:
    """WhatsApp takes all that is made."""
    taken = update(Message).where(Message.broadcast_id == broadcast_id)
    given = {"state": MessageState.ACCEPTED, "wire_at": datetime.now(UTC), **values}
    with house.rt.transaction() as session:
        session.execute(taken.values(**given))


def test_what_changes_is_pushed_and_always_adds_up(house: House, marketer: Visitor, broadcast_id: int) -> None:
    with closing(open_stream(marketer, broadcast_id)) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["X-Accel-Buffering"] == "no"
        assert "no-cache" in stream.headers["Cache-Control"]
        first = next_event(stream)
        assert sum_of(first["data"]) == "0 + 0 + 0 + 0 + 4 + 0 = 4"
        take(house, broadcast_id, delivery_level=3)
        second = next_event(stream)
        assert sum_of(second["data"]) == "2 + 0 + 0 + 0 + 2 + 0 = 4"
    assert sum_of(marketer.get(f"/broadcasts/{broadcast_id}/live")) == "2 + 0 + 0 + 0 + 2 + 0 = 4"


def test_who_comes_again_is_told_only_what_is_new(house: House, marketer: Visitor, broadcast_id: int) -> None:
    with house.rt.transaction() as session:
        session.execute(update(Broadcast).where(Broadcast.id == broadcast_id).values(state="paused"))
    with closing(open_stream(marketer, broadcast_id)) as stream:
        first = next_event(stream)
    time.sleep(1.1)  # the tokens of its forms are of another second then
    with closing(open_stream(marketer, broadcast_id, last=first["id"])) as stream:
        take(house, broadcast_id)
        assert sum_of(next_event(stream)["data"]) == "2 + 0 + 0 + 0 + 2 + 0 = 4"


def test_without_a_place_a_page_is_told_to_ask_by_itself_until_one_is_free(
    marketer: Visitor, broadcast_id: int
) -> None:
    with ExitStack() as watching:
        for _ in range(PLACES):
            next_event(watching.enter_context(closing(open_stream(marketer, broadcast_id))))
        refused = refusal(marketer, broadcast_id)
        assert refused.code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert "= 4" in sum_of(marketer.get(f"/broadcasts/{broadcast_id}/live"))

    def has_place() -> bool:
        try:
            with closing(open_stream(marketer, broadcast_id)):
                return True
        except urllib.error.HTTPError as refused:
            refused.close()
            return False

    wait_until(has_place, "those who went to be noticed")


def test_nobody_is_pushed_to_who_may_not_see_it(house: House, broadcast_id: int) -> None:
    assert refusal(Visitor(house.url), broadcast_id).code == 401


@pytest.mark.browser
def test_numbers_move_in_the_page_without_a_reload(house: House, broadcast_id: int) -> None:
    with house.rt.transaction() as session:
        email = factories.make_operator(session, Role.MARKETER).email
    with browser.open_page(house.url) as page:
        page.goto("/sign-in")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(factories.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.goto(f"/broadcasts/{broadcast_id}")
        watch_it_move(house, page, broadcast_id)


def watch_it_move(house: House, page: Page, broadcast_id: int) -> None:
    expect(page.get_by_text("0 + 0 + 0 + 0 + 4 + 0 = 4")).to_be_visible()
    page.evaluate("window.isSame = true")
    page.get_by_role("link", name="everybody", exact=True).focus()
    take(house, broadcast_id, delivery_level=2)
    expect(page.get_by_text("2 + 0 + 0 + 0 + 2 + 0 = 4")).to_be_visible()
    with house.rt.transaction() as session:
        session.execute(update(Message).where(Message.broadcast_id == broadcast_id).values(delivery_level=3))
        session.execute(update(Broadcast).where(Broadcast.id == broadcast_id).values(state="paused", reason="A break."))
    expect(page.get_by_text("A break.")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("Paused: 2 of 4 are done with.")
    assert page.evaluate("window.isSame")
    assert page.evaluate("document.activeElement.textContent") == "everybody"


def test_a_stop_is_not_held_up_by_those_who_watch(house: House, marketer: Visitor, broadcast_id: int) -> None:
    with closing(open_stream(marketer, broadcast_id)) as stream:
        next_event(stream)
        house.children["web"].ask_to_stop()
        try:
            stream.read()  # to its proper end: a worker that had to be killed would break it off
        except http.client.IncompleteRead as broken:
            pytest.fail(f"broken off after {len(broken.partial)} bytes")
    house.children["web"].stop()
    house.start("web")
