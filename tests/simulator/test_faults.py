"""Every magic number does what its line in docs/simulator.md says, and chance is the same for the same seed."""

import http.client
import json
import re
import time
from pathlib import Path

import pytest

from simulator.faults import MAGIC
from tests.simulator.business import Business
from tests.simulator.desk import Desk

LOST = (http.client.HTTPException, ConnectionError)
REFUSALS = [("0001", 131026), ("0002", 131049), ("0005", 190), ("0020", 131050)]


def magic(suffix: str, middle: int = 200) -> str:
    return f"+1500{middle}{suffix}"


@pytest.mark.parametrize("suffix, code", REFUSALS)
def test_a_refusal_stays_a_refusal(sim: Desk, suffix: str, code: int) -> None:
    assert [sim.hello(magic(suffix)).code for _ in range(2)] == [code, code]
    assert sim.log() == []


def test_0003_is_over_its_pair_limit_for_a_while(sim: Desk) -> None:
    assert [sim.hello(magic("0003")).code for _ in range(2)] == [131056, 131056]
    time.sleep(0.35)
    assert sim.hello(magic("0003")).status == 200


def test_0004_is_throttled_once(sim: Desk) -> None:
    throttled, accepted = sim.hello(magic("0004")), sim.hello(magic("0004"))
    assert (throttled.status, throttled.code, accepted.status) == (429, 130429, 200)


@pytest.mark.parametrize("suffix, accepted", [("0006", 0), ("0007", 1)])
def test_a_server_error_comes_before_or_after_acceptance(sim: Desk, suffix: str, accepted: int) -> None:
    answer = sim.hello(magic(suffix))
    assert (answer.status, answer.code, len(sim.log())) == (500, 131000, accepted)
    assert sim.hello(magic(suffix)).status == 200


@pytest.mark.parametrize("suffix, accepted", [("0008", 0), ("0009", 1), ("0010", 1), ("0019", 0)])
def test_a_lost_answer_leaves_the_truth_in_the_log(sim: Desk, business: Business, suffix: str, accepted: int) -> None:
    with pytest.raises(LOST):
        sim.hello(magic(suffix), biz_opaque_callback_data="o1.7.1")
    assert [entry["callback"] for entry in sim.log()] == ["o1.7.1"] * accepted
    sim.control("drain", {})
    assert len(business.statuses()) == 3 * accepted
    assert sim.hello(magic(suffix)).status == 200


@pytest.mark.parametrize("suffix", ["0011", "0012", "0013", "0014"])
def test_an_unreadable_200_was_accepted_all_the_same(sim: Desk, suffix: str) -> None:
    body = {
        "messaging_product": "whatsapp",
        "to": magic(suffix),
        "type": "template",
        "template": {"name": "static", "language": {"code": "en_US"}},
    }
    status, raw = sim.call("POST", f"/v25.0/{sim.process.number_id}/messages", body)
    assert status == 200
    with pytest.raises(ValueError, match=r"."):
        json.loads(raw)
    assert len(sim.log()) == 1


def test_0015_hangs_and_accepts_then(sim: Desk) -> None:
    started = time.monotonic()
    sim.hello(magic("0015"))
    assert time.monotonic() - started >= 0.3
    assert len(sim.log()) == 1


def test_0016_tells_the_statuses_before_the_answer(sim: Desk, business: Business) -> None:
    answer = sim.hello(magic("0016"))
    assert business.words(answer.wamid) == ["sent", "delivered", "read"]


@pytest.mark.parametrize(
    "suffix, words",
    [
        ("0017", ["sent"]),
        ("0018", ["sent", "failed"]),
        ("0023", ["sent", "read"]),
        ("0026", ["sent", "failed"]),
        ("0028", ["sent", "delivered", "read"]),
        ("0029", ["sent", "delivered", "failed"]),
        ("0030", ["sent", "failed", "delivered"]),
    ],
)
def test_statuses_take_another_course(sim: Desk, business: Business, suffix: str, words: list[str]) -> None:
    answer = sim.hello(magic(suffix))
    sim.control("drain", {})
    assert business.words(answer.wamid) == words


def test_0018_fails_with_131026_and_0026_with_131049(sim: Desk, business: Business) -> None:
    sim.hello(magic("0018"))
    sim.hello(magic("0026"))
    sim.control("drain", {})
    failures = [status for status in business.statuses() if status["status"] == "failed"]
    assert sorted(failure["errors"][0]["code"] for failure in failures) == [131026, 131049]
    assert all("recipient_user_id" not in failure and "pricing" not in failure for failure in failures)


def test_0021_is_held_back_for_assessment(sim: Desk) -> None:
    assert sim.hello(magic("0021")).body["messages"][0]["message_status"] == "held_for_quality_assessment"


def test_0022_loses_its_connection_while_idle(sim: Desk) -> None:
    port = int(sim.process.url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    body = {
        "messaging_product": "whatsapp",
        "to": magic("0022"),
        "type": "template",
        "template": {"name": "static", "language": {"code": "en_US"}},
    }
    headers = {"Authorization": "Bearer simulated-access-token"}
    connection.request("POST", f"/v25.0/{sim.process.number_id}/messages", json.dumps(body), headers)
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Connection"]) == (200, None)
    answer.read()
    assert connection.sock.recv(1) == b""
    connection.close()


def test_0024_says_nothing_of_our_mark(sim: Desk, business: Business) -> None:
    sim.hello(magic("0024"), biz_opaque_callback_data="o1.7.1")
    sim.control("drain", {})
    assert len(business.statuses()) == 3
    assert not any("biz_opaque_callback_data" in status for status in business.statuses())


def test_0025_repeats_and_turns_the_order(sim: Desk, business: Business) -> None:
    answer = sim.hello(magic("0025"))
    sim.control("drain", {})
    words = business.words(answer.wamid)
    assert sorted(words) == sorted(["sent", "delivered", "read"] * 2)
    assert [*dict.fromkeys(words)] != ["sent", "delivered", "read"]


def test_0027_loses_one_status(sim: Desk, business: Business) -> None:
    sim.hello(magic("0027"))
    sim.control("drain", {})
    assert len(business.statuses()) == 2


def test_ordinary_numbers_and_magic_switched_off_work(sim: Desk) -> None:
    assert [sim.hello(to).status for to in ("+12025550001", "+201000000001", magic("0000"))] == [200] * 3
    sim.control("faults", {"magic": False}, method="PUT")
    assert sim.hello(magic("0001")).status == 200


def test_the_table_of_magic_numbers_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/simulator.md").read_text()
    assert set(re.findall(r"^\| (\d{4}) \|", page, re.MULTILINE)) == set(MAGIC)


def outcomes(sim: Desk, seed: int) -> list[int]:
    sim.control("reset", {})
    odds = {"130429": 0.2, "131026": 0.2, "server_error_before": 0.1}
    sim.control("config", {"seed": seed, "faults": {"send": odds}}, method="PUT")
    return [sim.hello(f"+2010000000{n % 25:02}").status for n in range(50)]


def test_faults_by_chance_are_the_same_for_the_same_seed(sim: Desk) -> None:
    first = outcomes(sim, 7)
    assert first == outcomes(sim, 7)
    assert first != outcomes(sim, 8)
    assert {200, 429, 400, 500} == set(first)


def test_bad_signatures_and_replays_by_chance(sim: Desk, business: Business) -> None:
    sim.control("faults", {"status": {"bad_signature": 1, "replay": 1}}, method="PUT")
    sim.hello()
    sim.control("drain", {})
    assert business.signed[:3] == [False, True, True]
    assert business.bodies[0] == business.bodies[1] == business.bodies[2]
