"""While the database is away bodies wait on the disk, and none is acknowledged that is in neither (cases 10 to 15)."""

import hashlib
import os
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from tests.harness.children import wait_until
from tests.harness.gate import Gate
from tests.webhooks.conftest import Line, contact, envelope, signed, text_message
from webhooks import inbox, spool
from webhooks.spool import Spool
from webhooks.store import Entry


def message_body(text_: str = "hi there") -> bytes:
    return orjson.dumps(envelope(messages=[text_message(text_)], contacts=[contact()]))


def entry(connection_id: int, body: bytes) -> Entry:
    return Entry(connection_id, "application/json", body, hashlib.sha256(body).digest(), {"x-kept": "é\n"})


def folder_of(line: Line) -> Path:
    return line.rt.settings.spool


def waiting(line: Line) -> int:
    return spool.measure(folder_of(line)).files


def events(line: Line) -> int:
    return int(line.ask("SELECT count(*) FROM webhook_event"))


def test_a_body_waits_on_the_disk_while_the_database_is_away_and_is_stored_once_when_it_is_back(
    gated_line: Line, gate: Gate
) -> None:
    bodies = [message_body(f"{number}") for number in range(5)]
    gate.shut()
    assert [gated_line.post(body).status_code for body in bodies for _ in range(2)] == [200] * 10
    assert waiting(gated_line) > 0
    gate.open()
    wait_until(lambda: waiting(gated_line) == 0, "the spool to be empty")
    assert events(gated_line) == 1 + 5
    gated_line.apply()
    assert gated_line.rows("SELECT body FROM message ORDER BY id") == [(f"{number}",) for number in range(5)]
    assert gated_line.post(bodies[0]).status_code == 200
    assert events(gated_line) == 1 + 5


def test_after_the_database_is_back_nothing_takes_the_way_by_the_disk(gated_line: Line, gate: Gate) -> None:
    gate.shut()
    gated_line.post(message_body("away"))
    gate.open()
    wait_until(lambda: waiting(gated_line) == 0, "the spool to be empty")
    gated_line.post(message_body("back"))
    assert waiting(gated_line) == 0
    assert events(gated_line) == 3


def test_what_waits_is_for_our_own_account_alone(gated_line: Line, gate: Gate) -> None:
    gate.shut()
    gated_line.post(message_body())
    [file] = folder_of(gated_line).glob("*.spool")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_database_that_takes_the_question_and_never_answers_holds_up_nobody(gated_line: Line, gate: Gate) -> None:
    gate.jam()
    assert gated_line.post(message_body()).status_code == 200
    assert waiting(gated_line) == 1
    gate.open()
    wait_until(lambda: waiting(gated_line) == 0, "the spool to be empty")
    assert gated_line.post(message_body()).status_code == 200
    assert events(gated_line) == 3


def test_a_lock_that_is_held_too_long_turns_bodies_to_the_spool(line: Line) -> None:
    """Case 14, as PostgreSQL has it: the answer comes while the lock is still held."""
    with line.rt.engine.begin() as holder:
        holder.execute(text("LOCK TABLE webhook_digest IN ACCESS EXCLUSIVE MODE"))
        assert line.post(message_body()).status_code == 200
        assert waiting(line) == 1
    wait_until(lambda: waiting(line) == 0, "the spool to be empty")
    assert line.post(message_body()).status_code == 200
    assert events(line) == 2


def test_a_lock_of_a_moment_is_waited_for(line: Line) -> None:
    """Case 14: a second is not yet away."""
    is_held = threading.Event()

    def hold() -> None:
        with line.rt.engine.begin() as holder:
            holder.execute(text("LOCK TABLE webhook_digest IN ACCESS EXCLUSIVE MODE"))
            is_held.set()
            time.sleep(0.5)

    holding = threading.Thread(target=hold)
    holding.start()
    is_held.wait()
    assert line.post(message_body()).status_code == 200
    holding.join()
    assert (events(line), waiting(line)) == (1, 0)


