"""The same promises over the real server, with several processes and threads at once."""

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import orjson
import pytest

from bot.journeys import loading
from tests.harness.children import wait_until
from tests.harness.house import SLUG, House
from tests.harness.simulator import APP_SECRET, NUMBER_ID
from tests.webhooks.conftest import PHONE, contact, envelope, signed, text_message

LIMIT = 20_000

MENU = """
journey: menu
start: {keywords: [menu]}
steps:
  - say: One or two?
"""


def body_of(text: str) -> bytes:
    return orjson.dumps(envelope(NUMBER_ID, messages=[text_message(text)], contacts=[contact()]))


def post(house: House, body: bytes) -> int:
    """The status of one request on a connection of its own; 0 if the server went away."""
    with closing(http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=30)) as connection:
        try:
            connection.request("POST", f"/webhooks/{SLUG}", body, signed(body, APP_SECRET))
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0


def speak(house: House, head: bytes, *chunks: bytes) -> bytes:
    """What the server answers to these bytes, as far as it lets us send them."""
    place = urlsplit(house.url)
    with socket.create_connection((place.hostname, place.port or 80), timeout=10) as connection:
        connection.sendall(b"POST /webhooks/line HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + head + b"\r\n")
        try:
            for chunk in chunks:
                connection.sendall(chunk)
        except OSError:
            pass
        answer = b""
        while part := connection.recv(4096):
            answer += part
        return answer


def test_twenty_copies_at_once_over_two_processes_are_one_message_and_one_reply(empty_house: House) -> None:
    """Case 3."""
    house = empty_house
    house.start("web", "intake", "send", BACKCHAT_WEB_PROCESSES="2")
    with house.rt.transaction() as session:
        loading.load(session, "live", MENU, "menu.yaml")
    assert house.simulator.say(PHONE, "hello") == [200]  # only now may the simulator be sent a free text
    body = body_of("Menu")
    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(lambda _: post(house, body), range(20))) == [200] * 20
    wait_until(lambda: len(house.simulator.log()) == 1, "the reply")
    house.settle()
    assert house.ask("SELECT count(*) FROM webhook_event WHERE body = :body", body=body) == 1
    assert house.ask("SELECT count(*) FROM message WHERE direction = 'in' AND body = 'Menu'") == 1
    assert len(house.simulator.log()) == 1


@pytest.mark.parametrize("failpoint, rows", [("IN1", 0), ("IN2", 1)], ids=["before the commit", "after the commit"])
def test_a_web_process_killed_around_the_commit_loses_and_doubles_nothing(
    empty_house: House, failpoint: str, rows: int
) -> None:
    """Cases 6 and 7."""
    house, body = empty_house, body_of("hello")
    house.start("web", BACKCHAT_FAILPOINT=f"{failpoint}:kill9:1")
    assert post(house, body) == 0
    assert house.ask("SELECT count(*) FROM webhook_event") == rows
    house.kill("web")
    house.start("web", "intake", "clock")  # the ring may have died with the process, so the clock's sweep is needed
    assert post(house, body) == 200
    assert house.ask("SELECT count(*) FROM webhook_event") == 1
    wait_until(lambda: house.ask("SELECT count(*) FROM message") == 1, "the message")


def test_what_only_a_real_server_shows_of_a_request(empty_house: House) -> None:
    house = empty_house
    house.start("web", BACKCHAT_WEBHOOK_MAX_BYTES=str(LIMIT))
    body = b"{}"
    signature = f"X-Hub-Signature-256: {signed(body, APP_SECRET)['X-Hub-Signature-256']}\r\n".encode()
    length = b"Content-Length: 2\r\n"
    assert speak(house, signature + length, body).startswith(b"HTTP/1.1 200")
    assert speak(house, signature * 2 + length, body).startswith(b"HTTP/1.1 401")
    assert speak(house, b"X-Hub-Signature-256: sha256=\xff\xfe\r\n" + length, body).startswith(b"HTTP/1.1 401")
    chunked = b"Transfer-Encoding: chunked\r\n"
    assert speak(house, signature + chunked, b"2\r\n{}\r\n0\r\n\r\n").startswith(b"HTTP/1.1 200")
    piece = b"1000\r\n" + b"a" * 4096 + b"\r\n"
    assert speak(house, signature + chunked, *[piece] * 100, b"0\r\n\r\n").startswith(b"HTTP/1.1 413")
    too_long = f"Content-Length: {LIMIT + 1}\r\n".encode()
    assert speak(house, signature + too_long, b"a").startswith(b"HTTP/1.1 413")
    assert house.ask("SELECT count(*) FROM webhook_event") == 1
