"""The control API says what is wrong with a request, and answers to this machine only."""

import http.client
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.harness import simulator as harness
from tests.harness.children import wait_until
from tests.simulator.business import Business
from tests.simulator.desk import MESSAGES, PERSON, TEMPLATES, Desk

WRONG = [
    ({"nonsense": 1}, "config.nonsense: unknown"),
    ({"seed": "one"}, "seed: int is needed"),
    ({"accounts": {}}, "accounts: a list"),
    ({"accounts": [{"waba_id": "1"}]}, "accounts[0]: missing 1 required"),
    ({"accounts": [{"waba_id": 1}]}, "accounts[0].waba_id: str is needed"),
    ({"numbers": [{"id": "1", "waba_id": "no", "display_phone_number": "1"}]}, "no account has the waba_id 'no'"),
    ({"faults": {"send": {"lightning": 1}}}, "faults.send.lightning: unknown"),
    ({"faults": {"send": {"hang": 2}}}, "a probability from 0 to 1"),
    ({"faults": {"send": {"hang": 0.6, "slow": 0.6}}}, "more than 1"),
    ({"delivery": {"max_updates": 1001}}, "delivery.max_updates: 1 to 1000"),
    ({"delivery": {"spread": "thin"}}, "one of statuses, changes, entries"),
    ({"people": [{"name": "x"}]}, "a phone or a user_id"),
    (
        {"accounts": [{"waba_id": "1", "access_token": "a", "app_secret": "b", "callback_url": "http://192.0.2.1/"}]},
        "only loopback addresses",
    ),
]


@pytest.mark.parametrize("document, words", WRONG, ids=[words for _, words in WRONG])
def test_a_wrong_configuration_changes_nothing_and_names_the_member(
    sim: Desk, document: dict[str, object], words: str
) -> None:
    before = sim.control("config")
    status, raw = sim.call("PUT", "/_control/config", document)
    assert (status, words in raw.decode()) == (400, True), raw
    assert sim.control("config") == before


def test_a_configuration_is_laid_over_the_one_there_is(sim: Desk) -> None:
    account = sim.control("config")["accounts"][0]
    second = account | {"waba_id": "2", "access_token": "second"}
    sim.control("config", {"seed": 9, "accounts": [second], "statuses": {"read_ms": 5}}, method="PUT")
    after = sim.control("config")
    assert (after["seed"], after["statuses"]["read_ms"], after["statuses"]["sent_ms"]) == (9, 5, 20)
    assert [one["waba_id"] for one in after["accounts"]] == [account["waba_id"], "2"]
    other_token = sim.graph("POST", MESSAGES, {}, token="second")
    assert other_token.body["error"]["error_subcode"] == 33
    sim.control("reset", {})
    assert len(sim.control("config")["accounts"]) == 1


def test_raw_bodies_go_out_as_given_and_signed_as_told(sim: Desk, business: Business) -> None:
    sim.control("raw", {"body": "not json", "same": 3})
    sim.control("raw", {"base64": "/wD+", "signature": "sha256=00"})
    sim.control("raw", {"body": {"a/b": "é"}, "secret": "another"})
    sim.control("raw", {"body": "x", "signature": ""})
    assert business.bodies == [b"not json"] * 3 + [b"\xff\x00\xfe", b'{"a\\/b":"\\u00e9"}', b"x"]
    assert business.signed == [True] * 3 + [False] * 3
    huge = "x" * 3_000_000
    sim.control("raw", {"body": huge})
    assert len(business.bodies[-1]) == len(huge)
    business.answers = [401]
    assert sim.control("raw", {"body": "x"})["statuses"] == [401]


def test_any_status_can_be_sent_for_a_logged_message(sim: Desk, business: Business) -> None:
    sim.control("config", {"statuses": {"enabled": False}}, method="PUT")
    first, _ = sim.hello(biz_opaque_callback_data="one"), sim.hello(biz_opaque_callback_data="two")
    wanted = {"callback": "one", "statuses": ["read", "failed"], "code": 131049, "echo": False}
    assert sim.control("statuses", wanted) == {"messages": 1, "scheduled": 2}
    sim.control("drain", {})
    assert business.words(first.wamid) == ["read", "failed"]
    assert business.statuses()[1]["errors"][0]["code"] == 131049
    assert not any("biz_opaque_callback_data" in status for status in business.statuses())


def test_idle_connections_are_closed_on_demand(sim: Desk) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(sim.process.url.rpartition(":")[2]), timeout=5)
    connection.request("GET", "/_control/counts")
    connection.getresponse().read()
    assert sim.control("close_idle", {})["closed"] >= 1
    assert connection.sock.recv(1) == b""
    connection.close()


def test_pages_of_the_open_web_cannot_steer_the_simulator(sim: Desk) -> None:
    assert sim.call("POST", "/_control/reset", {}, host="evil.example")[0] == 403
    assert sim.call("POST", "/_control/reset", {}, headers={"Origin": "https://evil.example"})[0] == 403
    assert sim.call("GET", "/", host="evil.example")[0] == 403
    assert sim.call("GET", "/_control/counts", host="localhost")[0] == 200


def test_an_unknown_control_lists_the_known_ones(sim: Desk) -> None:
    status, raw = sim.call("POST", "/_control/explode", {})
    assert (status, b"POST inbound" in raw) == (404, True)
    assert sim.call("POST", "/_control/inbound", b"{")[0] == 400
    assert sim.call("POST", "/_control/inbound", [PERSON])[0] == 400


def test_the_counts_add_up(sim: Desk) -> None:
    sim.hello()
    sim.send(type="telegram")
    sim.control("inbound", {"from": PERSON})
    sim.control("drain", {})
    counts = sim.control("counts")
    assert {name: counts[name] for name in ("requests", "accepted", "refused", "inbound", "log_entries")} == {
        "requests": 2,
        "accepted": 1,
        "refused": 1,
        "inbound": 1,
        "log_entries": 1,
    }
    assert (counts["waiting"], counts["in_flight"], counts["callbacks"]["acknowledged"]) == (0, 0, 3)


def test_stopping_waits_for_nobody(tmp_path: Path) -> None:
    with harness.running(tmp_path, templates=TEMPLATES, faults={"hang_s": 60}) as started:
        desk = Desk(started)
        watching = http.client.HTTPConnection("127.0.0.1", int(started.url.rpartition(":")[2]), timeout=5)
        watching.request("GET", "/_control/events?person=201001234567")
        watching.getresponse()
        hanging = threading.Thread(target=lost, args=(desk,))
        hanging.start()
        wait_until(lambda: desk.control("requests"), "the hanging request")
        began = time.monotonic()
        started.child.stop()
        assert time.monotonic() - began < 50
        hanging.join()
        watching.close()


def lost(desk: Desk) -> None:
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        desk.hello("+15002000015")


def test_a_start_that_cannot_work_says_why_in_one_line(tmp_path: Path, sim: Desk) -> None:
    port = sim.process.url.rpartition(":")[2]
    (tmp_path / "bad.json").write_text("{")
    for arguments, words in (
        (["--port", port, "--log", f"{tmp_path}/log.jsonl"], port),
        (["--port", "0", "--config", f"{tmp_path}/none.json"], "cannot be read"),
        (["--port", "0", "--config", f"{tmp_path}/bad.json"], "not JSON"),
    ):
        command = [sys.executable, "-m", "simulator", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        assert done.returncode != 0
        assert (done.stderr.count("\n"), words in done.stderr) == (1, True), done.stderr
