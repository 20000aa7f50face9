"""A launch carries what its operator saw: whatever somebody else has changed since is said, and nothing is sent."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import create_app
from bot.messages import policy
from bot.messages.policy import Policy
from bot.models.broadcast import Broadcast, Template
from bot.models.segment import Segment
from bot.models.words import Role
from bot.runtime import Runtime
from broadcasts.control import lifecycle
from broadcasts.preflight import rates, version
from broadcasts.transitions import Actor
from tests import factories
from tests.broadcasts.drafted import make_draft
from tests.broadcasts.programs import program
from tests.broadcasts.test_commands import read, run
from tests.dashboard.visitor import Visitor

RULE = {"version": 1, "all": [{"what": "country", "operator": "is", "value": "QA"}]}
EDITS: dict[str, Callable[[Session, Broadcast], Any]] = {
    "the audience": lambda tx, _: tx.execute(update(Segment).values(kind="rule", rule=RULE)),
    "a template": lambda tx, _: tx.execute(
        update(Template).values(components=[{"type": "BODY", "text": "Other {{1}}"}])
    ),
    "the texts": lambda _, draft: setattr(draft, "slots", {"body.1": "you"}),
    "the schedule": lambda _, draft: setattr(draft, "heeds_quiet_hours", False),
    "limits": lambda _, draft: setattr(draft, "pace_per_s", 7),
    "the rates": lambda tx, draft: rates.put(tx, "*", str(draft.template.category), "0.07", "EUR"),
    "the sending policy": lambda tx, _: policy.change(tx, "live", Policy(approve_above=7), None),
}


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    """All of it: the API is not among the pages."""
    return apps.setdefault("pages", apps.get("pages") or create_app(rt))


@pytest.fixture
def draft(session: Session) -> Broadcast:
    made = make_draft(session, 3)
    session.commit()
    return made


def seen(page: str) -> str:
    """The version in the form that launches, or approves."""
    found = re.search(r'name="preflight"\s+value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("what", EDITS)
def test_what_somebody_changed_since_the_preflight_is_said_and_the_new_one_shown(
    session: Session, draft: Broadcast, marketer: Visitor, what: str
) -> None:
    here = f"/broadcasts/{draft.id}"
    before = seen(marketer.get(f"{here}/preflight").text)
    assert version.of(session, draft) == before
    EDITS[what](session, draft)
    session.commit()

    refused = marketer.post(f"{here}/launch", {"preflight": before})

    assert refused.status_code == 409
    told = re.findall(r"since you saw this preflight, somebody changed (.+?)\. Look", refused.text)
    assert what in told[0]
    assert ";" not in told[0], "nothing else has changed"
    session.refresh(draft)
    assert draft.state == "draft"
    now = seen(refused.text)
    assert now != before
    if what != "the audience":  # whom that rule leaves nobody of
        assert marketer.post(f"{here}/launch", {"preflight": now}).status_code == 303


def test_the_second_operator_approves_what_they_see_too(
    session: Session, draft: Broadcast, sign_in: Callable[[Role], Visitor]
) -> None:
    policy.change(session, "live", Policy(approve_above=1), None)
    asker = factories.make_operator(session)
    session.commit()
    lifecycle.launch(session, draft.id, Actor(operator_id=asker.id))
    session.commit()
    second, here = sign_in(Role.ADMIN), f"/broadcasts/{draft.id}"
    before = seen(second.get(f"{here}/preflight").text)
    EDITS["a template"](session, draft)
    session.commit()
    assert second.post(f"{here}/approve", {"preflight": before}).status_code == 409
    now = seen(second.get(f"{here}/preflight").text)
    assert second.post(f"{here}/approve", {"preflight": now}).status_code == 303


def test_a_program_and_a_command_say_which_preflight_they_saw(app: Flask, session: Session, draft: Broadcast) -> None:
    shop, here = program(app, session), f"/{draft.id}"
    before = shop.told("GET", f"{here}/preflight")["version"]
    assert read("broadcast", "preflight", str(draft.id))["version"] == before
    EDITS["the rates"](session, draft)
    session.commit()
    error = shop.told("POST", f"{here}/launch", json={"preflight": before}, status=409)["error"]
    assert error["code"] == "preflight_changed"
    assert "the rates that the cost goes by" in error["message"]
    assert "somebody changed the rates" in run("broadcast", "launch", str(draft.id), "--preflight", before).stderr
    assert shop.ask("POST", f"{here}/launch", json={"preflight": "x"}).status_code == 409
    now = shop.told("GET", f"{here}/preflight")["version"]
    assert shop.told("POST", f"{here}/launch", json={"preflight": now}, status=202)["state"] == "materialising"
