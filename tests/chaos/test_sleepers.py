"""A sender that sleeps at the worst moment, loses its leases to the sweep, and wakes up again (cases 41 to 43)."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from sqlalchemy import text

from bot.messages import jobs
from bot.messages.compose import Author, Draft, compose, text_content
from bot.messages.wire import STALE_AFTER_S
from bot.models.connection import Number
from bot.models.words import AuthorKind
from tests import factories
from tests.harness.campaign import enrol, launch
from tests.harness.children import Child, wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import Servers
from tests.harness.simulator import BUSINESS_PHONE, NUMBER_ID, WABA_ID

EVER_IN_DOUBT = "SELECT count(*) FROM message WHERE broadcast_id = :id AND unknown_at IS NOT NULL"


@pytest.fixture(scope="module")
def still(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Webhooks come in and are applied; nobody sends but the test's own pumps."""
    with open_house(servers, tmp_path_factory.mktemp("still")) as house:
        line = {"id": NUMBER_ID, "waba_id": WABA_ID, "display_phone_number": BUSINESS_PHONE, "check_window": False}
        house.simulator.configure(numbers=[line])
        house.start("web", "intake")
        yield house


@contextmanager
def asleep(house: House, failpoint: str, window: int = 4) -> Iterator[None]:
    """A sender of its own that stops at the failpoint; its leases end at once, and it wakes when the block does."""
    command = [sys.executable, "-m", "tests.harness.pump", "send"]
    child = Child(f"sleeper-{failpoint}", command, house.environment, house.folder)
    child.start(BACKCHAT_FAILPOINT=f"{failpoint}:stop:600", BACKCHAT_SEND_WINDOW=str(window))
    try:
        sleeper = wait_until(lambda: stopped(child.family()), f"a sender that sleeps at {failpoint}")
        with house.rt.transaction() as session:
            session.execute(text("UPDATE message SET lease_until = now() WHERE lease_until IS NOT NULL"))
        jobs.sweep(house.rt)
        yield
        os.kill(sleeper, signal.SIGCONT)
        assert child.process is not None
        assert child.process.wait(60) == 0
    finally:
        child.kill()


def stopped(family: list[psutil.Process]) -> int | None:
    return next((each.pid for each in family if each.status() == psutil.STATUS_STOPPED), None)


def owe(house: House, count: int) -> list[int]:
    with house.rt.transaction() as session:
        author = Author(AuthorKind.API, factories.make_token(session).id)
        drafts = [Draft(id_, "text", text_content("Yes."), "Yes.") for id_ in enrol(session, count)]
        return compose(session, session.get_one(Number, house.number_id), author, drafts)


def end(house: House) -> None:
    """What came back to the queue waits for its time."""
    with house.rt.transaction() as session:
        session.execute(text("UPDATE message SET not_before = NULL WHERE state = 'queued'"))
    jobs.drain_outbox()
    house.settle()
    assert house.verdict().is_green
    assert house.verdict().doubt == set()


def test_who_sleeps_over_a_claim_finds_that_somebody_else_has_sent_it(still: House) -> None:
    before = still.simulator.accepted()
    replies = owe(still, 6)
    with asleep(still, "FP2"):
        jobs.drain_outbox()
        assert still.simulator.accepted() == before + 6
    end(still)
    assert still.simulator.accepted() == before + 6
    query = "SELECT count(*) FROM message WHERE id = ANY(:ids) AND unknown_at IS NULL AND state = 'accepted'"
    assert still.ask(query, ids=replies) == 6


@pytest.mark.slow
def test_who_sleeps_between_the_mark_and_the_write_does_not_write_and_says_so(still: House) -> None:
    before = still.simulator.accepted()
    broadcast = launch(still, 12)
    with asleep(still, "FP3"):
        slept_from = time.monotonic()
        jobs.drain_outbox()
        assert still.simulator.accepted() == before + 8
        assert still.states()["unknown"] == 4
        wait_until(lambda: time.monotonic() - slept_from > STALE_AFTER_S + 1, "the deadline")
    assert still.ask(EVER_IN_DOUBT, id=broadcast) == 4
    end(still)
    assert still.simulator.accepted() == before + 12


def test_what_is_written_after_the_sleep_is_sent_once_though_it_was_in_doubt(still: House) -> None:
    before = still.simulator.accepted()
    broadcast = launch(still, 12)
    with asleep(still, "FP4"):
        jobs.drain_outbox()
        assert still.states()["unknown"] == 4
    assert (
        still.ask("SELECT count(*) FROM message WHERE broadcast_id = :id AND evidence = 'response'", id=broadcast) > 8
    )
    end(still)
    assert still.ask(EVER_IN_DOUBT, id=broadcast) == 4
    assert still.simulator.accepted() == before + 12
