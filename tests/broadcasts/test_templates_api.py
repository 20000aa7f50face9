"""Templates by program and by command: the same checks, once per Idempotency-Key, one environment each."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import create_app
from bot.models.broadcast import Template
from bot.models.connection import Connection
from bot.runtime import Runtime
from bot.team import tokens
from tests import factories
from tests.broadcasts.reviewing import connect, there
from tests.broadcasts.test_commands import read, run
from tests.harness.simulator import Simulator

API = "/api/v1/templates"
BODY: dict[str, Any] = {"type": "BODY", "text": "Hello {{1}}!", "example": {"body_text": [["Amina"]]}}
ASKED: dict[str, Any] = {"name": "greeting", "language": "en", "category": "utility", "components": [BODY]}


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    """All of it: the API is not among the pages."""
    return apps.setdefault("pages", apps.get("pages") or create_app(rt))


@pytest.fixture
def line(rt: Runtime, simulator: Simulator) -> Connection:
    simulator.configure(review={"verdict": ""})
    return connect(rt, simulator)


@pytest.fixture
def headers(session: Session) -> dict[str, str]:
    _, secret = tokens.create(session, "live", "shop")
    session.commit()
    return {"Authorization": f"Bearer {secret}"}


def told(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json


def refused(answer: Any, status: int) -> tuple[str, str | None]:
    error = told(answer, status)["error"]
    return error["code"], error.get("field")


def test_a_template_is_made_once_per_key_and_shown(
    client: FlaskClient, headers: dict[str, str], line: Connection, simulator: Simulator
) -> None:
    key = headers | {"Idempotency-Key": "spring-1"}
    made = told(client.post(API, json=ASKED, headers=key), 201)
    assert (made["status"], made["category"], made["connection"]) == ("PENDING", "UTILITY", "line")
    assert made["slots"] == [{"name": "body.1", "example": "Amina", "required": True}]
    assert [line["status"] for line in made["history"]] == ["PENDING", "UNSUBMITTED"]
    assert told(client.post(API, json=ASKED, headers=key), 201)["id"] == made["id"]
    assert len(there(simulator)) == 1
    other = ASKED | {"name": "other"}
    assert refused(client.post(API, json=other, headers=key), 422)[0] == "idempotency_key_reused"
    assert told(client.get(f"{API}/{made['id']}", headers=headers))["components"] == [BODY]


def test_what_was_not_taken_is_submitted_by_the_same_key_again(
    client: FlaskClient, headers: dict[str, str], line: Connection, simulator: Simulator, session: Session
) -> None:
    key = headers | {"Idempotency-Key": "spring-1"}
    there_is = session.merge(line)
    url, there_is.base_url = there_is.base_url, "http://127.0.0.1:9/v25.0"
    session.commit()
    assert refused(client.post(API, json=ASKED, headers=key), 502)[0] == "provider_unsure"
    there_is.base_url = url
    session.commit()
    assert told(client.post(API, json=ASKED, headers=key), 201)["status"] == "PENDING"
    assert len(session.scalars(select(Template)).all()) == len(there(simulator)) == 1


@pytest.mark.parametrize(
    "wrong, code, field",
    [
        ({"name": "No"}, "bad_template", "name"),
        ({"name": 7}, "invalid_field", "name"),
        ({"components": [BODY | {"text": "{{1}} hello"}]}, "bad_template", "body"),
        ({"components": [BODY | {"example": {}}]}, "bad_template", "body.example.1"),
        ({"components": [{"type": "BODY", "text": "a\0b"}]}, "invalid_field", "components"),
        ({"components": []}, "bad_template", "body"),
        ({"components": "x"}, "invalid_field", "components"),
        ({"components": [BODY, {"type": "CAROUSEL"}]}, "bad_template", "body"),
        ({"category": "AUTHENTICATION"}, "bad_template", "body"),
        ({"connection": "nowhere"}, "invalid_field", "connection"),
        ({"colour": "red"}, "invalid_field", "colour"),
    ],
)
def test_a_refusal_names_the_field_and_leaves_nothing_behind(
    client: FlaskClient, headers: dict[str, str], line: Connection, session: Session, wrong: Any, code: str, field: str
) -> None:
    assert refused(client.post(API, json=ASKED | wrong, headers=headers), 422) == (code, field)
    assert session.scalars(select(Template)).all() == []


def test_a_program_reads_changes_refreshes_and_deletes(
    client: FlaskClient, headers: dict[str, str], line: Connection, simulator: Simulator
) -> None:
    made = told(client.post(API, json=ASKED, headers=headers), 201)
    page = f"{API}/{made['id']}"
    parts = {"components": [{"type": "BODY", "text": "Good morning"}]}
    assert refused(client.patch(page, json=parts, headers=headers), 422) == ("bad_template", None)
    about = {"waba_id": there(simulator)[0]["waba_id"], "name": "greeting", "language": "en"}
    simulator.control("template", about | {"status": "REJECTED", "reason": "SCAM"})
    found = told(client.post(f"{page}/refresh", headers=headers))
    assert (found["status"], "held to be a scam" in found["reason"]) == ("REJECTED", True)
    old = headers | {"If-Match": '"older"'}
    assert refused(client.patch(page, json=parts, headers=old), 412) == ("changed_meanwhile", None)
    seen = headers | {"If-Match": client.get(page, headers=headers).headers["ETag"]}
    assert told(client.patch(page, json=parts, headers=seen))["status"] == "PENDING"
    assert client.delete(page, headers=headers).status_code == 204
    assert there(simulator) == []
    assert told(client.get(f"{API}?status=DELETED", headers=headers))["templates"][0]["id"] == made["id"]
    assert told(client.get(f"{API}?status=APPROVED", headers=headers)) == {"templates": [], "more": None}


def test_a_token_sees_the_templates_of_its_environment(
    client: FlaskClient, headers: dict[str, str], line: Connection, session: Session
) -> None:
    other = factories.make_template(session, factories.make_number(session, environment="test").connection)
    session.commit()
    assert told(client.get(API, headers=headers))["templates"] == []
    for method, path in (("get", ""), ("post", "/refresh"), ("delete", "")):
        answer = getattr(client, method)(f"{API}/{other.id}{path}", headers=headers)
        assert refused(answer, 404)[0] == "unknown_template"
    assert client.get(API).status_code == 401
    assert refused(client.get(f"{API}?page=0", headers=headers), 400)[1] == "page"


def test_a_template_is_made_shown_and_refreshed_by_command(
    line: Connection, simulator: Simulator, tmp_path: Path
) -> None:
    file = tmp_path / "greeting.json"
    file.write_text(json.dumps(ASKED))
    made = read("template", "create", "line", str(file))
    assert (made["status"], made["slots"], made["body"]) == ("PENDING", ["body.1"], "Hello {{1}}!")
    about = {"waba_id": there(simulator)[0]["waba_id"], "name": "greeting", "language": "en"}
    simulator.control("template", about | {"status": "APPROVED"})
    assert read("template", "refresh", str(made["id"]))["status"] == "APPROVED"
    shown = read("template", "show", str(made["id"]))
    assert [line.split()[-1] for line in shown["history"]] == ["UNSUBMITTED", "PENDING", "APPROVED"]
    again = run("template", "create", "line", str(file))
    assert (again.exit_code, "There is one already in en, approved" in again.stderr) == (1, True)
    assert "There is no template 7777" in run("template", "show", "7777").stderr
