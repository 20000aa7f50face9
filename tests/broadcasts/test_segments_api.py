"""Segments by program and by command: the same rules, refusals that name the field, one environment each."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import create_app
from bot.models.words import BroadcastState
from bot.runtime import Runtime
from bot.team import tokens
from tests import factories
from tests.broadcasts.test_commands import read, run

EGYPT = {"version": 1, "all": [{"what": "country", "operator": "is", "value": "EG"}]}
API = "/api/v1/segments"


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    """All of it: the API is not among the pages."""
    return apps.setdefault("pages", apps.get("pages") or create_app(rt))


@pytest.fixture
def people(session: Session) -> None:
    for name in ("ann", "bob"):
        factories.make_person(session, country="EG", distinct_id=name)
    factories.make_person(session, country="DE", distinct_id="cleo")
    factories.make_person(session, country="EG", distinct_id="ann", environment="test")
    session.commit()


@pytest.fixture
def headers(session: Session) -> dict[str, str]:
    _, secret = tokens.create(session, "live", "shop")
    session.commit()
    return {"Authorization": f"Bearer {secret}"}


def told(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json


def refused(answer: Any, status: int) -> tuple[str, str | None]:
    assert answer.status_code == status, answer.text
    return answer.json["error"]["message"], answer.json["error"].get("field")


def test_a_rule_is_counted_and_made_a_segment(people: None, client: FlaskClient, headers: dict[str, str]) -> None:
    counted = client.post(f"{API}/count", json={"rule": EGYPT}, headers=headers)
    assert counted.json == {"people": 2, "is_exact": True, "sample": ["bob", "ann"]}
    made = client.post(API, json={"name": "Egypt", "rule": EGYPT}, headers=headers)
    assert made.status_code == 201
    shown = told(client.get(made.headers["Location"], headers=headers))
    assert (shown["kind"], shown["people"], shown["rule"]) == ("rule", 2, EGYPT)
    members = told(client.get(f"{made.headers['Location']}/members", headers=headers))
    assert [person["distinct_id"] for person in members["members"]] == ["ann", "bob"]
    assert [each["name"] for each in told(client.get(API, headers=headers))["segments"]] == ["Egypt"]
    assert client.delete(made.headers["Location"], headers=headers).status_code == 204
    assert client.get(made.headers["Location"], headers=headers).status_code == 404


def test_a_list_is_made_of_distinct_ids(people: None, client: FlaskClient, headers: dict[str, str]) -> None:
    made = told(client.post(API, json={"name": "few", "distinct_ids": ["ann", "cleo"]}, headers=headers), 201)
    assert (made["kind"], made["people"]) == ("static", 2)
    message, _ = refused(client.post(API, json={"name": "x", "distinct_ids": ["ann", "dan"]}, headers=headers), 422)
    assert message == "1 of them are not known in live, such as dan."


def test_a_refusal_names_the_place(people: None, client: FlaskClient, headers: dict[str, str]) -> None:
    bad = {"version": 1, "all": [{"what": "country", "operator": "is", "value": 7}, {"any": []}]}
    message, field = refused(client.post(f"{API}/count", json={"rule": bad}, headers=headers), 422)
    assert field == "rule.all[0].value"
    assert "rule.all[1].any: Put at least one condition here" in message
    for body in ({"name": "x"}, {"name": "x", "rule": EGYPT, "distinct_ids": ["ann"]}):
        assert refused(client.post(API, json=body, headers=headers), 422)[1] == "rule"


@pytest.mark.parametrize("name", ["environment", "kind", "role", "state", "id", "created_by_operator_id"])
def test_what_is_not_asked_for_cannot_be_set(client: FlaskClient, headers: dict[str, str], name: str) -> None:
    """Case 123."""
    body = {"name": "x", "rule": EGYPT, name: "test"}
    assert refused(client.post(API, json=body, headers=headers), 422)[1] == name


def test_a_segment_in_use_or_of_the_other_environment_is_out_of_reach(
    session: Session, client: FlaskClient, headers: dict[str, str]
) -> None:
    foreign = factories.make_segment(session, environment="test")
    used, number = factories.make_segment(session), factories.make_number(session)
    template = factories.make_template(session, number.connection)
    factories.make_broadcast(session, number, used, template, state=BroadcastState.DRAFT)
    session.commit()
    assert "is used by the broadcast" in refused(client.delete(f"{API}/{used.id}", headers=headers), 409)[0]
    for address in (f"{API}/{foreign.id}", f"{API}/{foreign.id}/members", f"{API}/{2**64}"):
        refused(client.get(address, headers=headers), 404)
    refused(client.delete(f"{API}/{foreign.id}", headers=headers), 404)


def test_commands_count_make_show_export_and_delete(people: None, rt: Runtime, tmp_path: Path) -> None:
    file, live = tmp_path / "rule.json", ("--environment", "live")
    file.write_text(json.dumps(EGYPT))
    assert read("segment", "count", "--rule", str(file), *live) == {"people": 2, "is_exact": True}
    assert read("segment", "create", "Egypt", "--rule", str(file), *live)["people"] == 2
    shown = run("segment", "show", "Egypt", *live).output
    assert "all of these\n  Country is “EG”" in shown
    run("segment", "export", "Egypt", "--to", str(tmp_path / "people.csv"), *live)
    assert (tmp_path / "people.csv").read_bytes().decode("utf-8-sig").splitlines()[1].startswith("ann,+20")
    assert "is deleted" in run("segment", "delete", "Egypt", *live).output
    file.write_text('{"version": 1, "all": [{"what": "contry"}]}')
    assert (
        "rule.all[0].what: That is unknown: did you mean country?"
        in run("segment", "create", "Egypt", "--rule", str(file), *live).output
    )
