"""A program uploads a list, looks at it, puts it right, confirms and undoes it; docs/api.md tells how."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import create_app
from bot.models.imports import ImportRun
from bot.models.person import Person
from bot.models.words import Environment
from bot.runtime import Runtime
from bot.team import tokens
from broadcasts import jobs

LIST = "Phone,Name\n+201012345678,Ann\n12,Bob\n"

Ask = Callable[..., TestResponse]


def asker(app: Flask, session: Session, environment: str = Environment.LIVE) -> Ask:
    _, secret = tokens.create(session, environment, f"crm-{environment}")
    session.commit()
    client = app.test_client()

    def ask(method: str, path: str = "", **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {secret}", **more.pop("headers", {})}
        return client.open(f"/api/v1/imports{path}", method=method, headers=headers, **more)

    return ask


@pytest.fixture
def ask(app: Flask, session: Session) -> Ask:
    return asker(app, session)


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    return apps.setdefault("pages", apps.get("pages") or create_app(rt))


def send(ask: Ask, content: str = LIST, *, key: str | None = None, **options: str) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    query = {"segment": "spring", **options}
    return ask("POST", data=content.encode(), content_type="text/csv", query_string=query, headers=headers)


def refusal(answer: TestResponse) -> tuple[int, str]:
    assert answer.json
    return answer.status_code, answer.json["error"]["code"]


def test_a_list_goes_from_preview_by_way_of_a_healed_row_to_the_undo(ask: Ask, session: Session) -> None:
    sent = send(ask, confirm="false", name="people.csv")
    assert (sent.status_code, sent.json and sent.json["state"]) == (202, "checking")
    path = sent.headers["Location"].removeprefix("/api/v1/imports")
    jobs.work()
    shown = ask("GET", path).json
    assert shown
    assert (shown["state"], shown["file"]["name"]) == ("ready", "people.csv")
    assert (shown["preview"]["new"], shown["preview"]["failing"]) == (1, 1)
    assert [each["rows"] for each in shown["problems"]] == [1]
    assert session.scalar(select(func.count(Person.id))) == 0

    [row] = (ask("GET", f"{path}/rows").json or {})["rows"]
    assert (row["row"], row["cells"], row["column"]) == (3, ["12", "Bob"], 0)
    healed = ask("POST", f"{path}/rows", json={"rows": {"3": {"0": "+201012345679"}}})
    assert healed.json == {"right": 1, "wrong": 0}

    assert ask("POST", f"{path}/confirm").status_code == 200
    jobs.work()
    done = ask("GET", path).json
    assert done
    assert (done["state"], done["result"]["created"], done["result"]["failed"]) == ("finished", 2, 0)

    ask("POST", f"{path}/undo")
    jobs.work()
    assert (ask("GET", path).json or {})["state"] == "undone"
    assert session.scalar(select(func.count(Person.id))) == 0


def test_a_list_is_taken_in_at_once_unless_told_otherwise(ask: Ask) -> None:
    path = send(ask).headers["Location"].removeprefix("/api/v1/imports")
    jobs.work()

    assert (ask("GET", path).json or {})["result"] == {
        "created": 1, "updated": 0, "unchanged": 0, "failed": 1, "superseded": 0, "excess": 0,
    }  # fmt: skip
    assert b"12,Bob" in ask("GET", f"{path}/comments").data
    assert ask("GET", f"{path}/original").data == LIST.encode()
    assert ask("GET", f"{path}/rest").status_code == 200


def test_a_form_holds_file_and_options(ask: Ask) -> None:
    form = {"file": (io.BytesIO(LIST.encode()), "../../people.csv"), "segment": "spring", "confirm": "false"}
    answer = ask("POST", data=form)

    assert (answer.status_code, (answer.json or {})["file"]["name"]) == (202, "people.csv")


def test_a_name_with_line_ends_is_a_label_and_nothing_else(ask: Ask) -> None:
    """Case 90: what no browser sends, CRLF in a file's name, adds no header."""
    sent = send(ask, name="a\r\nSet-Cookie: x=1.csv")

    assert (sent.json or {})["file"]["name"] == "aSet-Cookie: x=1.csv"


