"""What a transaction looks up once is held as by a foreign key: nothing leads nowhere, or to the other side."""

from collections.abc import Callable

import pytest
from sqlalchemy import ColumnElement, Connection, TextClause, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from bot.db import LEADS_TO
from bot.models.person import Person
from bot.models.schema import metadata
from bot.models.segment import Segment
from bot.runtime import Runtime
from tests import factories as make
from tests.broadcasts import lists

JOIN = text("INSERT INTO segment_member (segment_id, person_id, environment) VALUES (:segment, :person, :environment)")
MAKE = text("INSERT INTO person (environment, distinct_id, import_id) VALUES (:environment, :name, :run)")


@pytest.fixture
def ada(session: Session) -> Person:
    return make.make_person(session, distinct_id="ada")


@pytest.fixture
def spring(session: Session) -> Segment:
    return make.make_segment(session, name="spring")


@pytest.fixture
def run_id(rt: Runtime) -> int:
    return lists.upload(rt, "user_id,phone_number\nu1,+201000000001\n")


def test_these_columns_lead_somewhere_without_a_foreign_key() -> None:
    held = {str(column): told for column in columns() if (told := column.info.get(LEADS_TO))}
    assert held == {"person.import_id": "import_run", "segment_member.segment_id": "segment"}


def columns() -> list[ColumnElement[object]]:
    return [column for table in metadata.sorted_tables for column in table.columns]


def refused(connection: Connection, statement: str | TextClause, **given: object) -> bool:
    """By the database itself; the transaction goes on."""
    asked = text(statement) if isinstance(statement, str) else statement
    with pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(asked, given)
    return True


def test_a_member_is_of_a_segment_of_its_environment(connection: Connection, session: Session, ada: Person) -> None:
    live, other, test = (make.make_segment(session, environment=word) for word in ("live", "live", "test"))
    given = {"person": ada.id, "environment": "live"}
    assert refused(connection, JOIN, segment=test.id, **given)
    assert refused(connection, JOIN, segment=10**9, **given)
    connection.execute(JOIN, {"segment": live.id, **given})
    assert refused(connection, JOIN, segment=test.id, **given)  # after one that was right, too
    grace = make.make_person(session, environment="test")
    assert refused(connection, JOIN, segment=live.id, person=grace.id, environment="test")
    connection.execute(JOIN, {"segment": other.id, **given})
    assert refused(
        connection, "UPDATE segment_member SET segment_id = :id WHERE segment_id = :old", id=test.id, old=other.id
    )
    assert refused(connection, "UPDATE segment SET id = id + 1000")


def test_members_go_with_their_segment_and_nobody_joins_it_any_more(
    connection: Connection, ada: Person, spring: Segment
) -> None:
    given = {"segment": spring.id, "person": ada.id, "environment": "live"}
    connection.execute(JOIN, given)
    connection.execute(text("DELETE FROM segment WHERE id = :id"), {"id": spring.id})
    assert connection.scalar(text("SELECT count(*) FROM segment_member")) == 0
    assert refused(connection, JOIN, **given)  # although it was there when the transaction looked


def test_what_was_looked_up_in_a_savepoint_is_looked_up_anew_after_it_was_rolled_back(
    connection: Connection, ada: Person
) -> None:
    savepoint = connection.begin_nested()
    segment = connection.scalar(text("INSERT INTO segment (environment, name) VALUES ('live', 'brief') RETURNING id"))
    given = {"segment": segment, "person": ada.id, "environment": "live"}
    connection.execute(JOIN, given)
    savepoint.rollback()
    assert refused(connection, JOIN, **given)


def test_whom_an_import_made_is_of_its_environment_and_the_import_stays(connection: Connection, run_id: int) -> None:
    assert refused(connection, MAKE, environment="test", name="grace", run=run_id)
    connection.execute(MAKE, {"environment": "live", "name": "grace", "run": run_id})
    assert refused(connection, MAKE, environment="test", name="alan", run=run_id)
    assert refused(connection, MAKE, environment="live", name="alan", run=10**9)
    assert refused(connection, "UPDATE person SET import_id = :id", id=10**9)
    assert refused(connection, "DELETE FROM import_run")
    assert refused(connection, "UPDATE import_run SET id = id + 1000")


@pytest.fixture
def waits(live_rt: Runtime) -> Callable[[str, object], bool]:
    """Whether somebody else has to wait for a row, asked on a connection of its own."""

    def asked(table: str, id_: object) -> bool:
        with live_rt.engine.connect() as other:
            try:
                other.execute(text(f"SELECT FROM {table} WHERE id = :id FOR UPDATE NOWAIT"), {"id": id_})
            except OperationalError:
                return True
        return False

    return asked


def test_what_is_led_to_cannot_go_before_whoever_leads_to_it_is_there(
    live_rt: Runtime, waits: Callable[[str, object], bool]
) -> None:
    with live_rt.transaction() as session:
        ada, spring = make.make_person(session), make.make_segment(session)
    run_id = lists.upload(live_rt, "user_id,phone_number\nu1,+201000000001\n")
    assert not waits("segment", spring.id)
    with live_rt.transaction() as session:
        session.execute(JOIN, {"segment": spring.id, "person": ada.id, "environment": "live"})
        session.execute(MAKE, {"environment": "live", "name": "grace", "run": run_id})
        assert waits("segment", spring.id)
        assert waits("import_run", run_id)
