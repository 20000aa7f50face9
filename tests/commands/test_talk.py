"""Conversations and journeys from a terminal."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.models.conversation import Conversation
from bot.models.words import Role
from tests import factories
from tests.commands.conftest import Backchat, told

JOURNEY = """\
journey: welcome
start:
  keywords: [hi]
steps:
  - say: Hello <<user.first_name|default('there')>>
"""


@pytest.fixture
def thread(session: Session) -> Conversation:
    number = factories.make_number(session)
    person = factories.make_person(session, first_name="Ada", last_name="Lovelace")
    factories.make_inbound(session, person, number, "Is anybody there?")
    return factories.make_conversation(session, person, number)


def test_a_conversation_is_listed_shown_closed_and_reopened(
    backchat: Backchat, session: Session, thread: Conversation
) -> None:
    coach = ("--as", factories.make_operator(session, Role.COACH).email, "--json")
    [row] = told(backchat("conversation", "list", "--json"))
    assert (row["id"], row["person"], row["unread"]) == (thread.id, "Ada Lovelace", 1)
    shown = backchat("conversation", "show", str(thread.id)).stdout
    assert "Is anybody there?" in shown
    assert told(backchat("conversation", "close", str(thread.id), *coach))["state"] == "closed"
    assert told(backchat("conversation", "close", str(thread.id), *coach))["changed"] is False
    assert told(backchat("conversation", "list", "--json")) == []
    assert told(backchat("conversation", "list", "--state", "closed", "--json"))[0]["id"] == thread.id
    assert told(backchat("conversation", "reopen", str(thread.id), *coach))["state"] == "open"
    session.expire_all()
    episodes = told(backchat("conversation", "show", str(thread.id), "--json"))["episodes"]
    assert [(each["opened_by"], each["closed_without_reply"]) for each in episodes] == [
        ("person", True),
        ("coach", None),
    ]


@pytest.mark.parametrize("role, active", [(Role.MARKETER, True), (Role.COACH, False)])
def test_nobody_is_made_to_do_what_they_may_not(
    backchat: Backchat, session: Session, thread: Conversation, role: Role, active: bool
) -> None:
    email = factories.make_operator(session, role, active=active).email
    refused = backchat("conversation", "close", str(thread.id), "--as", email)
    assert (refused.exit_code, thread.state) == (1, "open")
    assert "may not do that" in refused.stderr


def test_an_unknown_conversation_is_a_sentence(backchat: Backchat, session: Session) -> None:
    email = factories.make_operator(session).email
    for words in (("show", "999999"), ("close", "999999", "--as", email)):
        refused = backchat("conversation", *words)
        assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)


def test_a_journey_is_checked_loaded_listed_and_retired(backchat: Backchat, tmp_path: Path) -> None:
    file = tmp_path / "welcome.yaml"
    file.write_text(JOURNEY)
    assert "is fine" in backchat("journey", "check", str(file)).stdout
    live = ("--environment", "live")
    assert told(backchat("journey", "load", str(file), *live, "--json"))[0]["version"] == 1
    file.write_text(JOURNEY.replace("Hello", "Welcome"))
    assert told(backchat("journey", "load", str(file), *live, "--json"))[0]["version"] == 2
    assert [row["version"] for row in told(backchat("journey", "list", "--json"))] == [2]
    assert len(told(backchat("journey", "list", "--all", "--json"))) == 2
    backchat("journey", "retire", "welcome", *live)
    assert told(backchat("journey", "list", "--json")) == []
    assert backchat("journey", "retire", "welcome", *live).exit_code == 1


def test_what_is_wrong_with_a_journey_is_told_by_file_and_line(backchat: Backchat, tmp_path: Path) -> None:
    good, bad, latin = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "latin.yaml"
    good.write_text(JOURNEY)
    bad.write_text(JOURNEY.replace("say:", "sya:"))
    latin.write_bytes(b"# one\n# caf\xe9\n")
    checked = backchat("journey", "check", str(good), str(bad))
    assert checked.exit_code == 1
    assert f"{bad}:5: " in checked.stdout
    loaded = backchat("journey", "load", str(good), str(bad), "--environment", "live")
    assert (loaded.exit_code, loaded.stdout) == (1, "")
    assert f"{bad}:5: " in loaded.stderr
    assert told(backchat("journey", "list", "--json")) == []  # the good one was not loaded either
    assert f"{latin}:2: This is not UTF-8" in backchat("journey", "check", str(latin)).stderr
    assert "cannot be read" in backchat("journey", "check", str(tmp_path / "none.yaml")).stderr


def test_a_journey_may_come_from_a_pipe(backchat: Backchat) -> None:
    assert backchat("journey", "check", "-", stdin=JOURNEY).exit_code == 0
