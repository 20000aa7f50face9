"""Broadcasts by command: all that a file can say, a look before the launch, the buttons, and who is behind a number."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.messages import policy
from bot.messages.policy import Policy
from bot.models.broadcast import Broadcast
from bot.models.words import BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts.drafting import description, drafts
from tests.broadcasts import campaigns
from tests.broadcasts.programs import SPRING, Stock, stock
from tests.broadcasts.test_commands import read, run

B = {"variant": 1, "language": None, "template": {"name": "greeting", "language": "de"}, "slots": {"body.1": "you"}}


@pytest.fixture
def things(rt: Runtime) -> Stock:
    return stock(rt)


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Of Spring with a variant B."""
    (tmp_path / "spring.json").write_text(json.dumps(SPRING | {"wordings": [B], "care": {"canary_minutes": 5}}))
    return str(tmp_path / "spring.json")


@pytest.fixture
def draft(things: Stock, file: str) -> str:
    return str(read("broadcast", "create", "--environment", "live", "--file", file)["id"])


def described(rt: Runtime, id_: str) -> dict[str, Any]:
    with rt.transaction() as session:
        return description.write(session, drafts.wanted_of(session, session.get_one(Broadcast, int(id_))))


def test_a_file_says_all_of_a_draft_and_options_beside_it_win(rt: Runtime, things: Stock, file: str) -> None:
    end = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")
    options = ("--name", "Summer", "--canary", "5", "--pace", "7", "--minus", "Paid", "--until", end)
    made = read("broadcast", "create", "--environment", "live", "--file", file, *options)
    told = described(rt, str(made["id"]))
    assert told["care"] == {"canary_minutes": 5, "canary_percent": 5, "pace_per_s": 7}
    assert (told["name"], told["minus"], told["wordings"]) == ("Summer", ["Paid"], [B])
    assert datetime.fromisoformat(told["schedule"]["not_after"]) == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    "options, status, said",
    [
        (["--at", "tomorrow"], 1, "scheduled_at must be a day and time"),
        (["--at", "2020-01-01T09:00"], 1, "That time is over"),
        (["--minus", "Nobody"], 1, "There is no segment 'Nobody'"),
        (["--pace", "0"], 1, "The pace must be between 1"),
        (["--slot", "body.1"], 2, "--slot must be SLOT=TEXT"),
    ],
)
def test_what_cannot_be_is_said(things: Stock, file: str, options: list[str], status: int, said: str) -> None:
    result = run("broadcast", "create", "--environment", "live", "--file", file, *options)
    assert (result.exit_code, read("broadcast", "list")) == (status, [])
    assert said in " ".join(result.stderr.replace("│", "").split())


@pytest.mark.parametrize(
    "content, said", [("{", "is not JSON"), ("[]", "must hold a JSON object"), ('{"x": 1}', "'x'")]
)
def test_a_file_that_is_none_is_said(things: Stock, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "odd.json").write_text(content)
    result = run("broadcast", "create", "--environment", "live", "--file", str(tmp_path / "odd.json"))
    assert result.exit_code != 0
    assert said in result.stderr


def test_one_looks_before_one_launches_and_says_how_many(rt: Runtime, draft: str) -> None:
    with rt.transaction() as session:
        policy.change(session, "live", Policy(type_count_above=1), None)
    looked = read("broadcast", "preflight", draft)
    assert (looked["audience"]["people"], looked["must_be_confirmed"]) == (2, True)
    assert "audience: people" in run("broadcast", "preflight", draft).stdout
    assert "2 people" in run("broadcast", "launch", draft).stderr
    assert read("broadcast", "launch", draft, "--people", "2")["state"] == "materialising"


def test_one_that_waits_is_taken_back(rt: Runtime, things: Stock, file: str) -> None:
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    waits = read("broadcast", "launch", "--environment", "live", "--file", file, "--at", later)
    assert waits["state"] == "scheduled"
    assert read("broadcast", "unschedule", str(waits["id"]))["state"] == "draft"


def test_the_pace_changes_on_the_way(rt: Runtime) -> None:
    running = campaigns.make_running(rt)
    read("broadcast", "pace", str(running), "7", "--why", "Too fast")
    assert campaigns.get(rt, running).pace_per_s == 7
    read("broadcast", "pace", str(running))
    assert campaigns.get(rt, running).pace_per_s is None
    assert "Too fast" in campaigns.told(rt, running)[-2]
    assert run("broadcast", "pace", "999", "7").exit_code == 1


def test_who_failed_is_listed_written_to_a_file_and_tried_again(rt: Runtime) -> None:
    finished = campaigns.make_running(rt)
    failed: dict[str, Any] = {"error_code": 131016, "error_text": "overloaded", "failed_at": campaigns.NOW}
    campaigns.settle(rt, finished, MessageState.FAILED, limit=2, **failed)
    campaigns.settle(rt, finished)
    campaigns.change(rt, finished, state=BroadcastState.FINISHED)
    some = read("broadcast", "recipients", str(finished), "--part", "failed")
    assert [each["error"]["code"] for each in some] == [131016, 131016]
    written = run("broadcast", "recipients", str(finished), "--part", "failed", "--csv", "-").stdout
    rows = list(csv.DictReader(io.StringIO(written.removeprefix("\ufeff"))))
    assert [row["user_id"] for row in rows] == [each["person"]["distinct_id"] for each in some]
    again = read("broadcast", "retry", str(finished))
    assert (again["name"].endswith("(again)"), again["audience"]) == (True, 2)
    assert "Nobody of the 2" in run("broadcast", "retry", str(finished)).stderr
    assert read("broadcast", "duplicate", str(finished))["state"] == "draft"
