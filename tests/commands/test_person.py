"""`backchat person` and `backchat topic`: one person from a terminal."""

from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

import app
from bot.runtime import Runtime

LIVE = ("--environment", "live")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app.cli, arguments)


def read(*arguments: str) -> Any:
    answer = run(*arguments, *LIVE, "--json")
    assert answer.exit_code == 0, answer.output
    return orjson.loads(answer.stdout)


def test_somebody_is_added_shown_changed_and_switched_off(rt: Runtime) -> None:
    attributes = (
        "--attribute",
        "grade=7",
        "--type",
        "grade=number",
        "--attribute",
        "member=yes",
        "--type",
        "member=BOOLEAN",
    )
    made = read("person", "add", "--distinct-id", "mona", "--address", "phone=+201012345678", *attributes)
    assert made["attributes"] == {"grade": 7, "member": True}
    for who in (str(made["id"]), "+201012345678", "mona", "distinct:mona"):
        assert read("person", "show", who) == made
    changed = read(
        "person", "set", "mona", "--country", "eg", "--attribute", "grade=", "--address", "email=m@example.org"
    )
    assert (changed["country"], changed["attributes"]) == ("EG", {"member": True})
    assert changed["addresses"].keys() == {"phone", "email"}
    assert read("person", "disable", "mona")["enabled"] is False
    assert read("person", "enable", "mona")["enabled"] is True


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (("person", "show", "nobody"), "Nobody in live is known as nobody"),
        (("person", "add"), "Give a distinct ID"),
        (("person", "add", "--distinct-id", "a", "--country", "Egypt"), "two letters"),
        (("person", "add", "--distinct-id", "a", "--address", "fax=1"), "no kind of address"),
        (("person", "add", "--distinct-id", "a", "--attribute", "grade=7"), "no property"),
        (
            ("person", "add", "--distinct-id", "a", "--attribute", "grade=x", "--type", "grade=NUMBER"),
            "not of type NUMBER",
        ),
        (("topic", "archive", "News"), "no topic"),
        (("topic", "add", " "), "1 to 80"),
    ],
)
def test_a_refusal_is_a_sentence_and_changes_nothing(rt: Runtime, arguments: tuple[str, ...], reason: str) -> None:
    answer = run(*arguments, *LIVE)
    assert answer.exit_code == 1
    assert reason in answer.stderr


def test_topics_are_added_listed_and_archived(rt: Runtime) -> None:
    read("topic", "add", "News", "--description", "Once a week")
    assert [(row["name"], row["do_not_want_it"]) for row in read("topic", "list")] == [("News", 0)]
    read("topic", "archive", "News")
    assert read("topic", "list")[0]["archived_at"] is not None
