"""Down is not lost: servers taken away and processes killed under webhooks that come in all the same."""

import contextlib
import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import orjson
import psutil
import pytest

from bot.journeys import loading
from tests.harness import gate as gates
from tests.harness.children import wait_until
from tests.harness.gate import Gate
from tests.harness.house import SLUG, House
from tests.harness.simulator import APP_SECRET, NUMBER_ID
from tests.webhooks.conftest import contact, envelope, signed, text_message
from webhooks import inbox, spool

MENU = """
journey: menu
start: {first_message: true}
steps:
  - say: One or two?
"""
REFUSED = "refused"


def bodies(count: int) -> list[bytes]:
    """Messages of so many people, one each."""
    phones = [f"2010{number:08d}" for number in range(count)]
    return [
        orjson.dumps(envelope(NUMBER_ID, messages=[text_message("hi", sender=phone)], contacts=[contact(phone)]))
        for phone in phones
    ]


def post(house: House, body: bytes) -> int | str:
    """The status, or how the connection ended without one."""
    with closing(http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=30)) as connection:
        try:
            connection.request("POST", f"/webhooks/{SLUG}", body, signed(body, APP_SECRET))
            return connection.getresponse().status
        except ConnectionRefusedError:
            return REFUSED
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__


def post_all(house: House, given: list[bytes], threads: int = 8) -> set[int | str]:
    with ThreadPoolExecutor(threads) as pool:
        return set(pool.map(lambda body: post(house, body), given))


def said(house: House) -> int:
    return int(house.ask("SELECT count(*) FROM message WHERE direction = 'in'"))


def replies(house: House) -> int:
    return int(house.ask("SELECT count(*) FROM message WHERE author_kind = 'stack'"))


def answering(house: House) -> None:
    with house.rt.transaction() as session:
        loading.load(session, "live", MENU, "menu.yaml")


def health(house: House) -> dict[str, object]:
    try:
        with urllib.request.urlopen(f"{house.url}/healthz", timeout=30) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))


@pytest.fixture
def gate(empty_house: House) -> Iterator[Gate]:
    """What stands between the processes and their database; the test itself goes past it."""
    with gates.before(empty_house.environment["DATABASE_URL"]) as opened:
        yield opened
        opened.open()


def test_without_redis_webhooks_are_taken_and_applied_by_looking_and_once(empty_house: House) -> None:
    """Case 9."""
    house = empty_house
    answering(house)
    house.start("web", "intake", "clock")
    house.redis.stop()
    given = bodies(150)
    assert post_all(house, given) == {200}
    wait_until(lambda: said(house) == 150, "the messages, though nobody rings", timeout_s=90)
    house.redis.revive()
    assert post_all(house, given[:50]) == {200}
    [late] = bodies(151)[150:]
    assert post(house, late) == 200
    wait_until(lambda: said(house) == 151, "the message after Redis came back", timeout_s=60)
    wait_until(lambda: house.ask("SELECT count(*) FROM webhook_event WHERE state = 'new'") == 0, "the queue")
    assert replies(house) == 151
    assert house.ask("SELECT count(*) FROM conversation") == 151


@pytest.mark.slow
def test_a_redis_that_is_full_costs_no_webhook(empty_house: House) -> None:
    """Case 94: it refuses every ring, and then it recovers."""
    house = empty_house
    house.start("web", "intake", "clock")
    house.rt.redis.config_set("maxmemory", 1)
    given = bodies(40)
    assert post_all(house, given[:20]) == {200}
    wait_until(lambda: said(house) == 20, "the messages, though no ring is taken", timeout_s=60)
    assert '"doorbell.failed"' in house.children["web"].output()
    house.rt.redis.config_set("maxmemory", 0)
    assert post_all(house, given) == {200}
    wait_until(lambda: said(house) == 40, "the messages after", timeout_s=60)


@pytest.mark.parametrize("count, away_s", [(60, 0), pytest.param(300, 60, marks=pytest.mark.slow)])
def test_without_postgresql_webhooks_wait_on_the_disk_and_are_applied_once_after(
    empty_house: House, gate: Gate, count: int, away_s: int
) -> None:
    """Case 10: PostgreSQL is out of reach for as long as it takes to deliver, and for a minute."""
    house = empty_house
    answering(house)
    house.start("web", "intake", "clock", DATABASE_URL=gate.url)
    given = bodies(1 + count)
    assert post(house, given[0]) == 200
    gate.shut()
    began = time.monotonic()
    for at in range(0, len(given), 20):
        assert post_all(house, given[at : at + 20]) == {200}
        time.sleep(max(0.0, began + away_s * at / len(given) - time.monotonic()))
    assert house.ask("SELECT count(*) FROM webhook_event") == 1
    assert health(house)["database"] == "unreachable"
    assert spool.measure(house.rt.settings.spool).files > 0
    gate.open()
    wait_until(lambda: said(house) == 1 + count, "the messages", timeout_s=60)
    assert spool.measure(house.rt.settings.spool).files == 0
    assert house.ask("SELECT count(*) FROM webhook_event") == 1 + count
    assert replies(house) == 1 + count


