"""The web server's way to end."""

import socket
import urllib.request
from contextlib import nullcontext
from threading import Event, Thread
from unittest.mock import Mock

import pytest
from granian.server import MPServer

from bot.host.web import WebServer, drain
from tests.harness.children import wait_until
from tests.harness.house import House


@pytest.mark.parametrize("sign", ["interrupt", "reload"])
def test_a_signal_is_heard_even_while_the_server_begins_to_wait(sign: str) -> None:
    server = object.__new__(WebServer)  # to be made, it would set up logging for this whole process
    server.main_loop_interrupt = Event()

    def be_told_while_waiting_begins() -> None:  # wait() holds the lock then, as set() does; signals come amid both
        with server.main_loop_interrupt._cond:  # type: ignore[attr-defined]
            getattr(server, f"signal_handler_{sign}")()
            getattr(server, f"signal_handler_{sign}")()

    Thread(target=be_told_while_waiting_begins, daemon=True).start()
    wait_until(server.main_loop_interrupt.is_set, "the server to hear of it", timeout_s=10)
    assert getattr(server, f"{sign}_signal")


def test_whoever_is_connected_when_the_server_stops_is_still_accepted_and_nobody_after_them() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as early,
    ):
        draining = Thread(target=drain, args=[listening])
        draining.start()
        wait_until(lambda: not connects(listening), "new connections to be dropped")
        accepted, whose = listening.accept()
        with accepted:
            assert whose == early.getsockname()
            early.sendall(b"hi")
            assert accepted.recv(2) == b"hi"
        draining.join(timeout=10)
        assert not draining.is_alive()
        assert not connects(listening)


def test_workers_are_told_to_stop_once_nobody_new_can_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    let_in = list[bool]()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setattr(MPServer, "shutdown", lambda _self, _code: let_in.append(connects(listening)))
        server = object.__new__(WebServer)
        server.wrks, server._sso = [Mock()], listening
        server.shutdown()
    assert let_in == [False]


@pytest.mark.parametrize("is_told", [True, False])
def test_workers_that_are_told_to_stop_with_the_server_are_no_failure(
    monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    def shut_down(_self: object, _code: int) -> None:
        raise SystemExit(1)

    monkeypatch.setattr(MPServer, "shutdown", shut_down)
    server = object.__new__(WebServer)
    server.wrks, server.interrupt_signal = [], is_told
    with nullcontext() if is_told else pytest.raises(SystemExit):
        server.shutdown()


def connects(listening: socket.socket) -> bool:
    """Whether a connection is ready, without anybody accepting it."""
    try:
        socket.create_connection(listening.getsockname(), timeout=0.2).close()
    except TimeoutError:
        return False
    return True


def test_a_connection_outlives_the_worker_that_has_not_accepted_it(empty_house: House) -> None:
    house = empty_house
    house.start("web")
    for worker in house.children["web"].descendants():
        worker.kill()
        worker.wait(timeout=10)
    with urllib.request.urlopen(f"{house.url}/healthz", timeout=30) as answer:
        assert answer.status == 200
