"""Rows leave as they are, with the types their documentation says; what changes later comes again, in any order."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from bot.insights.export import reading
from bot.insights.export.pseudonyms import Pseudonyms
from bot.insights.export.reading import Mark
from bot.insights.export.shapes import Table
from bot.insights.export.tables import TABLES
from bot.models.goals import PersonEvent
from bot.models.schema import metadata
from bot.runtime import Runtime
from tests import factories as make


def read(
    rt: Runtime, name: str, since: Mark | None = None, hide: Pseudonyms | None = None
) -> tuple[list[dict[str, Any]], Mark]:
    with reading.snapshot(rt) as snap:
        found = [row for batch in reading.batches(snap, TABLES[name], "live", since, hide) for row in batch.to_pylist()]
    return found, snap.mark


def said(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(row["body"] for row in rows)


def test_texts_come_out_as_they_were_said_and_nothing_is_not_an_empty_text(live_rt: Runtime) -> None:
    bodies = ['say "so",\n\r\nor not; \\. \\N', "", " ", "NULL", "مرحبا 👋\t", None]
    with live_rt.transaction() as tx:
        number, person = make.make_number(tx), make.make_person(tx)
        for body in bodies:
            make.make_inbound(tx, person, number, body=body)  # type: ignore[arg-type]  # a picture has none
    rows, _ = read(live_rt, "messages")
    assert [row["body"] for row in sorted(rows, key=lambda row: row["id"])] == bodies


def test_a_transaction_that_commits_after_an_export_comes_with_the_next_one(live_rt: Runtime) -> None:
    with live_rt.transaction() as tx:
        number, person = make.make_number(tx), make.make_person(tx)
        make.make_inbound(tx, person, number, body="before")
    with live_rt.sessions() as slow:
        make.make_inbound(slow, person, number, body="slow")
        slow.add(PersonEvent(environment="live", person_id=person.id, name="paid", at=text("now()")))
        with slow.begin_nested():
            make.make_inbound(slow, person, number, body="slow, within a savepoint")
        with live_rt.transaction() as tx:
            make.make_inbound(tx, person, number, body="quick")
        first, mark = read(live_rt, "messages")
        assert read(live_rt, "person_events", mark)[0] == []
        slow.commit()
    second, later = read(live_rt, "messages", mark)
    assert said(first) == ["before", "quick"]
    assert {"slow", "slow, within a savepoint"} <= set(said(second))
    assert "before" not in said(second)
    assert [event["name"] for event in read(live_rt, "person_events", mark)[0]] == ["paid"]
    assert read(live_rt, "person_events", later)[0] == []
    assert read(live_rt, "messages", later)[0] == []
    with live_rt.transaction() as tx:
        tx.execute(text("UPDATE message SET read_at = now() WHERE body = 'before'"))
    assert said(read(live_rt, "messages", later)[0]) == ["before"]


def test_what_an_export_of_another_database_or_time_knew_is_not_trusted(live_rt: Runtime) -> None:
    with reading.snapshot(live_rt) as snap:
        assert snap.knows(snap.mark)
        assert not snap.knows(replace(snap.mark, cluster="another/1"))
        assert not snap.knows(replace(snap.mark, oldest=snap.next + 1))
        assert not snap.knows(replace(snap.mark, oldest=snap.next - 2**31))


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_table_says_of_every_column_what_it_means_and_what_nothing_means(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert set(table.key) <= set(names)
    for column in table.columns:
        alias, _, name = column.sql.partition(".")
        own = alias_of(table.source, alias)
        assert column.meaning
        if own is not None and name in own.columns and f"{column.sql} IS NOT NULL" not in table.source:
            assert column.null or not own.columns[name].nullable, column.name


def alias_of(source: str, alias: str) -> Any:
    """The model's table that the source calls so."""
    words = source.replace("(", " ").split()
    return next((metadata.tables.get(table) for table, name in pairwise(words) if name == alias), None)


def test_pseudonyms_are_the_same_in_every_table_and_nothing_private_is_left(live_rt: Runtime) -> None:
    with live_rt.transaction() as tx:
        number, person = make.make_number(tx), make.make_person(tx, phone="+4915112345678", first_name="Grace")
        make.make_inbound(tx, person, number, body="call me")
    hide = Pseudonyms(live_rt.settings)
    [message], [who] = (read(live_rt, name, hide=hide)[0] for name in ("messages", "people"))
    assert message["person_id"] == who["person_id"] == hide.of(str(person.id))
    assert len(who["person_id"]) == 32
    other = Pseudonyms(replace(live_rt.settings, secret_key="x" * 32))
    assert other.of(str(person.id)) != who["person_id"]
    for name in TABLES:
        told = str(read(live_rt, name, hide=hide)[0])
        assert not any(word in told for word in ("15112345678", "Grace", "call me", number.phone, "wamid")), name
