"""Two releases send from one outbox while a deploy goes on: one claims a broadcast's rows, one only looks (case 64).

The claim below is that of the release before rows of broadcasts were looked at; it marked what it had claimed as
today's does. The fence, state and attempt, is what both have in common, and it alone keeps them apart.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.messages import outbox
from bot.messages.outbox import Claimed, Result
from bot.models.connection import Number
from bot.models.message import Message
from tests import factories as make

LEASE_S = 60.0
OLD, NEW = "of the old release", "of the new one"
_CLAIM_OF_OLD = text("""
    WITH due AS (
        SELECT id FROM message
         WHERE broadcast_id = :broadcast_id AND state = 'queued' AND (not_before IS NULL OR not_before <= now())
         ORDER BY id LIMIT :want FOR UPDATE SKIP LOCKED)
    UPDATE message m
       SET state = 'claimed', owner = :owner, attempt = m.attempt + 1,
           lease_until = now() + make_interval(secs => :lease_s)
      FROM due WHERE m.id = due.id
    RETURNING m.id, m.attempt, m.person_id, m.broadcast_id, m.to_address
""")


@pytest.fixture
def rows(session: Session) -> list[Message]:
    """Those of a running broadcast."""
    number = make.make_number(session)
    template = make.make_template(session, number.connection)
    frozen = {"category": "UTILITY"}
    running = make.make_broadcast(
        session, number, make.make_segment(session), template, state="running", frozen_template=frozen
    )
    about: dict[str, Any] = {"author_kind": "broadcast", "broadcast_id": running.id, "priority": 9}
    return [make.make_outbound(session, make.make_person(session), number, **about) for _ in range(3)]


def claimed_by_old(session: Session, rows: list[Message]) -> list[Claimed]:
    values = {"broadcast_id": rows[0].broadcast_id, "owner": OLD, "want": 100, "lease_s": LEASE_S}
    found = session.execute(_CLAIM_OF_OLD, values).all()
    session.expire_all()
    return [Claimed(row.id, row.attempt, row.person_id, row.broadcast_id, row.to_address, {}, "hello") for row in found]


def seen_by_new(session: Session, rows: list[Message]) -> list[Claimed]:
    return outbox.claim(session, session.get_one(Number, rows[0].number_id).id, NEW, 100, LEASE_S)


def leave(session: Session, owner: str, held: list[Claimed]) -> int:
    """How many of what it holds may leave."""
    found = len(outbox.to_wire(session, owner, held, LEASE_S))
    session.expire_all()
    return found


@pytest.mark.parametrize("looks_first", [True, False])
def test_what_the_old_one_has_claimed_the_new_one_does_not_send(
    session: Session, rows: list[Message], looks_first: bool
) -> None:
    seen = seen_by_new(session, rows) if looks_first else []
    mine = claimed_by_old(session, rows)
    seen = seen or seen_by_new(session, rows)
    assert (len(mine), len(seen)) == (3, 3 if looks_first else 0)
    assert (leave(session, NEW, seen), leave(session, OLD, mine)) == (0, 3)
    assert {row.owner for row in rows} == {OLD}


def test_what_the_new_one_has_sent_the_old_one_does_not_claim(session: Session, rows: list[Message]) -> None:
    seen = seen_by_new(session, rows)
    assert leave(session, NEW, seen[:2]) == 2
    mine = claimed_by_old(session, rows)
    assert [each.id for each in mine] == [seen[2].id]
    assert (leave(session, NEW, seen), leave(session, OLD, mine)) == (0, 1)


def test_a_claim_of_the_old_one_that_lapsed_is_sent_once_by_whoever_looks_after_it(
    session: Session, rows: list[Message]
) -> None:
    before = seen_by_new(session, rows)
    mine = claimed_by_old(session, rows)
    for row in rows:
        row.lease_until = datetime(2020, 1, 1, tzinfo=UTC)
    session.flush()
    assert outbox.sweep(session) == 3
    assert leave(session, NEW, before) == 0, "they were somebody's meanwhile"
    assert leave(session, NEW, seen_by_new(session, rows)) == 3
    assert leave(session, OLD, mine) == 0
    outbox.record(session, OLD, [Result(each.id, each.attempt, "queued") for each in mine])
    session.expire_all()
    assert [row.state for row in rows] == ["wire"] * 3
