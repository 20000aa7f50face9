"""The log, why, and merging from a terminal."""

from typing import Any

from sqlalchemy.orm import Session

from bot.models.person import Person
from tests import factories as make
from tests.commands.conftest import Backchat, told


def test_the_log_lists_sends_and_why_explains_one(backchat: Backchat, session: Session) -> None:
    number, ada = make.make_number(session), make.make_person(session, distinct_id="ada-1")
    refusal: dict[str, Any] = {"state": "failed", "error_code": 131026, "error_text": "not on WhatsApp"}
    failed = make.make_outbound(session, ada, number, **refusal)
    make.make_outbound(session, ada, number)
    session.commit()
    here = ("--environment", "live")
    assert len(told(backchat("log", *here, "--json"))) == 2
    [row] = told(backchat("log", *here, "--state", "failed", "--person", "ada-1", "--json"))
    assert (row["id"], row["to"], row["reason"]) == (failed.id, "ada-1", "not on WhatsApp")
    assert "--before" in backchat("log", *here, "--limit", "1").stdout
    why = backchat("person", "why", "ada-1", *here, "--message", str(failed.id))
    assert "The provider refused it: not on WhatsApp (error 131026)." in why.stdout
    assert "→ Ask the person" in why.stdout
    assert told(backchat("person", "why", "ada-1", *here, "--day", "2020-01-31", "--json"))["messages"] == []
    assert "Nothing was ever planned" in backchat("person", "why", "ada-1", *here, "--day", "2020-01-31").stdout
    assert backchat("person", "why", "ada-1", *here, "--message", "987654321").exit_code == 1
    assert backchat("person", "why", "nobody", *here).exit_code == 1


def test_two_people_are_looked_at_and_made_one(backchat: Backchat, session: Session) -> None:
    ada, other = (make.make_person(session, distinct_id=f"ada-{n}") for n in (1, 2))
    session.commit()
    words = ("person", "merge", "ada-2", "ada-1", "--environment", "live")
    assert "conflict" not in backchat(*words, "--preview").stdout
    seen = told(backchat(*words, "--preview", "--json"))
    assert (seen["stays"]["id"], seen["merged"]) == (ada.id, False)
    assert told(backchat(*words, "--json"))["merged"] is True
    gone_id = other.id
    session.expire_all()
    assert session.get(Person, gone_id) is None
    assert backchat(*words).exit_code == 1
