"""What a marketer sees of a list: refusals at the door, the preview, the grid, the history, the undo."""

import io
import re
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bot.dashboard import access
from bot.models.connection import Number
from bot.models.imports import ImportRow, ImportRun
from bot.models.person import Person
from bot.models.words import Environment
from bot.runtime import Runtime
from broadcasts import jobs
from tests import factories
from tests.dashboard.visitor import Visitor

MESSY = (
    "Name;Mobile;Points||NUMBER\nAnn;+20 101 234 5678;12\nBob;01012345679;7\nKim;9.2E+11;1\nLee;+201012345670;many\n"
)
EVIL = "\"'><script>alert(1)</script>{{7*7}}"


@pytest.fixture
def number(rt: Runtime) -> Number:
    with rt.transaction() as session:
        return factories.make_number(session)


def upload(visitor: Visitor, *files: tuple[str, bytes | str], **fields: str) -> TestResponse:
    """Send the form of the page with these files, each (content, name)."""
    visitor.get("/imports/new")
    chosen = [(io.BytesIO(data if isinstance(data, bytes) else data.encode()), name) for name, data in files]
    form: dict[str, Any] = {"segment": "spring", "dialect": "auto", "understood": "yes"} | fields
    return visitor.post("/imports/new", {**form, "file": chosen})


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def ready(visitor: Visitor, content: str = MESSY, **fields: str) -> str:
    """The address of an import that waits to be confirmed."""
    answer = upload(visitor, ("people.csv", content), **fields)
    assert answer.status_code == 303, text(answer.text)
    jobs.work()
    return str(answer.location)


def run_of(session: Session, address: str) -> ImportRun:
    session.expire_all()
    return session.get_one(ImportRun, int(address.partition("?")[0].rsplit("/", 1)[1]))


