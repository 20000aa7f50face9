import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.host.checks import HostError, check_port, ensure_folder
from bot.host.reaching import check_database, check_redis
from tests.host.stage import Stage, said


def test_a_port_in_use_is_named_and_a_free_one_passes() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        other.listen()
        with pytest.raises(
            HostError, match=f"Port {port} on 127.0.0.1 is in use: stop what listens there, or set PORT"
        ):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)


def test_a_port_that_cannot_exist_is_named() -> None:
    with pytest.raises(HostError, match="no port 70000: set PORT to one from 1 to 65535"):
        check_port("127.0.0.1", 70000)


def test_an_address_of_another_machine_is_named(stage: Stage) -> None:
    script = "from bot.host import checks\ntry: checks.check_port('192.0.2.7', 8000)\nexcept Exception as it: print(it)"
    assert said(stage.play(script)) == (
        "Cannot listen on 192.0.2.7 (Cannot assign requested address): set BACKCHAT_HOST to an address of this machine."
    )


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        HostError, match=r"Cannot write to .*file/home \(Not a directory\): make it writable or set BACK"
    ):
        ensure_folder(tmp_path / "file" / "home")


def test_a_new_home_is_private_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o750)
    assert ensure_folder(tmp_path / "old").stat().st_mode & 0o777 == 0o750
    assert ensure_folder(tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_an_unreachable_database_is_named_without_its_password() -> None:
    with pytest.raises(
        HostError, match=r"Cannot reach the database chat at 127.0.0.1 \(.*\): start it, or correct"
    ) as it:
        check_database("postgresql+psycopg://me:s3cret@127.0.0.1:1/chat")
    assert "s3cret" not in str(it.value)
    assert "\n" not in str(it.value)


def test_an_unreachable_redis_is_named_without_its_password() -> None:
    with pytest.raises(
        HostError, match=r"Cannot reach Redis at 127.0.0.1:1/0 \(.*\): start it, or correct REDIS_URL"
    ) as it:
        check_redis("redis://me:s3cret@127.0.0.1:1/0")
    assert "s3cret" not in str(it.value)


def test_a_redis_too_old_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as old:
        old.settimeout(5)
        port = old.getsockname()[1]
        with pytest.raises(HostError, match=r"is 6\.0\.16: Backchat needs 6\.2 or newer"), _answering(old):
            check_redis(f"redis://127.0.0.1:{port}")


@contextmanager
def _answering(server: socket.socket) -> Iterator[None]:
    """A server that answers every command as a Redis 6.0.16 answers INFO."""
    info = b"# Server\r\nredis_version:6.0.16\r\n"

    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            while asked := connection.recv(4096):
                for _ in range(asked.count(b"*")):
                    is_info = b"INFO" in asked.upper()
                    connection.sendall(b"$%d\r\n%s\r\n" % (len(info), info) if is_info else b"-ERR unknown\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    yield
    thread.join()
