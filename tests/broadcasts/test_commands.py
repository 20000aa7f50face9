"""What pages do can be scripted: every command prints what happened, as JSON if asked, and says what to put right."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import rich_click as click
from click.testing import CliRunner, Result
from sqlalchemy import update

from bot.models.connection import Number
from bot.models.message import Message
from bot.models.words import MessageState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.commands import COMMANDS
from broadcasts.running import settling
from tests import factories
from tests.broadcasts import lists

TEMPLATE = {
    "name": "spring_offer",
    "language": "en",
    "category": "MARKETING",
    "components": [{"type": "BODY", "text": "Hello {{1}}", "example": {"body_text": [["Ada"]]}}],
}
LIST = "user_id,phone_number,first_name\nann,+201012345678,Ann\nbob,+201012345679,\nbad,12,Bad\n"


def run(*arguments: str) -> Result:
    group = click.Group("backchat", commands=list(COMMANDS))
    return CliRunner().invoke(group, arguments, catch_exceptions=False)


def read(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def number(rt: Runtime, tmp_path: Path) -> Number:
    with rt.transaction() as session:
        return factories.make_number(session, factories.make_connection(session, "line"))


@pytest.fixture
def segment(rt: Runtime) -> str:
    lists.take_in(rt, LIST)
    return "spring"


@pytest.fixture
def template(number: Number, tmp_path: Path) -> str:
    file = tmp_path / "template.json"
    file.write_text(json.dumps(TEMPLATE))
    read("template", "add", "line", str(file))
    return "spring_offer"


def launch(**more: str) -> Any:
    options = {"name": "Spring", "segment": "spring", "template": "spring_offer", "environment": "live"} | more
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    return run("broadcast", "launch", *given, "--slot", "body.1=<<user.first_name|default('there')>>", "--json")


def test_a_list_is_imported_and_its_segment_listed(rt: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(LIST)
    begun = read("import", str(file), "--segment", "spring", "--environment", "live")
    assert begun["state"] == "checking"
    jobs.work()

    shown = read("imports", "show", str(begun["id"]))
    assert {name: shown[name] for name in ("state", "total", "created", "failed", "file")} == {
        "state": "finished",
        "total": 3,
        "created": 2,
        "failed": 1,
        "file": "people.csv",
    }
    assert read("imports", "list")[0] == shown
    assert [(row["name"], row["people"]) for row in read("segment", "list")] == [("spring", 2)]
    sample = read("segment", "show", "spring", "--environment", "live")["sample"]
    assert [row["distinct_id"] for row in sample] == ["ann", "bob"]
    run("imports", "comments", str(begun["id"]), "--output", str(tmp_path / "bad.csv"))
    assert "phone_number 12 " in (tmp_path / "bad.csv").read_text()


def test_waiting_for_an_import_tells_its_end(live_rt: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(LIST + 'x,"')

    def work() -> None:
        time.sleep(1)
        lists.run_worker(live_rt)

    worker = threading.Thread(target=work)
    worker.start()
    result = run("import", str(file), "--segment", "spring", "--environment", "live", "--wait")
    worker.join()

    assert result.exit_code == 1
    assert "Row 5: a quote" in result.output


def test_a_broadcast_is_launched_in_one_command_paused_resumed_and_cancelled(
    rt: Runtime, template: str, segment: str
) -> None:
    launched = json.loads(launch().stdout)
    jobs.work()
    id_ = str(launched["id"])

    assert (launched["state"], launched["audience"], launched["waiting"]) == ("materialising", 0, 0)
    told = read("broadcast", "status", id_)
    assert (told["state"], told["audience"], told["waiting"]) == ("running", 2, 2)
    assert read("broadcast", "pause", id_, "--why", "lunch")["state"] == "paused"
    assert read("broadcast", "status", id_)["reason"] == "lunch"
    assert read("broadcast", "resume", id_)["state"] == "running"
    assert read("broadcast", "cancel", id_)["cancelled"] == 2
    assert [(line["to"], line["why"]) for line in read("broadcast", "timeline", id_)] == [
        ("materialising", "from the command line"),
        ("running", None),
        ("paused", "lunch"),
        ("running", "from the command line"),
        ("cancelled", "from the command line"),
    ]
    assert [row["state"] for row in read("broadcast", "list")] == ["cancelled"]


def test_a_draft_is_previewed_and_then_launched_once(rt: Runtime, template: str, segment: str) -> None:
    options = ["--name", "S", "--segment", segment, "--template", template, "--environment", "live"]
    draft = read("broadcast", "create", *options, "--slot", "body.1=<<user.first_name>>")
    preview = read("broadcast", "preview", str(draft["id"]), "--person", "bob")

    assert (preview["people"], preview["with_an_empty_placeholder"], preview["missing"]) == (2, 1, {"first_name": 1})
    assert [(row["person"], row["text"]) for row in preview["preview"]] == [
        ("bob", "Hello [first_name: unknown]"),
        ("ann", "Hello Ann"),
    ]
    refused = run("broadcast", "launch", str(draft["id"]))
    assert "first_name is not known, and has no default" in refused.stderr
    assert read("broadcast", "launch", str(draft["id"]), "--skip-gaps")["state"] == "materialising"
    again = run("broadcast", "launch", str(draft["id"]))
    assert (again.exit_code, again.stderr) == (1, "“S” was launched already: it is materialising.\n")


@pytest.mark.parametrize(
    "more, said",
    [
        ({"segment": "sprung"}, "There is no segment 'sprung' in live: there are: spring."),
        ({"template": "other"}, "There is no template 'other': there are spring_offer."),
        ({"language": "de"}, "The template spring_offer is there in en: choose one of them."),
        ({"number": "+1"}, "'+1' is no number in live"),
        ({"environment": "test"}, "There is no number in test yet"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(
    rt: Runtime, template: str, segment: str, more: dict[str, str], said: str
) -> None:
    result = launch(**more)

    assert result.exit_code == 1
    assert said in result.stderr


def test_a_slot_that_is_not_filled_keeps_the_broadcast_from_being_made(
    rt: Runtime, template: str, segment: str
) -> None:
    options = ["--name", "S", "--segment", segment, "--template", template, "--environment", "live"]
    result = run("broadcast", "launch", *options)

    assert result.exit_code == 1
    assert "body.1 (body): has no text" in result.stderr
    assert read("broadcast", "list") == []


@pytest.mark.parametrize(
    "content, said",
    [
        ("{", "is not JSON"),
        ("[]", "The file holds no template"),
        (json.dumps({**TEMPLATE, "name": "Bad Name"}), "name is 'Bad Name'"),
        (json.dumps({**TEMPLATE, "language": "english"}), "language is 'english'"),
        (json.dumps({**TEMPLATE, "category": "FUN"}), "category is 'FUN'"),
        (json.dumps({**TEMPLATE, "components": "Hello"}), "components must be a list"),
        (json.dumps({**TEMPLATE, "components": [{"type": "FOOTER", "text": "x"}]}), "has no body"),
    ],
)
def test_a_template_that_is_not_one_is_refused(number: Number, tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "template.json"
    file.write_text(content)
    result = run("template", "add", "line", str(file))

    assert result.exit_code == 1
    assert said in result.stderr


def test_a_template_added_again_is_brought_up_to_date(template: str, tmp_path: Path) -> None:
    file = tmp_path / "again.json"
    file.write_text(json.dumps({"data": [{**TEMPLATE, "status": "PAUSED"}, {**TEMPLATE, "name": "other"}]}))
    read("template", "add", "line", str(file))

    rows = read("template", "list", "--connection", "line")
    assert [(row["name"], row["status"], row["slots"]) for row in rows] == [
        ("other", "APPROVED", ["body.1"]),
        ("spring_offer", "PAUSED", ["body.1"]),
    ]


def test_waiting_for_a_launch_comes_back_when_nobody_waits_any_more(live_rt: Runtime, tmp_path: Path) -> None:
    with live_rt.transaction() as session:
        number = factories.make_number(session)
        factories.make_segment(session, [factories.make_person(session)], name="spring")
        factories.make_template(session, number.connection, name="spring_offer")

    def work() -> None:
        time.sleep(0.5)
        jobs.work()
        with live_rt.transaction() as session:
            session.execute(update(Message).values(state=MessageState.ACCEPTED))
            settling.settle(session)

    worker = threading.Thread(target=work)
    worker.start()
    options = ["--name", "S", "--segment", "spring", "--template", "spring_offer", "--environment", "live"]
    told = read("broadcast", "launch", *options, "--slot", "body.1=there", "--wait")
    worker.join()

    assert (told["state"], told["accepted"]) == ("finished", 1)
