"""Calls over kept connections: what an answer may look like, and what is never taken for one."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.messages.calls import Caller, NoAnswerError, NothingLeftError
from bot.providers.base import HttpRequest, UnsendableError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def peer(*answers: bytes, ends: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """A host that gives each connection these answers in turn, then closes it or stays; and all it was sent."""
    listening = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []
    kept: list[socket.socket] = []

    def serve(taken: socket.socket) -> None:
        for answer in answers:
            if data := taken.recv(65_536):
                heard.append(data)
                taken.sendall(answer)
        if ends:
            taken.close()

    def accept() -> None:
        while True:
            try:
                kept.append(listening.accept()[0])
            except OSError:
                return
            threading.Thread(target=serve, args=(kept[-1],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/to%20there?a=b", heard
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for taken in kept:
            taken.close()


def ask(url: str, times: int = 1, timeout_s: float = 1.0, **headers: str) -> list[tuple[int, bytes]]:
    async def all_of_them() -> list[tuple[int, bytes]]:
        async with Caller(timeout_s) as caller:
            return [await caller.ask(HttpRequest("POST", url, headers, b"body")) for _ in range(times)]

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
    ],
)
def test_an_answer_is_read_in_any_form_and_the_connection_used_again(answer: bytes) -> None:
    with peer(answer, answer) as (url, heard):
        assert ask(url, times=2, Authorization="Bearer x") == [(200, b"ok")] * 2
    assert heard[0].startswith(b"POST /to%20there?a=b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAuthorization: Bearer x\r\n" in heard[0]
    assert heard[0].endswith(b"Content-Length: 4\r\n\r\nbody")
    assert len(heard) == 2


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\n\r\nok", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
)
def test_a_connection_that_ends_with_its_answer_is_not_used_again(answer: bytes) -> None:
    with peer(answer, ends=True) as (url, _):
        assert ask(url, times=2) == [(200, b"ok")] * 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no",
        b"SSH-2.0-server\r\n",
        OK + OK,
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ],
)
@pytest.mark.parametrize("ends", [True, False])
def test_what_is_no_whole_answer_leaves_it_open_what_became_of_the_call(answer: bytes, ends: bool) -> None:
    with peer(answer, ends=ends) as (url, heard):
        with pytest.raises(NoAnswerError):
            ask(url, timeout_s=0.3)
        assert len(heard) == 1


def test_where_nobody_listens_nothing_has_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NothingLeftError):
        ask(f"http://127.0.0.1:{port}/")


def test_a_host_that_nobody_knows_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NothingLeftError):
        ask("http://nowhere.invalid/")


def test_a_header_cannot_begin_another() -> None:
    with peer(OK) as (url, heard):
        with pytest.raises(UnsendableError, match="end of a line"):
            ask(url, Authorization="x\r\nX-Evil: 1")
        assert heard == []
