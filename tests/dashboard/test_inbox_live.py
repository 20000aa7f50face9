"""The inbox in a real browser: what moves without a click, and what must not."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from bot import live
from bot.conversations import assigning, threads
from bot.conversations.threads import Received
from bot.dashboard import pushing
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import MessageState, Role
from bot.runtime import Runtime
from tests.dashboard.test_reading import HOSTILE
from tests.factories import make_inbound, make_number, make_operator, make_outbound, make_person
from tests.harness.browser import open_page, sign_in, started

pytestmark = [
    pytest.mark.browser,
    # The development server forgets a static file whose reader has gone to another page; Granian does not.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"),
]


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def base_url(live_rt: Runtime) -> Iterator[str]:
    app = create_app(live_rt)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.port}"
    pushing.hub_of(app).end()
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as opened:
        yield opened


@pytest.fixture
def coach(live_rt: Runtime, base_url: str, browser: Browser) -> Iterator[Page]:
    with open_page(base_url, browser) as page:
        sign_in(page, live_rt, Role.COACH, url=base_url)
        yield page


@pytest.fixture
def ada(live_rt: Runtime) -> tuple[Person, Number]:
    with live_rt.transaction() as tx:
        return make_person(tx, first_name="Ada"), make_number(tx)


def write(session: Session, ada: tuple[Person, Number], body: str) -> int:
    """Ada writes; the conversation's id."""
    person, number = ada
    make_inbound(session, person, number, body)
    return threads.receive(session, number, [Received(person.id, datetime.now(UTC))])[person.id].conversation_id


def test_a_message_appears_by_itself_and_leaves_the_half_written_reply_alone(
    live_rt: Runtime, coach: Page, ada: tuple[Person, Number]
) -> None:
    coach.goto("/inbox")
    with live_rt.transaction() as tx:
        write(tx, ada, "hello there")
    coach.get_by_role("link", name="Ada").click()
    expect(coach.get_by_role("log")).to_contain_text("hello there")
    expect(coach.get_by_role("button", name="Mark as read")).to_have_count(0)
    coach.get_by_label("Your reply").fill("I was just going to")
    with live_rt.transaction() as tx:
        write(tx, ada, "are you there?")
    expect(coach.get_by_role("log")).to_contain_text("are you there?")
    expect(coach.get_by_label("Your reply")).to_have_value("I was just going to")
    coach.get_by_label("Your reply").press("Control+Enter")
    coach.get_by_role("button", name="Send anyway").click()
    expect(coach.get_by_role("log")).to_contain_text("Waiting to be sent")
    with live_rt.transaction() as tx:
        sent = update(Message).where(Message.state == MessageState.QUEUED)
        tx.execute(sent.values(state=MessageState.ACCEPTED, delivery_level=3))
    expect(coach.locator(".bubble-out")).to_contain_text("Read")


def test_what_a_colleague_does_shows_without_a_reload(
    live_rt: Runtime, coach: Page, ada: tuple[Person, Number]
) -> None:
    with live_rt.transaction() as tx:
        conversation_id = write(tx, ada, "hello")
        colleague = make_operator(tx, Role.COACH)
    coach.goto(f"/inbox/{conversation_id}")
    with live_rt.transaction() as tx:
        threads.close(tx, conversation_id, colleague.id)
    expect(coach.get_by_role("button", name="Reopen")).to_be_visible()
    expect(coach.get_by_text("This conversation is closed.")).to_be_visible()
    with live_rt.transaction() as tx:
        write(tx, ada, "one more thing")
    expect(coach.get_by_label("Your reply")).to_be_visible()
    with live_rt.transaction() as tx:
        assigning.assign(tx, conversation_id, colleague.id, colleague.id)
    expect(coach.get_by_text(f"{colleague.name} looks after this")).to_be_visible()


def test_nothing_that_people_write_runs(live_rt: Runtime, coach: Page, ada: tuple[Person, Number]) -> None:
    person, number = ada
    asked: list[str] = []
    coach.on("dialog", lambda dialog: asked.append(dialog.message))
    with live_rt.transaction() as tx:
        tx.execute(update(Person).values(first_name=HOSTILE))
        conversation_id = write(tx, ada, HOSTILE)
    coach.goto(f"/inbox/{conversation_id}")
    with live_rt.transaction() as tx:
        write(tx, ada, f"{HOSTILE} again")
        make_outbound(tx, person, number, HOSTILE, state=MessageState.FAILED, error_text=HOSTILE)
    expect(coach.locator(".bubble")).to_have_count(3)
    assert asked == []


def test_signing_out_elsewhere_ends_a_page_left_open(
    live_rt: Runtime, base_url: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LIFE_S", 1.0)  # a page that is pushed to comes again after so long, as who it then is
    page = browser.new_page(
        base_url=base_url
    )  # not open_page: the browser notes the answer 401 as an error of the page
    sign_in(page, live_rt, Role.COACH, url=base_url)
    page.goto("/inbox")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    with live_rt.transaction() as tx:
        tx.connection().exec_driver_sql("UPDATE sign_in SET ended_at = now()")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.close()
