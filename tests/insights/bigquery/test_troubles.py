"""Whoever runs Backchat is told in a sentence what keeps the tables from BigQuery, and told again when it is over."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from google.auth.exceptions import RefreshError
from sqlalchemy import delete, func, select, update

from app import cli, create_app
from bot import runtime
from bot.connections import alerts
from bot.insights.bigquery import checking, jobs, problems, runs, working
from bot.insights.bigquery.targets import target_of
from bot.models.bigquery import BigqueryRun
from bot.models.team import AuditEntry
from bot.models.webhook import Alert
from bot.runtime import Runtime
from bot.settings import SettingsError
from bot.team import tokens
from tests import factories as make
from tests.dashboard.visitor import Visitor
from tests.harness.bigquery import PROJECT, BigQuery
from tests.harness.runtimes import make_settings
from tests.insights.bigquery.sent import FEW, assert_same, send

pytestmark = pytest.mark.usefixtures("people")

DENIED = (
    "Access Denied: Project the-project: User does not have bigquery.jobs.create permission in project the-project."
)
REFUSALS: Sequence[tuple[str, dict[str, Any], str]] = [
    ("datasets/", {"status": 403, "reason": "accessNotConfigured"}, "BigQuery API is not enabled"),
    ("datasets/", {"status": 404, "reason": "notFound", "message": "Not found: Dataset x"}, "There is no dataset"),
    ("datasets/", {"status": 503}, "did not answer as it should (503)"),
    (
        "/tables?",
        {"status": 403, "reason": "accessDenied", "message": "bigquery.tables.create denied"},
        "tables.create",
    ),
    ("/jobs?", {"status": 403, "reason": "accessDenied", "message": DENIED}, "BigQuery Job User"),
    ("/jobs?", {"status": 403, "reason": "billingNotEnabled"}, "no billing account"),
]


@pytest.fixture(autouse=True)
def _no_alerts(home: Runtime) -> Iterator[None]:
    yield
    with home.transaction() as session:
        session.execute(delete(Alert))


def steps(rt: Runtime) -> list[checking.Step]:
    target = target_of(rt.settings)
    assert target is not None
    return list(checking.check(target))


def test_a_check_goes_through_each_step_and_leaves_nothing_behind(rt: Runtime, there: BigQuery) -> None:
    send(rt, FEW)
    found = steps(rt)
    assert [step.what for step in found] == ["sign-in", "dataset", "tables", "statements"]
    assert all(step.is_well for step in found), found
    assert "in EU" in found[1].found
    assert "on 2 of" in found[3].found
    assert set(there.kept.tables) == {table.name for table in FEW}


@pytest.mark.parametrize("call, fault, said", REFUSALS, ids=[said for _, _, said in REFUSALS])
def test_a_check_ends_with_what_is_missing(
    rt: Runtime, there: BigQuery, call: str, fault: dict[str, Any], said: str
) -> None:
    there.order(call, **fault)
    last = steps(rt)[-1]
    assert not last.is_well
    assert said in last.found


def test_a_key_that_was_withdrawn_is_called_so(rt: Runtime, there: BigQuery) -> None:
    there.is_key_good = False
    assert "run out or was withdrawn" in steps(rt)[-1].found
    target = target_of(rt.settings)
    assert target is not None
    refused = RefreshError("invalid_grant: Invalid JWT Signature.")  # type: ignore[no-untyped-call]
    assert "run out or was withdrawn" in str(problems.of_sign_in(refused, target))


def test_without_a_key_the_variable_is_named(rt: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nowhere.json"))
    assert "set GOOGLE_APPLICATION_CREDENTIALS" in steps(rt)[-1].found


def opened(rt: Runtime) -> list[str]:
    with rt.transaction() as session:
        return [listed.alert.text for listed in alerts.open_(session)]


def test_what_does_not_pass_is_an_alert_until_all_has_arrived(rt: Runtime, there: BigQuery) -> None:
    for _ in range(2):
        there.order("/jobs?", status=403, reason="billingNotEnabled")
        send(rt, FEW)
    (said,) = opened(rt)
    assert "no billing account" in said
    send(rt, FEW)
    assert opened(rt) == []
    assert_same(rt, there, FEW)


def test_what_may_pass_is_an_alert_the_third_time_and_is_tried_ever_later(rt: Runtime, there: BigQuery) -> None:
    pauses = []
    for failures in range(1, 4):
        there.order("datasets/")
        send(rt, FEW)
        assert len(opened(rt)) == (failures == 3)
        with rt.transaction() as session:
            run = session.scalars(select(BigqueryRun).order_by(BigqueryRun.id.desc()).limit(1)).one()
            pauses.append(run.due_at - run.started_at)
        assert not working.go_on(rt, lambda: False), "nobody tries before it is time"
    assert pauses[0] < pauses[1] < pauses[2]
    send(rt, FEW)
    assert opened(rt) == []


def test_it_is_sent_when_it_is_time_and_only_then(rt: Runtime, there: BigQuery) -> None:
    assert jobs.is_due(rt)
    send(rt, FEW)
    assert not jobs.is_due(rt)
    sent = len(there.calls)
    assert not working.go_on(rt, lambda: False, tables=FEW)
    assert len(there.calls) == sent
    earlier = BigqueryRun.started_at - timedelta(hours=rt.settings.bigquery_hours)
    with rt.transaction() as session:
        session.execute(update(BigqueryRun).values(started_at=earlier))
    assert jobs.is_due(rt)
    assert working.go_on(rt, lambda: False, tables=FEW)


def test_a_worker_makes_way_and_another_goes_on_where_it_was(rt: Runtime, there: BigQuery) -> None:
    asked = iter([False] * 2)
    working.go_on(rt, lambda: next(asked, True), tables=FEW)
    assert "segment_members" not in there.kept.tables
    with rt.transaction() as session:
        assert runs.is_due(session, rt.settings.bigquery_destination or "")
    working.go_on(rt, lambda: False, tables=FEW)
    assert_same(rt, there, FEW)
    assert sum(job.startswith("backchat_people_") and job.endswith("_load") for job in there.kept.jobs) == 1


def test_the_commands_tell_what_went_and_what_did_not(rt: Runtime, there: BigQuery) -> None:
    runtime.use(rt)
    run = CliRunner().invoke
    assert "can be made and deleted" in run(cli, ["bigquery", "check"]).output
    there.order("/jobs?", status=403, reason="billingNotEnabled")
    failed = run(cli, ["bigquery", "send"])
    assert failed.exit_code == 1
    assert "no billing account" in failed.output
    told = run(cli, ["bigquery", "status"]).output
    assert f"{PROJECT}.{there.dataset}" in told
    assert "no billing account" in told
    runtime.use(replace(rt, settings=replace(rt.settings, bigquery_project=None)))
    assert "set BACKCHAT_BIGQUERY_PROJECT" in run(cli, ["bigquery", "status"]).output


def test_a_project_without_a_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="set both or neither"):
        make_settings(tmp_path, "postgresql://x", "redis://x", BACKCHAT_BIGQUERY_PROJECT=PROJECT)
    with pytest.raises(SettingsError, match="project's ID"):
        make_settings(tmp_path, "postgresql://x", "redis://x", BACKCHAT_BIGQUERY_PROJECT="My Project")


@pytest.fixture
def client(rt: Runtime, apps: dict[str, Flask]) -> FlaskClient:
    runtime.use(rt)
    app = apps.setdefault("whole", apps.get("whole") or create_app(rt))
    app.testing = True
    return app.test_client()


def test_the_page_of_raw_data_tells_how_far_it_is_and_sends_at_once(
    rt: Runtime, there: BigQuery, client: FlaskClient
) -> None:
    with rt.sessions() as session, session.begin():
        admin = Visitor(client).enter(session, make.make_operator(session))
    assert "begins soon" in admin.get("/insights/raw-data").text
    there.order("/jobs?", status=403, reason="billingNotEnabled")
    send(rt, FEW)
    held_up = admin.get("/insights/raw-data").text
    assert "held up" in held_up
    assert "no billing account" in held_up
    assert "Next attempt" in held_up
    german = admin.client.get("/insights/raw-data/bigquery", headers={"Accept-Language": "de"}).text
    assert f"Das Projekt {PROJECT} hat kein Abrechnungskonto" in german
    assert "Backchat itself" in admin.get("/alerts").text
    alert = admin.client.get("/alerts", headers={"Accept-Language": "de"}).text
    assert f"Die Tabellen kommen nicht in BigQuery an. Das Projekt {PROJECT} hat kein Abrechnungskonto" in alert
    assert not jobs.is_due(rt), "it is put off"
    assert admin.post("/insights/raw-data/bigquery").status_code == 303
    assert jobs.is_due(rt), "somebody has asked"
    while jobs.is_due(rt):
        assert working.go_on(rt, lambda: False, tables=FEW)
    arrived = admin.get("/insights/raw-data").text
    assert "up to date" in arrived
    assert f"{PROJECT}.{there.dataset}" in arrived
    for _ in range(2):  # an impatient click
        admin.post("/insights/raw-data/bigquery")
    assert "begins soon" in admin.get("/insights/raw-data").text
    assert working.go_on(rt, lambda: False, tables=FEW)
    assert not jobs.is_due(rt)
    runtime.use(replace(rt, settings=replace(rt.settings, bigquery_project=None)))
    assert "not set up" in admin.get("/insights/raw-data").text
    assert admin.post("/insights/raw-data/bigquery").status_code == 404


def test_a_program_is_told_how_far_it_is_and_has_it_sent_at_once(
    rt: Runtime, there: BigQuery, client: FlaskClient
) -> None:
    address = "/api/v1/raw-data/bigquery"
    with rt.transaction() as session:
        token, secret = tokens.create(session, "live", f"of {there.dataset}")
        _, test = tokens.create(session, "test", f"of {there.dataset}")
        token_id = token.id
    bearer = {"Authorization": f"Bearer {secret}"}
    there.order("/jobs?", status=403, reason="billingNotEnabled")
    send(rt, FEW)
    held_up = client.get(address, headers=bearer).get_json()
    assert held_up["destination"] == f"{PROJECT}.{there.dataset}"
    assert "no billing account" in held_up["error"]
    assert (held_up["last_arrived"], held_up["is_asked"]) == (None, False)
    assert not jobs.is_due(rt), "it is put off"
    for _ in range(3):  # it never saw the answer
        asked = client.post(address, headers=bearer)
        assert (asked.status_code, asked.get_json()["is_asked"]) == (202, True)
    for _ in ("what was put off", "what has changed until it was asked for"):
        assert working.go_on(rt, lambda: False, tables=FEW)
    assert not jobs.is_due(rt), "however often it was asked for"
    assert_same(rt, there, FEW)
    arrived = client.get(asked.headers["Location"], headers=bearer).get_json()
    assert (arrived["error"], arrived["is_asked"]) == (None, False)
    assert arrived["last_arrived"].endswith("+00:00")
    with rt.transaction() as session:
        noted = select(func.count()).select_from(AuditEntry).where(AuditEntry.token_id == token_id)
        assert session.scalar(noted.where(AuditEntry.subject == f"bigquery {arrived['destination']}")) == 3
    for method in ("get", "post"):
        refused = getattr(client, method)(address, headers={"Authorization": f"Bearer {test}"})
        assert (refused.status_code, refused.get_json()["error"]["code"]) == (404, "no_bigquery")
