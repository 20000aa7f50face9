"""Raw bodies live in monthly partitions; retention drops a month as a whole and never one that is still needed."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import factories as make
from webhooks import partitions

OLD = "webhook_event_2020_01"


@pytest.fixture
def old_month(session: Session) -> int:
    """A partition of January 2020 with one applied event; the event's id."""
    session.execute(
        text(f"CREATE TABLE {OLD} PARTITION OF webhook_event FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')")
    )
    insert = text("""
        INSERT INTO webhook_event (received_at, connection_id, body, state)
        VALUES ('2020-01-15', :connection, 'x', 'done') RETURNING id
    """)
    return int(session.execute(insert, {"connection": make.make_connection(session).id}).scalar_one())


def months(session: Session) -> list[str]:
    query = text("SELECT relname FROM pg_class WHERE relname LIKE 'webhook\\_event\\_2%' AND relkind = 'r' ORDER BY 1")
    return list(session.scalars(query))


@pytest.mark.usefixtures("old_month")
def test_a_month_past_retention_is_dropped_and_the_present_one_stays(session: Session) -> None:
    assert partitions.retire(session, 30) == [OLD]
    assert OLD not in months(session)
    assert len(months(session)) >= 3


@pytest.mark.usefixtures("old_month")
def test_the_digests_of_a_dropped_month_stay(session: Session) -> None:
    """Case 139: a redelivery is recognised although its body is gone."""
    session.execute(
        text("INSERT INTO webhook_digest (connection_id, digest, received_at) SELECT id, 'd', :at FROM connection"),
        {"at": "2020-01-15T00:00:00Z"},
    )
    partitions.retire(session, 30)
    assert session.scalar(text("SELECT count(*) FROM webhook_digest WHERE digest = 'd'")) == 1


def test_a_month_with_an_event_that_nobody_applied_stays(session: Session, old_month: int) -> None:
    session.execute(text("UPDATE webhook_event SET state = 'new' WHERE id = :id"), {"id": old_month})

    assert partitions.retire(session, 30) == []


@pytest.mark.usefixtures("old_month")
def test_a_month_within_retention_stays(session: Session) -> None:
    assert partitions.retire(session, 100_000) == []
