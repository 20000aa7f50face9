"""Lists that somebody erased came with say nothing of them any more, and cannot bring them back."""

import pytest
from sqlalchemy import select

from bot.models.imports import ImportRow, StoredFile
from bot.models.person import Person
from bot.models.words import ImportState
from broadcasts.imports import files, pump, steps
from tests.broadcasts import lists
from tests.erasure.conftest import PHONE, Story

HEADER = "user_id,phone_number,first_name,city\n"
ADA = f"ada-4711,{PHONE},Lovelace,Cairo\n"
BOBS = "bob,+201099999999,Bob,Giza\nbeth,+201088888888,Beth,Giza\n"


def original(story: Story, run_id: int) -> bytes:
    with files.open_file(story.rt.transaction, lists.reload(story.rt, run_id).file_id) as file:
        return file.read()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_their_row_of_the_original_is_empty_and_the_others_stand_where_they_stood(story: Story, encoding: str) -> None:
    run = lists.take_in(story.rt, (HEADER + ADA + BOBS.replace("Beth", "Bèth")).encode(encoding))

    story.erase()

    told = original(story, run.id).decode("utf-8-sig").splitlines()
    assert told == [HEADER.strip(), "(erased),,,", "bob,+201099999999,Bob,Giza", "beth,+201088888888,Bèth,Giza"]
    assert story.found() == []
    with story.rt.transaction() as session:
        kept = session.get_one(StoredFile, run.file_id)
    assert kept.size == len(original(story, run.id))


@pytest.mark.parametrize("spelled", ["+20 109 876 5012", "01098765012", "(20) 10-9876-5012", "ADA@example.org"])
def test_a_failed_row_that_names_them_in_any_spelling_keeps_its_place_alone(story: Story, spelled: str) -> None:
    run = lists.take_in(story.rt, f"{HEADER},{spelled},Lovelace,Cairo\n,,Grace,\n")
    assert run.failed == 2

    story.erase()

    with story.rt.transaction() as session:
        rows = session.scalars(select(ImportRow).where(ImportRow.import_id == run.id).order_by(ImportRow.row)).all()
    assert [row.cells[0] for row in rows if row.cells] == ["(erased)", ""]
    assert rows[0].comment == "The person of this row was erased."
    assert story.found() == []
    assert lists.reload(story.rt, run.id).failed == 2


def test_a_short_id_empties_no_cell_but_that_of_the_column_of_ids(story: Story) -> None:
    with story.rt.transaction() as session:
        session.get_one(Person, story.ada.id).distinct_id = "7"
    run = lists.take_in(story.rt, f"{HEADER}7,{PHONE},Lovelace,7\nbob,+201099999999,Bob,7\n")

    story.erase()

    assert original(story, run.id).decode("utf-8-sig").splitlines()[1:] == ["(erased),,,", "bob,+201099999999,Bob,7"]


def test_a_list_that_nobody_can_read_goes_if_it_names_them(story: Story) -> None:
    named = lists.take_in(story.rt, f'{HEADER}"{PHONE},Lovelace,Cairo\n')
    other = lists.take_in(story.rt, f'{HEADER}"+201088888888,Beth,Giza\n')
    assert named.state == other.state == ImportState.FAILED

    story.erase()

    assert original(story, named.id) == b""
    assert b"Beth" in original(story, other.id)


def test_a_list_at_work_is_waited_for(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "CHUNK_ROWS", 1)
    monkeypatch.setattr(steps, "LANES", 1)  # as all of the test is one transaction
    run_id = lists.upload(story.rt, HEADER + ADA + BOBS)
    pump.work(story.rt, lambda: True)
    assert lists.reload(story.rt, run_id).state == ImportState.CHECKING

    assert story.erase().finished_at is None
    lists.run_worker(story.rt)
    story.go_on()

    story.session.expire_all()
    assert story.found() == []
    assert lists.reload(story.rt, run_id).failed == 1


def test_a_list_cannot_bring_them_back(story: Story) -> None:
    story.erase()

    run = lists.take_in(story.rt, HEADER + ADA + BOBS)

    assert run.failed == 1
    [comment] = lists.comments(story.rt, run.id)
    assert "erased at their own wish" in comment
    assert "ada-4711" not in lists.everybody(story.rt)
