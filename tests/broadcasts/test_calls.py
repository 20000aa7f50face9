"""The curl that a page shows is the call of the API that does the same: copied to a shell, it is not refused."""

import html
import json
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import create_app
from bot.messages import policy
from bot.messages.policy import Policy
from bot.models.broadcast import Broadcast
from bot.models.person import Address
from bot.models.team import Operator
from bot.runtime import Runtime
from broadcasts import calls
from broadcasts.calls import Call
from tests.broadcasts import campaigns
from tests.broadcasts.programs import SPRING, Program, program, stock
from tests.broadcasts.test_control import make_failed

SAYS = {
    "name": 'It\'s $5 "now" `only` \\ for <you> & me',
    "slots": {"body.1": "<<user.first_name|default('friend')>> $HOME"},
    "care": {"pace_per_s": 7, "skips_gaps": True},
    "minus": ["Paid"],
}


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    return apps.setdefault("pages", apps.get("pages") or create_app(rt))


@pytest.fixture
def marketer(client_of: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_of("marketer")


@pytest.fixture
def shop(app: Flask, session: Session) -> Program:
    return program(app, session)


def shown(marketer: FlaskClient, broadcast_id: int) -> dict[str, str]:
    """Title → curl, as the page has them."""
    page = marketer.get(f"/broadcasts/{broadcast_id}").text
    found = re.findall(
        r'for="call-(\d+)">(.+?)</label>\s*<textarea[^>]*id="call-\1"[^>]*>\n(.*?)</textarea>', page, re.DOTALL
    )
    return {html.unescape(title): html.unescape(curl) for _, title, curl in found}


def run(shop: Program, curl: str) -> TestResponse:
    """As a shell and curl would, whose variable BACKCHAT_TOKEN holds the program's token."""
    assert shop.secret not in curl
    words = iter(shlex.split(curl.replace("\\\n", "").replace("$BACKCHAT_TOKEN", shop.secret)))
    assert next(words) == "curl"
    method, address, headers, body = "GET", "", {}, None
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "--data-binary":
            body = next(words)
        else:
            address = word
    assert address.startswith("http://")
    return shop.app.test_client().open(address, method=method, headers=headers, data=body)


def told(answer: TestResponse) -> Any:
    assert answer.status_code in {200, 201, 202}, answer.text
    return answer.json


def test_the_curl_of_a_draft_makes_the_same_draft(rt: Runtime, shop: Program, marketer: FlaskClient) -> None:
    stock(rt)
    made = shop.told("POST", json=SPRING | SAYS, status=201)
    again = told(run(shop, shown(marketer, made["id"])["Make this draft"]))
    assert again["id"] != made["id"]
    assert again["description"] == made["description"] == SPRING | SAYS | {"number": made["description"]["number"]}


def test_the_other_calls_of_a_draft_look_at_it_and_launch_it(rt: Runtime, shop: Program, marketer: FlaskClient) -> None:
    stock(rt)
    here = shop.told("POST", json=SPRING, status=201)["id"]
    lines = shown(marketer, here)
    assert told(run(shop, lines["See its preflight"]))["audience"]["people"] == 2
    assert '"confirmed": 2' in lines["Launch it"]
    assert [told(run(shop, lines["Launch it"]))["state"] for _ in range(2)] == ["materialising"] * 2


def test_the_call_of_a_test_sends_it_to_the_phone_of_who_reads_it(
    rt: Runtime, shop: Program, marketer: FlaskClient, session: Session
) -> None:
    stock(rt)
    here = shop.told("POST", json=SPRING, status=201)["id"]
    assert "Send a test" not in shown(marketer, here)
    session.execute(update(Operator).values(phone="+201005550199"))
    session.commit()
    for _ in range(2):  # as often as one likes: the key makes it one
        [test] = told(run(shop, shown(marketer, here)["Send a test"]))["tests"]
        [me] = session.scalars(select(Address.value).where(Address.person_id == test["people"][0]["id"]))
        assert (me, len(test["people"])) == ("+201005550199", 1)
    assert session.scalar(select(func.count()).where(Broadcast.origin == "test")) == 1


def test_a_draft_that_was_called_back_and_changed_is_launched_and_tried_out_anew_by_its_curl(
    rt: Runtime, shop: Program, marketer: FlaskClient, session: Session
) -> None:
    """With the keys of before, nothing would be sent, and the answer would be that of before."""
    stock(rt)
    session.execute(update(Operator).values(phone="+201005550199"))
    session.commit()
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    here = shop.told("POST", json=SPRING | {"schedule": {"scheduled_at": later}}, status=201)["id"]
    for change in ({}, {}, {"schedule": {"heeds_quiet_hours": False}}):
        shop.told("PATCH", f"/{here}", json=change)
        lines = shown(marketer, here)
        told(run(shop, lines["Send a test"]))
        assert told(run(shop, lines["Launch it"]))["state"] == "scheduled"
        assert told(run(shop, shown(marketer, here)["Make it a draft again"]))["state"] == "draft"
    assert session.scalar(select(func.count()).where(Broadcast.origin == "test")) == 3


def test_the_calls_of_a_broadcast_on_its_way_do_what_its_buttons_do(
    rt: Runtime, shop: Program, marketer: FlaskClient
) -> None:
    running = campaigns.make_running(rt)
    lines = shown(marketer, running)
    states = [told(run(shop, lines[title]))["state"] for title in ("Change its pace", "Pause", "Resume", "Cancel")]
    assert states == ["running", "paused", "running", "cancelled"]
    assert told(run(shop, lines["Where everybody stands"]))["counts"]["cancelled"] == 3
    assert told(run(shop, lines["Whom it failed for"]))["recipients"] == []
    assert told(run(shop, lines["Duplicate"]))["origin"] == "copy"
    assert run(shop, lines["Try again for whom it failed"]).status_code == 422  # nobody failed
    assert "Pause" not in shown(marketer, running)


def test_the_call_of_a_retry_says_how_many_they_are(rt: Runtime, shop: Program, marketer: FlaskClient) -> None:
    failed = make_failed(rt)
    with rt.transaction() as session:
        policy.change(session, "live", Policy(type_count_above=1), None)
    line = shown(marketer, failed)["Try again for whom it failed"]
    assert '"confirmed": 2' in line
    assert told(run(shop, line))["counts"]["audience"] == 2


def test_a_scheduled_one_is_a_draft_again_by_its_curl(rt: Runtime, shop: Program, marketer: FlaskClient) -> None:
    stock(rt)
    at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    wanted = SPRING | {"schedule": {"scheduled_at": at}}
    here = shop.told("POST", json=wanted, status=201)["id"]
    shop.told("POST", f"/{here}/launch", status=202)
    assert told(run(shop, shown(marketer, here)["Make it a draft again"]))["state"] == "draft"


def test_a_call_is_written_for_a_shell(rt: Runtime) -> None:
    line = calls.curl(Call("x", "POST", "/api/v1/x", {"name": "it's"}, key="k"), "https://example.org/")
    assert shlex.split(line.replace("\\\n", ""))[:4] == ["curl", "-X", "POST", "https://example.org/api/v1/x"]
    assert json.loads(shlex.split(line)[-1]) == {"name": "it's"}