@pytest.mark.slow
def test_what_a_dead_web_process_left_on_the_disk_the_clock_stores_though_it_is_killed_too(
    empty_house: House, gate: Gate
) -> None:
    """Case 12: killed between storing a file and deleting it."""
    house = empty_house
    answering(house)
    house.start("web", DATABASE_URL=gate.url)
    given = bodies(20)
    assert post(house, given[0]) == 200
    gate.shut()
    assert post_all(house, given[1:]) == {200}
    house.kill("web")
    clock = house.children["clock"]
    house.start("clock", BACKCHAT_FAILPOINT="IN6:kill9:1")
    wait_until(lambda: not clock.alive(), "the clock to be killed as it drains")
    left = spool.measure(house.rt.settings.spool).files
    assert left > 0
    assert house.ask("SELECT count(*) FROM webhook_event") > 1
    house.start("clock", "intake")
    wait_until(lambda: said(house) == 20, "the messages")
    assert spool.measure(house.rt.settings.spool).files == 0
    assert house.ask("SELECT count(*) FROM webhook_event") == 20
    assert replies(house) == 20


def test_a_web_process_killed_before_its_file_is_whole_has_acknowledged_nothing(empty_house: House, gate: Gate) -> None:
    """Case 12: what it left behind is never read."""
    house = empty_house
    house.start("web", DATABASE_URL=gate.url, BACKCHAT_FAILPOINT="IN5:kill9:1")
    given = bodies(2)
    assert post(house, given[0]) == 200
    gate.shut()
    assert post(house, given[1]) not in {200, 503}
    [half] = house.rt.settings.spool.iterdir()
    assert half.suffix == ".tmp"
    house.kill("web")
    inbox.sweep_spool(house.rt)
    assert house.ask("SELECT count(*) FROM webhook_event") == 1


@pytest.mark.slow
def test_a_deploy_under_steady_intake_loses_and_doubles_nothing(empty_house: House) -> None:
    """Case 28: whoever sends sees 200 or nobody there, and sends again."""
    house = empty_house
    answering(house)
    house.start("web", "intake", "clock")
    given, seen, is_over = bodies(400), set[int | str](), threading.Event()

    def deliver(body: bytes) -> None:
        while (answer := post(house, body)) != 200:
            seen.add(answer)
            is_over.wait(0.05)

    with ThreadPoolExecutor(8) as pool:
        sending = [pool.submit(deliver, body) for body in given]
        for amid in sending[60:300:60]:
            amid.result()
            house.children["web"].stop()
            house.children["intake"].stop()
            house.start("web", "intake")
        for future in sending:
            future.result()
    assert seen <= {REFUSED}
    wait_until(lambda: said(house) == 400, "the messages", timeout_s=60)
    assert house.ask("SELECT count(*) FROM webhook_event") == 400
    assert replies(house) == 400


@pytest.mark.slow
def test_large_and_endless_bodies_cost_no_more_memory_than_the_limit_allows(empty_house: House) -> None:
    """Case 19: deep, 3 MiB, one byte more than 4 MiB, and chunked without an end."""
    house = empty_house
    house.start("web", "intake", "clock")
    limit = house.rt.settings.webhook_max_bytes
    place = urlsplit(house.url)
    assert post(house, bodies(1)[0]) == 200
    assert post(house, b"[" * 10_000 + b"]" * 10_000) == 200
    assert post(house, b" " * (3 * 1024 * 1024)) == 200
    process = max(house.children["web"].descendants(), key=lambda each: each.memory_info().rss)
    before = process.memory_info().rss  # what a body within the limit took is kept for the next one
    assert post(house, b" " * (limit + 1)) in {413, "BrokenPipeError", "ConnectionResetError"}
    with closing(http.client.HTTPConnection(place.netloc, timeout=30)) as connection:
        with contextlib.suppress(OSError):
            connection.request("POST", f"/webhooks/{SLUG}", endless(limit), encode_chunked=True, headers=CHUNKED)
        with contextlib.suppress(OSError, http.client.HTTPException):
            assert connection.getresponse().status == 413
    assert process.memory_info().rss - before < 3 * limit
    wait_until(lambda: house.ask("SELECT count(*) FROM webhook_event WHERE state = 'quarantined'") == 2, "the verdicts")
    assert house.ask("SELECT count(*) FROM webhook_event") == 3
    assert psutil.pid_exists(process.pid)


CHUNKED = {"Transfer-Encoding": "chunked"}


def endless(limit: int) -> Iterator[bytes]:
    for _ in range(20):
        yield b" " * (limit // 2)