def test_the_same_key_is_one_import_and_another_file_needs_another_key(ask: Ask, session: Session) -> None:
    first, again = send(ask, key="march"), send(ask, key="march")

    assert first.headers["Location"] == again.headers["Location"]
    assert session.scalar(select(func.count(ImportRun.id))) == 1
    assert refusal(send(ask, LIST + "+201012345670,Cy\n", key="march")) == (422, "idempotency_key_reused")
    assert refusal(send(ask, segment="autumn", key="march")) == (422, "idempotency_key_reused")


def test_every_refusal_names_what_is_wrong(ask: Ask, session: Session) -> None:
    refused = {
        "columns": send(ask, "colour\nred\n"),
        "empty": send(ask, ""),
        "dialect": send(ask, dialect="klingon"),
        "segment": send(ask, segment=" "),
        "truth": send(ask, confirm="maybe"),
        "channel": send(ask, channel="sms"),
        "no file": ask("POST", data={"segment": "spring"}, content_type="multipart/form-data"),
        "account": ask("POST", data={"segment": "s", "account_id": "7", "file": (io.BytesIO(b"x"), "x.csv")}),
        "key": send(ask, key="ä"),
    }
    assert {name: refusal(answer) for name, answer in refused.items()} == {
        "columns": (422, "import_refused"),
        "empty": (422, "import_refused"),
        "dialect": (422, "import_refused"),
        "segment": (422, "import_refused"),
        "truth": (422, "invalid_field"),
        "channel": (422, "invalid_field"),
        "no file": (422, "invalid_field"),
        "account": (422, "invalid_field"),
        "key": (400, "bad_idempotency_key"),
    }
    assert session.scalar(select(func.count(ImportRun.id))) == 0


def test_what_is_not_there_or_not_possible_is_said_so(ask: Ask) -> None:
    path = send(ask).headers["Location"].removeprefix("/api/v1/imports")
    jobs.work()

    assert refusal(ask("GET", "/999999999999999999999")) == (404, "unknown_import")
    assert refusal(ask("POST", f"{path}/cancel")) == (409, "import_state")
    assert refusal(ask("GET", f"{path}/rows?kind=none")) == (422, "invalid_field")
    assert refusal(ask("GET", f"{path}/rows?after=-1")) == (422, "invalid_field")
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"rows": {}},
        {"rows": {"x": {"0": "a"}}},
        {"rows": {"3": ["a"]}},
        {"rows": {"3": {"0": 7}}},
    )
    for body in bodies:
        assert refusal(ask("POST", f"{path}/rows", json=body)) == (422, "invalid_field"), body


def test_a_token_reaches_the_imports_of_its_environment_only(ask: Ask, app: Flask, session: Session) -> None:
    path = send(ask).headers["Location"].removeprefix("/api/v1/imports")
    other = asker(app, session, Environment.TEST)

    assert refusal(other("GET", path)) == (404, "unknown_import")
    for change in ("confirm", "cancel", "undo", "rows"):
        assert other("POST", f"{path}/{change}", json={"accept": "value"}).status_code == 404
    assert (other("GET").json or {})["imports"] == []
    assert len((ask("GET").json or {})["imports"]) == 1


def test_the_list_of_imports_comes_in_pages(ask: Ask) -> None:
    sent = [send(ask).json for _ in range(3)]
    first = ask("GET", "?limit=2").json or {}
    rest = ask("GET", f"?limit=2&before={first['before']}").json or {}

    found = [each["id"] for each in [*first["imports"], *rest["imports"]]]
    assert found == sorted((each["id"] for each in sent if each), reverse=True)
    assert rest["before"] is None
