"""Rows that were kept out are put right one by one, before the list is taken in or after."""

from collections.abc import Mapping

import pytest

from bot.models.imports import ImportRun
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts.imports import healing, imports
from broadcasts.imports.imports import ImportRefusedError
from tests.broadcasts import lists

HEADER = "user_id,phone_number,city\n"


def recheck(rt: Runtime, run: ImportRun, edited: Mapping[int, list[str]]) -> dict[int, str | None]:
    with rt.transaction() as session:
        return healing.recheck(session, run.id, edited)


def test_a_row_put_right_before_the_end_is_taken_in_with_the_others(rt: Runtime) -> None:
    run = lists.check(rt, HEADER + "a,+201012345670,Cairo\nb,2010,Giza\nc,20,\n")
    told = recheck(rt, run, {3: ["b", "+201012345671", "Giza"], 4: ["c", "21", ""], 2: ["x", "x", ""]})

    assert told[3] is None
    assert "has no plus sign" in (told[4] or "")
    assert told.keys() == {3, 4}
    run = lists.reload(rt, run.id)
    assert lists.expected(run) == (2, 0, 0, 1, 0, 0)
    with rt.transaction() as session:
        assert [row.cells for row in healing.rows(session, run.id)] == [["c", "21", ""]]
        imports.confirm(session, run.id, None)
    lists.run_worker(rt)
    assert lists.counts(lists.reload(rt, run.id)) == (2, 0, 0, 1)
    assert set(lists.everybody(rt)) == {"a", "b"}


def test_a_row_put_right_after_the_end_is_in_at_once_and_once(rt: Runtime) -> None:
    run = lists.take_in(rt, HEADER + "a,+201012345670,Cairo\nb,2010,Giza\nc,20,\n")
    told = [recheck(rt, run, {3: ["b", "+201012345671", "Giza"]}) for _ in range(2)]

    assert told == [{3: None}, {}]
    run = lists.reload(rt, run.id)
    assert lists.counts(run) == (2, 0, 0, 1)
    assert lists.adds_up(run)
    assert lists.everybody(rt)["b"] == ("+201012345671", None, None, None, "EG", {"city": "Giza"})
    assert lists.members(rt) == {"a", "b"}


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_row_that_is_put_right_into_a_contradiction_says_so(rt: Runtime, confirmed: bool) -> None:
    lists.take_in(rt, HEADER + "a,+201012345670,Cairo\n")
    run = lists.check(rt, HEADER + "b,2010,Giza\n", confirmed=confirmed)
    told = recheck(rt, run, {2: ["b", "+201012345670", "Giza"]})

    assert "belongs to user_id a already" in (told[2] or "")
    with rt.transaction() as session:
        (row,) = healing.rows(session, run.id, kind="conflict")
    assert row.cells == ["b", "+201012345670", "Giza"]


def test_a_row_put_right_before_the_end_is_weighed_against_the_rows_below_it(rt: Runtime) -> None:
    run = lists.check(rt, HEADER + "a,2010,Cairo\na,+201012345670,Giza\n")
    recheck(rt, run, {2: ["a", "+201012345670", "Cairo"]})

    assert lists.expected(lists.reload(rt, run.id)) == (1, 0, 0, 0, 1, 0)


def test_a_row_of_a_list_that_is_gone_is_refused(rt: Runtime) -> None:
    run = lists.check(rt, HEADER + "b,2010,Giza\n")
    with rt.transaction() as session:
        imports.cancel(session, run.id)

    with pytest.raises(ImportRefusedError, match="The list is cancelled"):
        recheck(rt, run, {2: ["b", "+201012345670", "Giza"]})
    assert lists.reload(rt, run.id).state == ImportState.CANCELLED
