"""An import is taken back: values are as they were, and whom it made is gone unless something has happened since."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from bot import failpoints
from bot.failpoints import FailpointError
from bot.models.imports import ImportChange, ImportRun
from bot.models.person import Person
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts.imports import healing, imports, steps, undo
from broadcasts.imports.imports import ImportRefusedError
from tests import factories
from tests.broadcasts import lists

HEADER = "user_id,phone_number,nickname,city,email\n"


@pytest.fixture(autouse=True)
def _no_failpoint() -> Iterator[None]:
    yield
    failpoints.arm("")
    failpoints._passed.clear()


def take_back(rt: Runtime, run: ImportRun) -> ImportRun:
    with rt.transaction() as session:
        imports.undo(session, run.id, None)
        imports.undo(session, run.id, None)
    lists.run_worker(rt)
    return lists.reload(rt, run.id)


def everything(rt: Runtime) -> tuple[Any, ...]:
    return lists.everybody(rt), lists.emails(rt), lists.members(rt)


def change(rt: Runtime, name: str, **values: Any) -> None:
    with rt.transaction() as session:
        session.execute(
            update(Person).where(Person.distinct_id == name).values(updated_at=text("now() + interval '1 s'"), **values)
        )


def test_everything_is_as_it_was(rt: Runtime) -> None:
    lists.take_in(rt, f"{HEADER}a,+201012345670,Ann,Cairo,a@example.org\nb,+201012345671,Bea,,\n")
    with rt.transaction() as session:
        factories.make_person(session, distinct_id="made-up", distinct_id_given=False, phone="+201012345672")
    before = everything(rt)
    rows = (
        "a,+201012345679,Anna,Giza,anna@example.org\nb,+201012345670,,Giza,\n"
        "c,+201012345672,Cleo,,\nd,+201012345671,,,d@example.org\n"
    )
    run = lists.take_in(rt, HEADER + rows, segment_name="other")
    assert lists.counts(run) == (1, 3, 0, 0)

    run = take_back(rt, run)

    assert (run.state, run.undone) == (ImportState.UNDONE, {"removed": 1, "restored": 3, "kept": {}})
    assert everything(rt) == before


def test_values_changed_since_stay(rt: Runtime) -> None:
    lists.take_in(rt, f"{HEADER}a,+201012345670,Ann,Cairo,\n")
    run = lists.take_in(rt, f"{HEADER}a,+201012345670,Anna,Giza,\n")
    change(rt, "a", attributes={"city": "Luxor"})

    take_back(rt, run)

    assert lists.everybody(rt)["a"] == ("+201012345670", "Ann", None, None, "EG", {"city": "Luxor"})


def test_whom_the_import_made_stays_where_something_has_happened_since(rt: Runtime) -> None:
    run = lists.take_in(rt, HEADER + "".join(f"{name},+2010123456{n},,,\n" for n, name in enumerate("abcdef", 10)))
    lists.take_in(rt, f"{HEADER}b,+201012345611,,,\n")
    with rt.transaction() as session:
        people = {person.distinct_id: person for person in session.scalars(select(Person))}
        number = factories.make_number(session)
        factories.make_inbound(session, people["a"], number)
        factories.make_segment(session, [people["c"]], name="other")
    change(rt, "d", nickname="Dee")

    run = take_back(rt, run)

    assert set(lists.everybody(rt)) == {"a", "b", "c", "d"}
    assert run.undone == {
        "removed": 2,
        "restored": 0,
        "kept": {"messages": 1, "imports": 1, "segments": 1, "changes": 1},
    }
    assert undo.KEPT.keys() >= run.undone["kept"].keys()
    assert lists.members(rt) == {"b", "c"}  # of the later import, and of the other segment


def test_a_later_import_keeps_what_it_said_and_can_be_undone_to_the_beginning(rt: Runtime) -> None:
    lists.take_in(rt, f"{HEADER}a,+201012345670,Ann,Cairo,\nb,+201012345671,Bea,Cairo,\n")
    before = everything(rt)
    older = lists.take_in(rt, f"{HEADER}a,+201012345670,Anna,Giza,\nb,+201012345671,,Giza,\n")
    newer = lists.take_in(rt, f"{HEADER}a,+201012345670,,Luxor,\nb,+201012345671,,Giza,\n")

    take_back(rt, older)
    people = lists.everybody(rt)
    assert people["a"] == ("+201012345670", "Ann", None, None, "EG", {"city": "Luxor"})
    assert people["b"][-1] == {"city": "Giza"}

    take_back(rt, newer)
    assert everything(rt) == before


def test_an_undo_that_dies_goes_on_where_it_was(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "CHUNK_ROWS", 10)
    lists.take_in(rt, HEADER + "".join(f"a{n},+2010123456{n},,Cairo,\n" for n in range(30, 60)))
    before = everything(rt)
    run = lists.take_in(rt, HEADER + "".join(f"a{n},+2010123456{n},,Giza,\n" for n in range(10, 60)))
    with rt.transaction() as session:
        imports.undo(session, run.id, None)
    for plan in ("IM1:raise:2", "IM2:raise:1", "IM1:raise:1"):
        failpoints._passed.clear()
        failpoints.arm(plan)
        with pytest.raises(FailpointError):
            lists.run_worker(rt)
        failpoints.arm("")
        with rt.transaction() as session:
            session.execute(update(ImportRun).values(lease_until=None))
    lists.run_worker(rt)

    assert lists.reload(rt, run.id).undone == {"removed": 20, "restored": 30, "kept": {}}
    assert everything(rt) == before


def test_what_was_put_right_by_hand_is_undone_too(rt: Runtime) -> None:
    run = lists.take_in(rt, f"{HEADER}a,2010,,,\nb,+201012345671,,,\n")
    with rt.transaction() as session:
        healing.recheck(session, run.id, {2: ["a", "+201012345670", "", "", ""]})

    take_back(rt, run)

    assert everything(rt) == ({}, {}, set())


def test_an_import_that_changed_nobody_has_nothing_to_undo(rt: Runtime) -> None:
    run = lists.take_in(rt, f"{HEADER}a,2010,,,\n")

    with pytest.raises(ImportRefusedError, match="nothing to undo"), rt.transaction() as session:
        imports.undo(session, run.id, None)


def test_a_cancelled_import_can_be_undone(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "CHUNK_ROWS", 5)
    run = lists.check(rt, HEADER + "".join(f"a{n},+2010123456{n},,Giza,\n" for n in range(10, 30)))
    with rt.transaction() as session:
        imports.confirm(session, run.id, None)
    lists.run_one_chunk(rt)
    with rt.transaction() as session:
        imports.cancel(session, run.id)
    assert len(lists.everybody(rt)) == 5

    take_back(rt, run)

    assert everything(rt) == ({}, {}, set())
    with rt.transaction() as session:
        assert session.scalar(select(func.count()).select_from(ImportChange)) == 0


def test_every_table_about_people_is_asked_before_somebody_is_removed() -> None:
    about_people = {
        table.name
        for table in Person.metadata.tables.values()
        if any(key.column.table.name == "person" for key in table.foreign_keys)
    }
    assert about_people - DERIVED == undo.tables_asked()


DERIVED = {"behaviour_day"}
"""Told by other tables' rows, and by the import's own attributes, which keep nobody."""


def test_the_planner_knows_the_addresses_before_they_are_looked_for_one_by_one(rt: Runtime) -> None:
    """Right after an import it would take every address of the environment for a candidate, for each of its people."""
    people = "".join(f"u{n},+2010{10_000_000 + n:08d},,,\n" for n in range(50))
    take_back(rt, lists.take_in(rt, HEADER + people))

    with rt.transaction() as session:
        known = "SELECT n_distinct FROM pg_stats WHERE tablename = 'address' AND attname = 'person_id'"
        assert session.scalar(text(known)) == -1  # each is another
