"""A start that cannot work ends with one sentence that says what to do, and leaves nothing behind."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo import seed
from bot.host import family
from bot.runtime import Runtime
from tests.harness import forkserver
from tests.harness.children import OURS
from tests.harness.house import free_port
from tests.harness.servers import Servers


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


def refused(folder: Path, command: str = "run", /, **environment: str) -> str:
    """What `backchat <command>` says when it ends at once, with nobody left of it."""
    mark = f"test-{os.getpid()}.refused"
    printed, told = folder / "printed", folder / "told"
    process = forkserver.start(["backchat", command], {**OURS, family.MARK: mark, **environment}, printed, told)
    try:
        assert (process.wait(120), printed.read_text()) == (1, "")
    finally:
        left = family.members(mark)
        family.kill(mark)
    assert not left
    assert told.read_text().count("\n") == 1
    return told.read_text()


def test_a_port_in_use(tmp_path: Path, taken_port: str) -> None:
    home = tmp_path / "home"
    assert "set PORT to a free one" in refused(tmp_path, BACKCHAT_HOME=str(home), PORT=taken_port)
    assert not home.exists()


@pytest.mark.parametrize(
    "name, value, remedy",
    [
        ("BACKCHAT_HOME", "/dev/null/home", "set BACKCHAT_HOME to a folder that is"),
        ("DATABASE_URL", "postgresql://me:s3cret@127.0.0.1:1/chat", "start it, or correct DATABASE_URL"),
        ("BACKCHAT_LOG_LEVEL", "LOUD", "must be DEBUG, INFO, WARNING or ERROR"),
        ("DATABASE_URL", "mysql://me:s3cret@127.0.0.1/chat", "must start with postgresql://"),
        ("PORT", "eighty", "PORT is 'eighty': must be a whole number, 1 or more"),
    ],
)
def test_a_setting_that_cannot_work(tmp_path: Path, name: str, value: str, remedy: str) -> None:
    environment = {"BACKCHAT_HOME": str(tmp_path / "home"), "PORT": str(free_port())} | {name: value}
    told = refused(tmp_path, **environment)
    assert remedy in told
    assert "s3cret" not in told


def test_a_database_whose_secrets_another_key_has_sealed(servers: Servers, live_rt: Runtime, tmp_path: Path) -> None:
    with live_rt.transaction() as session:
        seed.seed(session, "another key, of a folder that is gone", "http://127.0.0.1:9")
    told = refused(
        tmp_path,
        BACKCHAT_HOME=str(tmp_path / "home"),
        DATABASE_URL=live_rt.engine.url.render_as_string(hide_password=False),
        REDIS_URL=servers.redis_url,
        PORT=str(free_port()),
    )
    assert "set it as BACKCHAT_SECRET_KEY" in told


@pytest.mark.parametrize("command", ["run", "web"])
def test_a_spool_that_cannot_be_written(tmp_path: Path, command: str) -> None:
    """Case 11, at the start: without it a webhook would be lost while the database is away."""
    servers = {"DATABASE_URL": "postgresql://127.0.0.1:1/chat", "REDIS_URL": "redis://127.0.0.1:1"}
    environment = {"BACKCHAT_HOME": str(tmp_path / "home"), "PORT": str(free_port())} | servers
    told = refused(tmp_path, command, BACKCHAT_SPOOL="/dev/null/spool", **environment)
    assert told.startswith("Cannot write to /dev/null/spool (Not a directory): make it writable or set BACKCHAT_SPOOL")
