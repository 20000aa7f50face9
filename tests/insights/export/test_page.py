"""The page asks, a worker makes, somebody takes along; what may not be kept any longer is gone."""

import io
import signal
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.orm import Session

from app import create_app
from bot import ending
from bot.erasure import erasing
from bot.insights.export import files, jobs, making, orders
from bot.insights.export.shapes import Progress
from bot.models.export import RawExport
from bot.models.team import AuditEntry
from bot.models.words import Role
from bot.runtime import Runtime
from tests import factories as make
from tests.dashboard.visitor import Visitor

Made = Callable[..., RawExport]


@pytest.fixture
def admin(live_rt: Runtime, apps: dict[str, Flask]) -> Visitor:
    """In a house that really commits, as a snapshot is of what is committed."""
    app = apps.setdefault("whole", apps.get("whole") or create_app(live_rt))
    app.testing = True
    with live_rt.transaction() as tx:
        make.make_person(tx)
    with live_rt.sessions() as session:
        return Visitor(app.test_client()).enter(session, make.make_operator(session))


@pytest.fixture
def ask(admin: Visitor, live_rt: Runtime) -> Made:
    """What the worker has made of what was asked for."""

    def asked(people: str = "pseudonyms", what: str = "changes") -> RawExport:
        assert admin.post("/insights/raw-data", {"people": people, "what": what}).status_code == 303
        jobs.make_exports()
        return newest(live_rt)

    return asked


def newest(rt: Runtime) -> RawExport:
    with rt.sessions() as session:
        return session.scalars(select(RawExport).order_by(RawExport.id.desc()).limit(1)).one()


def test_what_was_asked_for_is_downloaded_and_both_are_written_down(
    admin: Visitor, ask: Made, live_rt: Runtime, tmp_path: Path
) -> None:
    ask()
    second = ask()
    for export_id in (second.since_id, second.id):
        answer = admin.get(f"/insights/raw-data/{export_id}.zip")
        assert answer.status_code == 200
        zipfile.ZipFile(io.BytesIO(answer.data)).extractall(tmp_path / "exports")
    first, then = sorted(path for path in (tmp_path / "exports").iterdir() if path.is_dir())
    assert (files.read_manifest(first).rows["people"], files.read_manifest(then).rows["people"]) == (1, 0)
    assert (tmp_path / "exports/views.sql").exists()
    assert files.read_manifest(then).since == files.read_manifest(first).exported_at
    assert "what changed since" in admin.get("/insights/raw-data").text
    with live_rt.sessions() as session:
        written = session.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id)).all()
    assert [tuple(entry) for entry in written] == [
        ("export asked for", "raw data 1"),
        ("export asked for", "raw data 2"),
        ("exported", "raw data 1"),
        ("exported", "raw data 2"),
    ]
    assert list((live_rt.settings.home / making.DRAFTS).iterdir()) == []


def test_one_is_made_at_a_time_and_kinds_do_not_mix(admin: Visitor, ask: Made) -> None:
    ask("pseudonyms")
    assert ask("whole").since_id is None
    assert ask("whole", "whole").since_id is None
    assert admin.post("/insights/raw-data", {"people": "whole"}).status_code == 303
    again = admin.post("/insights/raw-data", {"people": "whole"})
    assert (again.status_code, "wait until it is there" in again.text) == (409, True)
    assert "waits for a worker" in again.text


@pytest.mark.parametrize("why", ["erased", "old"])
def test_a_file_goes_after_some_days_and_when_somebody_is_erased(
    admin: Visitor, ask: Made, live_rt: Runtime, why: str
) -> None:
    made = ask("whole")
    with live_rt.transaction() as tx:
        if why == "erased":
            erasing.erase(tx, live_rt.settings, 1, erasing.Actor())
        else:
            days = timedelta(days=orders.KEPT_DAYS, minutes=1)
            tx.execute(
                text("UPDATE raw_export SET finished_at = finished_at - CAST(:days AS interval)"), {"days": days}
            )
    jobs.sweep(live_rt)
    jobs.make_exports()
    assert admin.get(f"/insights/raw-data/{made.id}.zip").status_code == 404
    assert [path for path in (live_rt.settings.home / "media").rglob("*") if path.is_file()] == []
    assert "deleted" in admin.get("/insights/raw-data").text


def test_a_worker_that_is_told_to_end_gives_it_back_and_one_that_dies_leaves_it_to_the_next(
    admin: Visitor, live_rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/insights/raw-data")
    with live_rt.transaction() as tx, monkeypatch.context() as told:
        claimed = orders.claim(tx)
        tx.commit()
        told.setattr(ending, "_told", [signal.SIGTERM])
        assert claimed is not None
        making.make(live_rt, claimed)
    assert (newest(live_rt).state, newest(live_rt).attempt) == ("waiting", 0)
    for attempt in range(1, orders.ATTEMPTS + 1):
        with live_rt.transaction() as tx:
            died = orders.claim(tx)
            assert died is not None
            assert died.attempt == attempt
            tx.execute(text("UPDATE raw_export SET lease_until = now() - interval '1 second'"))
    jobs.make_exports()
    assert newest(live_rt).state == "failed"
    assert "see the worker&#39;s log" in admin.get("/insights/raw-data").text
    with live_rt.transaction() as tx:
        assert not orders.note(tx, claimed, Progress("people", 0, 0))


@pytest.mark.parametrize(
    "error, states", [(OperationalError, ["running", "finished"]), (DataError, ["failed", "failed"])]
)
def test_a_database_that_goes_away_is_waited_for_and_one_that_objects_is_said(
    admin: Visitor, live_rt: Runtime, monkeypatch: pytest.MonkeyPatch, error: type[DBAPIError], states: list[str]
) -> None:
    def objects(*_: object) -> None:
        raise error("SELECT", None, Exception("gone"))

    admin.post("/insights/raw-data")
    with monkeypatch.context() as broken:
        broken.setattr("bot.insights.export.files.write", objects)
        broken.setattr(orders, "LEASE", timedelta(seconds=5))
        jobs.make_exports()
    assert newest(live_rt).state == states[0]
    with live_rt.transaction() as tx:
        tx.execute(text("UPDATE raw_export SET lease_until = now() - interval '1 second' WHERE state = 'running'"))
    jobs.make_exports()
    assert newest(live_rt).state == states[1]


def test_a_disk_that_refuses_is_said(admin: Visitor, ask: Made, live_rt: Runtime) -> None:
    (live_rt.settings.home / making.DRAFTS).write_text("in the way")
    assert ask().state == "failed"
    assert "make room" in admin.get("/insights/raw-data/live").text


@pytest.mark.parametrize("role", [Role.COACH, Role.MARKETER, Role.VIEWER])
def test_only_admins_take_everything_along(
    client_of: Callable[[str], FlaskClient], session: Session, role: Role
) -> None:
    other = client_of(role)
    assert other.get("/insights/raw-data").status_code == 403
    assert other.post("/insights/raw-data").status_code == 403