def test_secrets_known_to_the_process_outlive_the_database_and_strangers_are_asked_to_come_again(
    gated_line: Line, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.lines.FRESH_S", -1.0)
    gated_line.app.extensions["backchat.intake"].lines._known.clear()
    gated_line.post(message_body("so that the secrets are known, and stale at once"))
    gate.shut()
    body = message_body()
    assert gated_line.post(body).status_code == 200
    assert gated_line.post(body, signed(body, "of another")).status_code == 401
    gated_line.slug = "stranger"
    assert gated_line.post(body).status_code == 503
    gate.open()
    assert gated_line.post(body).status_code == 404


def test_with_neither_database_nor_spool_nobody_is_told_ok(gated_line: Line, gate: Gate) -> None:
    """Case 11."""
    folder_of(gated_line).write_text("in the way")
    gate.shut()
    bodies = [message_body(f"{number}") for number in range(3)]
    assert [gated_line.post(body).status_code for body in bodies] == [503] * 3
    gate.open()
    wait_until(lambda: gated_line.post(bodies[0]).status_code == 200, "the database to be noticed")
    assert events(gated_line) == 2


def test_a_full_disk_under_both_acknowledges_nothing_and_leaves_nothing_half_done(line: Line) -> None:
    """Case 15: PostgreSQL says 53100, and no file may grow."""
    full = """
        CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN RAISE EXCEPTION ''could not extend file'' USING ERRCODE = ''disk_full''; END';
        CREATE TRIGGER full_disk BEFORE INSERT ON webhook_digest FOR EACH ROW EXECUTE FUNCTION full_disk()
    """
    with line.rt.transaction() as session:
        session.execute(text(full))
    body = message_body("long " * 500)
    with files_no_longer_than(1000):
        assert line.post(body).status_code == 503
    assert list(folder_of(line).iterdir()) == []
    with line.rt.transaction() as session:
        session.execute(text("DROP TRIGGER full_disk ON webhook_digest"))
    wait_until(lambda: line.post(body).status_code == 200, "the redelivery")
    wait_until(lambda: waiting(line) == 0, "the spool to be empty")
    line.apply()
    assert line.ask("SELECT count(*) FROM message") == 1


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_spool_holds_no_more_than_it_may(tmp_path: Path) -> None:
    small = Spool(tmp_path, 2000)
    small.write([entry(1, b"a" * 1000)])
    with pytest.raises(spool.SpoolFullError):
        small.write([entry(1, b"b" * 1000)])
    assert spool.measure(tmp_path).files == 1
    assert small.drain(lambda _: True) == 1


def test_what_is_read_back_is_what_was_written(tmp_path: Path) -> None:
    entries = [entry(1, b"\n{}\x00\xff"), entry(2, b""), Entry(3, None, b'{"a": 1}\n', b"d" * 32)]
    Spool(tmp_path, 10**6).write(entries)

    def take(read: Sequence[Entry]) -> bool:
        assert list(read) == entries
        return True

    assert Spool(tmp_path, 10**6).drain(take) == 1


@pytest.mark.parametrize("damage", ["truncated", "emptied", "longer", "binary"])
def test_a_damaged_file_is_set_aside_with_an_alarm_and_the_others_are_stored(
    line: Line, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Case 13."""
    kept = Spool(folder_of(line), 10**6)
    for number in range(3):
        kept.write([entry(line.connection_id, b"%d" % number)])
    damaged = kept.waiting()[1]
    whole = damaged.read_bytes()
    damaged.write_bytes(
        {"truncated": whole[:-1], "emptied": b"", "longer": whole + b"x", "binary": os.urandom(500)}[damage]
    )
    inbox.sweep_spool(line.rt)
    assert line.rows("SELECT body FROM webhook_event ORDER BY id") == [(b"0",), (b"2",)]
    assert [path.name for path in folder_of(line).iterdir()] == [f"{damaged.stem}.corrupt"]
    assert "spool.corrupt" in capfd.readouterr().out


def test_a_half_written_file_is_never_stored_and_goes_when_it_is_old(line: Line) -> None:
    kept = Spool(folder_of(line), 10**6)
    kept.write([entry(line.connection_id, b"whole")])
    [whole] = kept.waiting()
    for name, age_s in (("fresh.tmp", 60), ("old.tmp", 7200)):
        half = folder_of(line) / name
        half.write_bytes(whole.read_bytes().replace(b"whole", b"half!"))
        os.utime(half, (time.time() - age_s,) * 2)
    inbox.sweep_spool(line.rt)
    assert line.rows("SELECT body FROM webhook_event") == [(b"whole",)]
    assert [path.name for path in folder_of(line).iterdir()] == ["fresh.tmp"]


def test_what_one_process_drains_another_leaves_alone(line: Line) -> None:
    kept = Spool(folder_of(line), 10**6)
    kept.write([entry(line.connection_id, b"one")])

    def meanwhile(_: object) -> bool:
        assert kept.drain(lambda _: True) == 0
        return True

    assert kept.drain(meanwhile) == 1


def test_the_sweep_rings_for_what_it_has_stored_and_needs_no_folder(line: Line) -> None:
    inbox.sweep_spool(line.rt)
    assert not line.rt.redis.exists("backchat:rung:intake")
    Spool(folder_of(line), 10**6).write([entry(line.connection_id, b"{}")])
    inbox.sweep_spool(line.rt)
    assert line.rt.redis.exists("backchat:rung:intake")


def test_a_sweep_without_the_database_leaves_the_files(gated_line: Line, gate: Gate) -> None:
    Spool(folder_of(gated_line), 10**6).write([entry(gated_line.connection_id, b"{}")])
    gate.shut()
    inbox.sweep_spool(gated_line.rt)
    assert waiting(gated_line) == 1
    gate.open()
    inbox.sweep_spool(gated_line.rt)
    assert waiting(gated_line) == 0