@pytest.mark.parametrize(
    "fields, files, said",
    [
        ({"understood": ""}, [("a.csv", MESSY)], "Tick the box"),
        ({}, [], "Choose a file"),
        ({}, [("a.csv", "")], "The file is empty"),
        ({}, [("a.csv", "colour;shape\nred;round\n")], "missing: phone"),
        ({}, [("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)], "a.csv|file|text|CSV"),
        ({}, [("bomb.xlsx", b"PK\x03\x04 not really a zip")], "XLSX|xlsx|workbook|zip"),
        ({"channel": "sms"}, [("a.csv", MESSY)], "Choose WhatsApp"),
        ({"segment": " "}, [("a.csv", MESSY)], "segment"),
        ({"dialect": "klingon"}, [("a.csv", MESSY)], "no dialect"),
        ({"dialect": "metahumans"}, [("a.csv", MESSY)], "Choose the country"),
        ({"country": "XX"}, [("a.csv", MESSY)], "no country"),
        ({}, [(f"{n}.csv", MESSY) for n in range(21)], "21 files at once are too many"),
    ],
)
def test_what_cannot_be_taken_is_refused_on_the_spot_and_nothing_is_stored(
    number: Number,
    marketer: Visitor,
    session: Session,
    fields: dict[str, str],
    files: list[tuple[str, bytes | str]],
    said: str,
) -> None:
    answer = upload(marketer, *files, **fields)

    assert answer.status_code == 422
    assert re.search(said, text(answer.text))
    assert session.scalar(select(func.count(ImportRun.id))) == 0


def test_a_request_above_the_limit_is_refused(
    number: Number, marketer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "UPLOAD_BYTES", 10_000)
    answer = upload(marketer, ("a.csv", MESSY + "x" * 20_000))

    assert answer.status_code == 413
    assert "too large" in answer.text


def test_an_import_is_offered_only_where_whatsapp_is_set_up(marketer: Visitor) -> None:
    page = marketer.get("/imports/new").text

    assert "Connections → WhatsApp" in page
    assert 'type="file"' not in page
    assert upload(marketer, ("a.csv", MESSY)).status_code == 422


def test_of_two_files_the_good_one_goes_on_and_the_bad_one_is_named(
    number: Number, marketer: Visitor, session: Session
) -> None:
    answer = upload(marketer, ("good.csv", MESSY), ("bad.csv", "colour\nred\n"))
    page = text(marketer.get(answer.location).text)

    assert answer.status_code == 303
    assert "Not taken: bad.csv:" in page
    assert session.scalar(select(func.count(ImportRun.id))) == 1


def test_several_files_are_imports_of_their_own_into_one_segment_each_with_its_mark(
    number: Number, marketer: Visitor, session: Session
) -> None:
    answer = upload(marketer, ("one.csv", "Phone\n+201012345601\n"), ("two.csv", "Phone\n+201012345602\n"))
    jobs.work()
    assert text(marketer.get(answer.location).text).count("Look and confirm") == 2
    for run in session.scalars(select(ImportRun)).all():
        marketer.post(f"/imports/{run.id}/confirm")
    jobs.work()

    page = marketer.get(answer.location).text
    assert page.count("Imported\n") + page.count("Imported</span>") == 2
    assert session.scalar(select(func.count(func.distinct(ImportRun.segment_id)))) == 1
    assert marketer.get(answer.location.replace("live", "test") + "&environment=test").status_code == 404


def test_nobody_changes_before_the_preview_is_confirmed(number: Number, marketer: Visitor, session: Session) -> None:
    address = ready(marketer)
    page = text(marketer.get(address).text)

    assert "Nothing has happened yet" in page
    assert "Mobile → Phone number" in page
    assert "→ Points NUMBER new" in page
    assert session.scalar(select(func.count(Person.id))) == 0
    run = run_of(session, address)
    total = run.will_create + run.will_update + run.will_keep + run.superseded + run.will_fail + run.excess
    assert total == run.total == 4
    assert f"= {total} rows" in page

    marketer.post(f"{address}/confirm")
    jobs.work()
    done = run_of(session, address)
    assert session.scalar(select(func.count(Person.id))) == done.created == run.will_create
    page = marketer.get(address).text
    assert "Imported" in text(page)
    people = re.search(r'href="(/people\?segment=\d+)"', page)
    assert people
    assert "Ann" in text(marketer.get(people[1]).text)


def test_the_country_the_numbers_suggest_is_one_click_away(number: Number, marketer: Visitor, session: Session) -> None:
    lines = "".join(f"012223456{n:02}\n" for n in range(40))
    address = ready(marketer, f"Phone\n{lines}")
    assert run_of(session, address).will_fail == 40
    assert "Check again as EG +20" in text(marketer.get(address).text)

    marketer.post(f"{address}/check-again", {"country": "EG"})
    jobs.work()

    assert run_of(session, address).will_create == 40


def test_rows_are_put_right_in_the_grid_one_by_one_and_by_their_proposals(
    number: Number, marketer: Visitor, session: Session
) -> None:
    address = ready(marketer, MESSY, country="EG")
    before = run_of(session, address).will_fail
    [damaged, typed] = session.scalars(
        select(ImportRow.row).where(ImportRow.verdict == "failed").order_by(ImportRow.row)
    ).all()
    grid = marketer.get(f"{address}/rows").text
    assert f'name="cell.{damaged}.1"' in grid

    marketer.post(f"{address}/rows", {"only": damaged, f"cell.{damaged}.1": "+201012345671"})
    assert run_of(session, address).will_fail == before - 1
    assert "1 row is right now." in text(marketer.get(f"{address}/rows").text)

    marketer.post(f"{address}/rows", {"only": "", f"cell.{typed}.2": "still many"})
    assert "1 still is not" in text(marketer.get(f"{address}/rows").text)
    marketer.post(f"{address}/rows", {"only": "", f"cell.{typed}.2": "12.5"})
    assert run_of(session, address).will_fail == 0
    assert "Every row is right" in marketer.get(f"{address}/rows").text

    marketer.post(f"{address}/confirm")
    jobs.work()
    assert run_of(session, address).created == 4


def test_all_proposals_of_a_kind_are_taken_at_once(number: Number, marketer: Visitor, session: Session) -> None:
    address = ready(marketer, "user_id,phone_number\nann,201012345678\nbob,201012345679\n", dialect="sendbird")
    kinds = session.execute(
        select(ImportRow.problem_kind, func.count()).where(ImportRow.verdict == "failed").group_by("problem_kind")
    ).all()
    assert [count for _, count in kinds] == [2]

    marketer.post(f"{address}/rows/accept", {"kind": kinds[0][0]})

    assert run_of(session, address).will_create == 2
    assert marketer.post(f"{address}/rows/accept", {"kind": "none"}).status_code == 404


def test_rows_healed_after_the_import_are_taken_in_at_once(number: Number, marketer: Visitor, session: Session) -> None:
    address = ready(marketer, "Phone\n+201012345678\n12\n")
    marketer.post(f"{address}/confirm")
    jobs.work()
    assert (run_of(session, address).created, run_of(session, address).failed) == (1, 1)

    marketer.post(f"{address}/rows", {"only": 3, "cell.3.0": "+201012345679"})

    assert (run_of(session, address).created, run_of(session, address).failed) == (2, 0)


def test_an_import_is_undone_and_says_what_that_did(number: Number, marketer: Visitor, session: Session) -> None:
    address = ready(marketer, "Phone\n+201012345678\n+201012345679\n")
    marketer.post(f"{address}/confirm")
    jobs.work()
    assert "Of the 2 people it made" in text(marketer.get(address).text)

    marketer.post(f"{address}/undo")
    jobs.work()

    assert session.scalar(select(func.count(Person.id))) == 0
    page = text(marketer.get(address).text)
    assert "Undone" in page
    assert "Disappeared again 2" in page


def test_a_button_that_comes_too_late_says_so(number: Number, marketer: Visitor) -> None:
    address = ready(marketer, "Phone\n+201012345678\n")
    marketer.post(f"{address}/cancel")

    assert "Cancelled" in text(marketer.get(address).text)
    for change in ("confirm", "undo", "check-again"):
        answer = marketer.post(f"{address}/{change}", {"country": "EG"})
        assert answer.status_code == 409, change
        assert 'role="alert"' in answer.text


def test_rows_above_the_limit_are_the_next_file(number: Number, marketer: Visitor) -> None:
    header = "user.username,user.phone_no,user.email,user.first_name,user.last_name,user.title,user.account"
    lines = [f",10{n:08},,,,," for n in range(1003)]
    address = ready(marketer, "\n".join([header, *lines]), dialect="metahumans", country="EG")

    assert "3 rows are above the limit" in text(marketer.get(address).text)
    rest = marketer.get(f"{address}/rest").data.decode("utf-8-sig").splitlines()
    assert rest == [header, *lines[-3:]]
    assert len(marketer.get(f"{address}/comments").data.splitlines()) == 4


@pytest.mark.parametrize("name", ["../../x.csv", "a\0b.csv", "x" * 4096 + ".csv", "…/≠.csv"])
def test_a_file_name_is_a_label_and_nothing_else(number: Number, marketer: Visitor, name: str) -> None:
    """Case 90."""
    visitor = marketer
    visitor.get("/imports/new")
    answer = upload(visitor, (name, MESSY))
    assert answer.status_code == 303
    jobs.work()

    assert visitor.get(answer.location).status_code == 200
    header = visitor.get(f"{answer.location}/original").headers["Content-Disposition"]
    assert header.startswith("attachment; filename")
    assert not re.search(r"[/\\\0\r\n]", header.replace("UTF-8''", ""))
    assert len(header) < 600


def test_whatever_a_file_says_is_shown_as_text(number: Number, marketer: Visitor) -> None:
    """Case 111."""
    quoted = EVIL.replace('"', '""')
    address = ready(
        marketer,
        f'Phone;Name;"{quoted}||NUMBER"\n+201012345678;"{quoted}";"{quoted}"\n12;"{quoted}";"{quoted}"\n',
        segment="x",
    )
    upload(marketer, (f"{EVIL}.csv", MESSY))
    for page in (address, f"{address}/rows", f"{address}/rows?row=3", "/imports", f"{address}/live"):
        shown = marketer.get(page).text
        assert "<script>alert" not in shown, page
        assert "49" not in re.findall(r"&gt;49|>49<", shown)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in marketer.get(f"{address}/rows").text


def test_the_sample_holds_the_attributes_there_are_and_is_taken_in_without_an_error(
    number: Number, marketer: Visitor, session: Session
) -> None:
    marketer.post(f"{ready(marketer, MESSY)}/confirm")
    jobs.work()
    sample = marketer.get("/imports/sample")
    assert "Points||NUMBER" in sample.data.decode("utf-8-sig")

    address = ready(marketer, sample.data.decode("utf-8-sig"), segment="sample")

    assert run_of(session, address).will_fail == 0


def test_the_history_shows_status_records_errors_who_and_when(number: Number, marketer: Visitor) -> None:
    address = ready(marketer, MESSY)
    page = marketer.get("/imports")
    shown = text(page.text)

    assert [word in shown for word in ("people.csv", "spring", "To confirm", "Records", "Errors")] == [True] * 5
    assert re.search(r'href="(/imports/\d+/comments)', page.text)
    assert "Uploaded by" in text(marketer.get(address).text)


def test_an_import_belongs_to_one_environment(number: Number, marketer: Visitor, session: Session) -> None:
    address = ready(marketer, MESSY)
    assert run_of(session, address).environment == Environment.LIVE
    assert "people.csv" not in marketer.get("/imports?environment=test").text
