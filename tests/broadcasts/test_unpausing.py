"""A paused template is unpaused from its page, by program and by command; what paused with it waits for a person."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import create_app
from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Connection, Number
from bot.runtime import Runtime
from bot.team import tokens
from tests import factories
from tests.broadcasts.reviewing import connect, made, submit, there
from tests.broadcasts.test_commands import read, run
from tests.dashboard.visitor import Visitor
from tests.harness.simulator import Simulator


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    """All of it: the API is not among the pages."""
    return apps.setdefault("pages", apps.get("pages") or create_app(rt))


def pause(whatsapp: Simulator, session: Session, visitor: Visitor) -> Template:
    """The one template, which WhatsApp has paused and of which we know it."""
    [theirs] = there(whatsapp)
    about = {name: theirs[name] for name in ("waba_id", "name", "language")}
    whatsapp.control("template", about | {"status": "PAUSED"})
    found = made(session)
    assert visitor.post(f"/templates/{found.id}/refresh").status_code == 303
    assert made(session).status == "PAUSED"
    return found


@pytest.fixture
def paused(session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor) -> Template:
    submit(marketer, line)
    return pause(whatsapp, session, marketer)


def test_its_page_takes_the_pause_back_and_resumes_no_broadcast(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor, paused: Template
) -> None:
    number = session.query(Number).filter_by(connection_id=line.id).one()
    waiting = factories.make_broadcast(session, number, factories.make_segment(session), paused, state="paused")
    session.commit()
    page = f"/templates/{paused.id}"
    assert f'action="{page}/unpause"' in marketer.get(page).text

    assert marketer.post(f"{page}/unpause").status_code == 303

    assert (made(session).status, there(whatsapp)[0]["status"]) == ("APPROVED", "APPROVED")
    after = marketer.get(page).text
    assert f"Still paused, until somebody resumes them: {waiting.name}" in after
    assert f"{page}/unpause" not in after
    assert session.get_one(Broadcast, waiting.id).state == "paused"


def test_what_is_in_the_way_of_unpausing_is_said_plainly(
    session: Session, whatsapp: Simulator, marketer: Visitor, paused: Template
) -> None:
    page = f"/templates/{paused.id}/unpause"
    whatsapp.control(
        "template",
        {"waba_id": there(whatsapp)[0]["waba_id"], "name": paused.name, "language": "en"} | {"status": "DISABLED"},
    )
    refused = marketer.post(page)
    assert refused.status_code == 422
    assert "WhatsApp does not take the pause back: Message template is not paused." in refused.text
    assert made(session).status == "PAUSED"

    session.get_one(Connection, paused.connection_id).base_url = "http://127.0.0.1:9/v25.0"
    session.commit()
    unsure = marketer.post(page)
    assert unsure.status_code == 502
    assert "It is not known whether it got there: refresh the template" in unsure.text


def test_a_provider_without_that_door_says_so(
    rt: Runtime, session: Session, whatsapp: Simulator, marketer: Visitor
) -> None:
    submit(marketer, connect(rt, whatsapp, "other", "360dialog"), body="Good morning to all of you!")
    found = pause(whatsapp, session, marketer)
    assert f"/templates/{found.id}/unpause" not in marketer.get(f"/templates/{found.id}").text
    refused = marketer.post(f"/templates/{found.id}/unpause")
    assert refused.status_code == 422
    assert "360dialog takes no pause back: wait until it is over" in refused.text


def test_a_program_and_a_command_do_the_same(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor, paused: Template
) -> None:
    _, secret = tokens.create(session, "live", "shop")
    session.commit()
    client, headers = marketer.client, {"Authorization": f"Bearer {secret}"}

    def ask() -> Any:
        return client.post(f"/api/v1/templates/{paused.id}/unpause", headers=headers)

    assert (ask().json["status"], ask().status_code) == ("APPROVED", 422)
    assert ask().json["error"]["message"] == "It is approved and not paused: refresh it, and look again."
    pause(whatsapp, session, marketer)
    assert read("template", "unpause", str(paused.id))["status"] == "APPROVED"
    assert "not paused" in run("template", "unpause", str(paused.id)).stderr
