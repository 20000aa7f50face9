"""The log is the judge: on the disk before anybody hears of a send, and there after any crash."""

import asyncio
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from simulator.ledger import Ledger, LedgerError
from tests.harness import simulator as harness
from tests.simulator.desk import TEMPLATES, Desk, filled


def test_nobody_is_answered_before_the_fsync_and_many_share_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsyncs: list[float] = []
    real = os.fsync

    def slow_fsync(file: int) -> None:
        time.sleep(0.05)
        real(file)
        fsyncs.append(time.monotonic())

    async def story() -> list[float]:
        ledger = Ledger(tmp_path / "log.jsonl")

        async def append() -> float:
            await ledger.append({"n": ledger.next_number()})
            return time.monotonic()

        answered = await asyncio.gather(*(append() for _ in range(50)))
        await ledger.close()
        return list(answered)

    monkeypatch.setattr("simulator.ledger.os.fsync", slow_fsync)
    answered = asyncio.run(story())
    assert min(answered) >= fsyncs[0]
    assert len(fsyncs) <= 2


def test_a_disk_that_refuses_means_not_accepted_and_leaves_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    async def story() -> None:
        ledger = Ledger(tmp_path / "log.jsonl")
        await ledger.append({"n": ledger.next_number()})
        with monkeypatch.context() as patch:
            patch.setattr("simulator.ledger.os.fsync", full)
            with pytest.raises(LedgerError):
                await ledger.append({"n": ledger.next_number()})
        await ledger.close()

    asyncio.run(story())
    assert (tmp_path / "log.jsonl").read_bytes() == b'{"n":1}\n'


def test_a_killed_simulator_finds_its_log_again_and_goes_on_counting(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    with harness.running(before, templates=TEMPLATES) as first:
        desk = Desk(first)
        with ThreadPoolExecutor(8) as threads:
            wamids = {answer.wamid for answer in threads.map(lambda n: desk.hello(f"+2010000000{n:02}"), range(40))}
        first.child.kill()
    (after / "accepted.jsonl").write_bytes((before / "accepted.jsonl").read_bytes() + b'{"n":41,"torn')
    with harness.running(after, templates=TEMPLATES) as second:
        desk = Desk(second)
        later = desk.hello().wamid
        entries = desk.log()
        scheduled = desk.control("statuses", {"since": 39, "statuses": ["sent"]})
    assert {entry["wamid"] for entry in entries} == wamids | {later}
    assert [entry["n"] for entry in entries] == list(range(1, 42))
    assert scheduled == {"messages": 2, "scheduled": 2}


def test_an_entry_holds_what_a_checker_needs(sim: Desk) -> None:
    before = time.time()
    answer = sim.hello(name="Zoë", biz_opaque_callback_data="o1.7.1")
    (entry,) = sim.log()
    assert before <= entry.pop("time") <= time.time()
    assert len(entry.pop("body_sha256")) == 64
    assert entry == {
        "n": 1,
        "number_id": harness.NUMBER_ID,
        "to": "+201001234567",
        "recipient": None,
        "wamid": answer.wamid,
        "type": "template",
        "callback": "o1.7.1",
        "template": "hello",
        "language": "en_US",
        "params": {"body": ["Zoë", "soon"]},
    }


def test_the_log_is_filtered_grouped_and_counted(sim: Desk) -> None:
    sim.open_window()
    for to in ("+201001234567", "+201001234567", "+201007654321"):
        sim.hello(to, biz_opaque_callback_data=to[-2:])
    sim.send(type="text", text={"body": "free"})
    assert sim.control("log?group=callback") == {"67": 2, "21": 1, "None": 1}
    assert sim.control("log?group=to") == {"+201001234567": 3, "+201007654321": 1}
    assert sim.control("log?type=template&count=1") == {"count": 3}
    assert [entry["n"] for entry in sim.log(since="2", callback="21")] == [3]
    assert [entry["text"] for entry in sim.log(type="text")] == ["free"]
    assert json.loads(sim.process.log_path.read_text().splitlines()[3])["text"] == "free"


def test_every_request_is_remembered_accepted_or_not(sim: Desk) -> None:
    for _ in range(2):
        sim.send("+15002000004", **filled("hello", "a", "b"), biz_opaque_callback_data="twice")
    requests = sim.control("requests?callback=twice")
    assert [request["fault"] for request in requests] == ["130429", ""]
    assert len(sim.log()) == 1
