"""The file of a list is kept for a time after its end; what the list did stays, and can be undone."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.models.imports import FilePiece, ImportRow, ImportRun
from bot.models.person import Person
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts.imports import healing, imports, keeping
from broadcasts.imports.imports import ImportRefusedError
from tests.broadcasts import lists
from tests.broadcasts.test_import_api import app as app
from tests.broadcasts.test_import_api import asker, refusal
from tests.dashboard.visitor import Visitor

CONTENT = "user_id,phone_number,city\nann,+201012345678,Cairo\nbob,12,Giza\n"


def aged(rt: Runtime, run_id: int, days: int) -> None:
    with rt.transaction() as session:
        then = func.now() - timedelta(days=days)
        session.execute(update(ImportRun).where(ImportRun.id == run_id).values(finished_at=then))


def left(rt: Runtime, run_id: int) -> tuple[int, int]:
    """Pieces of its file, and rows that were kept out."""
    with rt.transaction() as session:
        file_id = session.get_one(ImportRun, run_id).file_id
        pieces = select(func.count()).select_from(FilePiece).where(FilePiece.file_id == file_id)
        rows = select(func.count()).select_from(ImportRow).where(ImportRow.import_id == run_id)
        return session.execute(pieces).scalar_one(), session.execute(rows).scalar_one()


@pytest.fixture
def old(rt: Runtime) -> int:
    """A list that ended longer ago than its file is kept."""
    run = lists.take_in(rt, CONTENT)
    aged(rt, run.id, rt.settings.import_retention_days + 1)
    return run.id


def test_a_file_goes_after_its_time_and_the_numbers_stay(rt: Runtime, old: int) -> None:
    keeping.tidy(rt)

    assert left(rt, old) == (0, 0)
    run = lists.reload(rt, old)
    assert (run.state, lists.counts(run), run.findings) == (ImportState.FINISHED, (1, 0, 0, 1), None)
    assert lists.adds_up(run)
    assert set(lists.everybody(rt)) == {"ann"}


def test_a_file_stays_until_its_time_and_while_its_list_is_worked_on(rt: Runtime) -> None:
    young = lists.take_in(rt, CONTENT)
    aged(rt, young.id, rt.settings.import_retention_days - 1)
    waiting = lists.check(rt, CONTENT, segment_name="later")
    aged(rt, waiting.id, 10_000)
    keeping.tidy(rt)

    assert left(rt, young.id) == (1, 1)
    assert left(rt, waiting.id) == (1, 2)


def test_a_list_whose_file_is_gone_is_undone_as_any_other(rt: Runtime, old: int) -> None:
    keeping.tidy(rt)
    with rt.transaction() as session:
        imports.undo(session, old, None)
    lists.run_worker(rt)

    assert lists.reload(rt, old).state == ImportState.UNDONE
    assert lists.everybody(rt) == {}


def test_rows_of_a_file_that_is_gone_are_not_put_right_any_more(rt: Runtime, old: int) -> None:
    keeping.tidy(rt)

    with rt.transaction() as session, pytest.raises(ImportRefusedError, match="no longer kept: upload the file again"):
        healing.recheck(session, old, {3: ["bob", "+201012345679", "Giza"]})


def test_pages_say_that_a_file_is_gone(rt: Runtime, marketer: Visitor, old: int) -> None:
    here = f"/imports/{old}"
    assert "Original file" in marketer.get(here).text
    keeping.tidy(rt)

    shown = marketer.get(here).text
    assert keeping.GONE in shown
    assert "Undo this import" in shown
    assert "/original" not in shown
    assert "/comments" not in shown
    assert "File no longer kept" in marketer.get("/imports").text
    for name in ("original", "comments", "rest"):
        answer = marketer.get(f"{here}/{name}")
        assert (answer.status_code, keeping.GONE in answer.text) == (410, True)


def test_programs_are_told_that_a_file_is_gone(app: Flask, rt: Runtime, session: Session, old: int) -> None:
    ask = asker(app, session)
    assert (ask("GET", f"/{old}").json or {})["file"]["kept"] is True
    keeping.tidy(rt)

    assert (ask("GET", f"/{old}").json or {})["file"]["kept"] is False
    for name in ("original", "comments", "rest"):
        assert refusal(ask("GET", f"/{old}/{name}")) == (410, "file_gone")
    assert refusal(ask("POST", f"/{old}/rows", json={"rows": {"3": {"1": "+201012345679"}}})) == (409, "import_state")
    assert session.scalar(select(func.count(Person.id))) == 1
