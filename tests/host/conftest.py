"""A home folder per test, a stage for processes, and an ordinary user."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.host import lock, lodging, postgres
from tests.host.stage import CHECKOUT, Stage, eventually


def leave(home: Path) -> None:
    """Delete what is left of a home outside of it, when the last server has gone."""
    lock_path = home / "postgres.lock"
    assert eventually(lambda: not (lock_path.exists() and lock.holders(lock_path)))
    lodging.erase(home)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home below pytest's own 0700 folder, as a checkout in somebody's home folder would be."""
    folder = tmp_path / "home"
    yield folder
    leave(folder)


@pytest.fixture(scope="module")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of a very long path whose database has been made already, which takes longest.

    A test stops what it starts there.
    """
    folder = tmp_path_factory.mktemp("used") / ("long" * 40) / "home"
    postgres.start(folder).stop()
    yield folder
    leave(folder)


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home that every account may pass through, as a mounted volume is."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.clear()


@pytest.fixture
def as_ordinary_user() -> Iterator[Callable[[str], str]]:
    """Runs a script as somebody without privileges in a folder of theirs, its HOME; returns what it prints."""
    if os.geteuid() != 0:
        pytest.skip("all tests run as an ordinary user already")
    nobody = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    # Reading everything stays allowed, since this Python itself may lie in root's own home.
    caps = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", *caps]

    def run(script: str) -> str:
        done = subprocess.run(
            [*become, sys.executable, "-c", script],
            cwd="/",
            env={"PATH": os.defpath, "HOME": str(folder), "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout

    yield run
    shutil.rmtree(folder)
