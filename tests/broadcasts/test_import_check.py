"""Before anybody is changed a list is checked: what will happen is counted, and waits to be confirmed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.models.imports import ImportRow, ImportRun
from bot.models.person import Property
from bot.models.words import ImportState, PropertyType, RowVerdict
from bot.people import properties
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.imports import imports, steps
from broadcasts.imports.imports import ImportRefusedError
from tests import factories
from tests.broadcasts import lists

HEADER = "user_id,phone_number,city,score||NUMBER\n"


def verdicts(rt: Runtime, run_id: int) -> dict[int, str]:
    with rt.transaction() as session:
        found = session.execute(select(ImportRow.row, ImportRow.verdict).where(ImportRow.import_id == run_id))
        return dict(found.all())


def staged(rt: Runtime) -> int:
    with rt.transaction() as session:
        return session.scalar(select(func.count()).select_from(ImportRow)) or 0


def test_a_checked_list_says_what_will_happen_and_changes_nobody(rt: Runtime) -> None:
    lists.take_in(rt, HEADER + "a,+201012345670,Cairo,1\nb,+201012345671,Giza,2\n")
    known = "a,+201012345670,Cairo,1\nb,+201012345671,Cairo,2\n"
    run = lists.check(rt, f"{HEADER}{known}c,+201012345672,Cairo,3\nd,2010,Cairo,4\nc,+201012345673,,\n")

    assert run.state == ImportState.READY
    assert (run.total, *lists.expected(run)) == (5, 1, 1, 1, 1, 1, 0)
    assert verdicts(rt, run.id) == {2: "unchanged", 3: "changed", 4: "superseded", 5: "failed", 6: "new"}
    assert set(lists.everybody(rt)) == {"a", "b"}
    assert lists.members(rt) == {"a", "b"}


def test_a_confirmed_list_does_what_it_said(rt: Runtime) -> None:
    run = lists.check(rt, HEADER + "a,+201012345670,Cairo,1\nb,2010,Giza,2\na,+201012345670,Giza,3\n")
    for _ in range(2):
        with rt.transaction() as session:
            imports.confirm(session, run.id, None)
    lists.run_worker(rt)

    run = lists.reload(rt, run.id)
    assert run.state == ImportState.FINISHED
    assert (*lists.counts(run), run.superseded) == (1, 0, 0, 1, 1)
    assert lists.everybody(rt)["a"][-1] == {"city": "Giza", "score": 3}
    assert verdicts(rt, run.id) == {3: "failed"}


def test_confirming_makes_the_attributes_with_their_types(rt: Runtime) -> None:
    run = lists.check(rt, HEADER + "a,+201012345670,Cairo,1\n")
    with rt.transaction() as session:
        assert session.scalars(select(Property)).all() == []
        imports.confirm(session, run.id, None)
        assert properties.custom(session, "live") == {"city": PropertyType.TEXT, "score": PropertyType.NUMBER}


@pytest.mark.parametrize("chunk_rows", [1, 5000])
def test_what_becomes_of_a_row_depends_on_the_whole_list_and_not_on_its_chunk(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, chunk_rows: int
) -> None:
    monkeypatch.setattr(steps, "CHUNK_ROWS", chunk_rows)
    with rt.transaction() as session:
        factories.make_person(session, distinct_id="made-up", distinct_id_given=False, phone="+201012345670")
        for name, last in {"ann": 1, "eve": 5, "zed": 7}.items():
            factories.make_person(session, distinct_id=name, phone=f"+20101234567{last}")
    names = {"fay": 5, "ann": 2, "dora": 1, "eve": 6, "bob": 0, "gus": 7}
    rows = "".join(f"{name},+20101234567{last},,\n" for name, last in names.items())
    run = lists.check(rt, f"{HEADER}{rows}gus,+201012345678,,\n")

    assert verdicts(rt, run.id) == {
        2: "failed",  # its number is given up too late
        3: "changed",
        4: "new",  # its number was given up in time
        5: "changed",
        6: "changed",
        7: "superseded",
        8: "new",
    }
    assert lists.comments(rt, run.id) == [
        "phone_number +201012345675 belongs to user_id eve already: one number is one person. Correct one of the two."
    ]


def test_a_row_that_gets_its_name_from_an_earlier_one_is_about_that_person(rt: Runtime) -> None:
    lists.take_in(rt, "user_id,phone_number\nann,+201012345670\n")
    blank = ",,,,,"
    rows = f"ann,201012345671{blank}\n,201012345671{blank}\n"
    run = lists.check(rt, f"{lists.METAHUMANS_HEADER}\n{rows}", dialect="metahumans", country="EG")

    assert verdicts(rt, run.id) == {2: "superseded", 3: "changed"}


def test_a_stranger_and_a_number_that_moves_are_foreseen(rt: Runtime) -> None:
    with rt.transaction() as session:
        factories.make_person(session, distinct_id="made-up", distinct_id_given=False, phone="+201012345670")
        factories.make_person(session, distinct_id="ann", phone="+201012345671")
    rows = "bob,+201012345670,,\nann,+201012345672,,\ncleo,+201012345671,,\n"
    run = lists.check(rt, HEADER + rows)

    assert lists.expected(run) == (1, 2, 0, 0, 0, 0)
    with rt.transaction() as session:
        imports.confirm(session, run.id, None)
    lists.run_worker(rt)
    assert lists.counts(lists.reload(rt, run.id)) == (1, 2, 0, 0)


def test_the_same_person_in_three_spellings_is_one(rt: Runtime) -> None:
    rows = "+20 101 234 5678,Ann\n0020 1012345678,Bea\n01012345678,Cleo\n"
    run = lists.take_in(rt, f"phone,first name\n{rows}", dialect="auto", country="EG")

    assert (*lists.counts(run), run.superseded) == (1, 0, 0, 0, 2)
    assert [person[2] for person in lists.everybody(rt).values()] == ["Cleo"]


def test_an_unnamed_row_about_somebody_named_above_keeps_the_name(rt: Runtime) -> None:
    rows = "ann,919876543210,,Ann,,,\n,919876543210,,Anna,,,\n"
    run = lists.take_in(rt, f"{lists.METAHUMANS_HEADER}\n{rows}", dialect="metahumans", country="IN")

    assert (*lists.counts(run), run.superseded) == (1, 0, 0, 0, 1)
    assert lists.everybody(rt)["ann"][2] == "Anna"


def test_blank_cells_erase_where_they_are_told_to(rt: Runtime) -> None:
    header = "user_id,phone_number,nickname,city,email\n"
    lists.take_in(rt, f"{header}a,+201012345678,Ann,Cairo,a@example.org\nb,+201012345679,,,\n")
    run = lists.check(rt, f"{header}a,+201012345678,,,\nb,+201012345679,,,\n", erases_blanks=True)

    assert lists.expected(run) == (0, 1, 1, 0, 0, 0)
    with rt.transaction() as session:
        imports.confirm(session, run.id, None)
    lists.run_worker(rt)
    assert lists.counts(lists.reload(rt, run.id)) == (0, 1, 1, 0)
    assert lists.everybody(rt)["a"] == ("+201012345678", None, None, None, "EG", {})
    assert lists.emails(rt) == {}


def test_an_e_mail_address_of_two_people_is_kept_out_of_the_second(rt: Runtime) -> None:
    run = lists.check(rt, "user_id,phone_number,email\na,+201012345670,x@example.org\nb,+201012345671,X@example.org\n")

    assert verdicts(rt, run.id) == {2: "new", 3: "failed"}
    assert lists.comments(rt, run.id) == [
        "email x@example.org is in row 2 already, for somebody else: correct it or leave the cell empty."
    ]


def test_rows_that_contradict_others_have_their_cells_too(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "CHUNK_ROWS", 3)
    lists.take_in(rt, HEADER + "".join(f"a{n},+2010123456{n},,\n" for n in range(10, 20)))
    run = lists.check(rt, HEADER + "".join(f"b{n},+2010123456{n},,\n" for n in range(10, 20)))

    with rt.transaction() as session:
        assert [row.cells for row in imports.rejected(session, run.id)] == [
            [f"b{n}", f"+2010123456{n}", "", ""] for n in range(10, 20)
        ]


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_cancelled_list_leaves_nothing_behind(rt: Runtime, confirmed: bool) -> None:
    run = lists.check(rt, HEADER + "a,+201012345670,Cairo,1\nb,2010,,\n")
    with rt.transaction() as session:
        if confirmed:
            imports.confirm(session, run.id, None)
        imports.cancel(session, run.id)
        imports.cancel(session, run.id)
    lists.run_worker(rt)

    assert lists.reload(rt, run.id).state == ImportState.CANCELLED
    assert (lists.everybody(rt), staged(rt)) == ({}, 0)
    with (
        pytest.raises(ImportRefusedError, match="only one that is ready can be confirmed"),
        rt.transaction() as session,
    ):
        imports.confirm(session, run.id, None)


def test_a_list_cancelled_while_it_is_taken_in_stops_at_the_chunk_in_hand(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "CHUNK_ROWS", 20)
    run = lists.check(rt, HEADER + "".join(f"a{n},+20101234{n},,\n" for n in range(5000, 5100)))
    with rt.transaction() as session:
        imports.confirm(session, run.id, None)
    lists.run_one_chunk(rt)
    with rt.transaction() as session:
        imports.cancel(session, run.id)
    lists.run_worker(rt)

    run = lists.reload(rt, run.id)
    assert (run.state, run.created, len(lists.members(rt)), staged(rt)) == (ImportState.CANCELLED, 20, 20, 0)


def test_a_list_that_nobody_confirms_is_given_up_after_a_week(rt: Runtime) -> None:
    old, young = (lists.check(rt, HEADER + "a,+201012345670,Cairo,1\nb,2010,,\n") for _ in range(2))
    with rt.transaction() as session:
        session.get_one(ImportRun, old.id).checked_at = datetime.now(UTC) - timedelta(days=7, minutes=1)
    jobs.sweep(rt)

    old = lists.reload(rt, old.id)
    assert (old.state, old.problem) == ("cancelled", "Nobody confirmed it within 7 days: upload the file again.")
    assert lists.reload(rt, young.id).state == ImportState.READY
    assert (verdicts(rt, old.id), len(verdicts(rt, young.id))) == ({}, 2)


def test_a_list_can_be_checked_again_with_another_country(rt: Runtime) -> None:
    run = lists.check(rt, "phone,name\n01012345678,Ann\n", dialect="auto", country="IN")
    with rt.transaction() as session:
        imports.check_again(session, run.id, "EG")
    lists.run_worker(rt)

    run = lists.reload(rt, run.id)
    assert (run.state, *lists.expected(run)) == (ImportState.READY, 1, 0, 0, 0, 0, 0)


_ROW = st.tuples(st.sampled_from(["a", "b", "c", "d", "bad id"]), st.integers(0, 6), st.sampled_from(["", "x", "y"]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(_ROW, min_size=1, max_size=12), min_size=1, max_size=3))
def test_whatever_stands_in_it_each_row_is_accounted_for_as_it_was_foreseen(
    rt: Runtime, rows: list[list[tuple[str, int, str]]]
) -> None:
    for some in rows:
        text = "".join(f"{name},+20101234567{digit},{city}\n" for name, digit, city in some)
        run = lists.check(rt, f"user_id,phone_number,city\n{text}")
        assert sum(lists.expected(run)) == run.total == len(some)
        with rt.transaction() as session:
            imports.confirm(session, run.id, None)
        lists.run_worker(rt)
        done = lists.reload(rt, run.id)
        assert done.state == ImportState.FINISHED
        assert lists.adds_up(done)
        assert verdicts(rt, run.id).keys() == {
            row for row, verdict in verdicts(rt, run.id).items() if verdict == RowVerdict.FAILED
        }
