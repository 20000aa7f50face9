"""Providers promise no order and repeat themselves: any permutation and repetition of events ends in one state."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.messages import changes, doubts, statuses
from bot.providers.events import Event, Sender
from tests.webhooks.telling import (
    AMINA,
    PHONE,
    Desk,
    echo,
    edit,
    message,
    move,
    open_desk,
    photo,
    reaction,
    revoke,
    status,
)

BOTH = Sender(phone=PHONE, user_id="EG.1")
MOVED = Sender(phone="201000000009")

EVENTS: tuple[Event, ...] = (
    message("helo", id_="m1", s=0),
    message("a photo", id_="m2", sender=BOTH, s=10, kind="image", media=photo()),
    message("from the new phone", id_="m3", sender=MOVED, s=200),
    edit("m1", "hello", id_="e1", s=20),
    edit("m1", "hello!", id_="e2", sender=BOTH, s=30),
    edit("m1", "hello?", id_="e3", s=30),
    edit("x1", "not mine to change", id_="e4", s=31),
    revoke("m2", id_="r1", s=40),
    revoke("m2", id_="r2", s=41),
    edit("m2", "too late", id_="e5", s=45),
    echo("from the phone", id_="x1", to=AMINA, s=50),
    edit("x1", "from the phone, corrected", id_="e6", sender=None, s=60),
    reaction("x1", "\U0001f44d", s=61),
    reaction("x1", "❤", s=62),
    reaction("m1", None, s=63),
    reaction("m1", "❤", s=63),
    status("x1", "sent", s=51),
    status("x1", "read", s=70),
    status("x1", "failed", s=52, error_code=131026),
    move(AMINA, phone=MOVED.phone, id_="mv", s=150),
)

STATE = (
    """
    SELECT provider_message_id, direction, kind, body, content::text, occurred_at, edited_at, revoked_at,
           original::text, state, author_kind, evidence, delivery_level, sent_at, read_at, failed_at,
           reply_to_provider_message_id, to_address,
           (SELECT string_agg(concat(provider_media_id, state), ',') FROM media WHERE message_id = message.id)
      FROM message ORDER BY provider_message_id
    """,
    "SELECT target, emoji, occurred_at FROM reaction ORDER BY target",
    "SELECT state, last_message_at, last_inbound_at, unread_count FROM conversation",
    "SELECT opened_by, closed_at FROM episode",
    "SELECT provider_message_id, kind, message_id IS NULL FROM message_change ORDER BY provider_message_id",
    "SELECT kind, value FROM address ORDER BY kind, value",
    "SELECT nickname FROM person",
    "SELECT reason FROM quarantine",
)


def end_of(session: Session, batches: Sequence[Sequence[Event]]) -> list[Any]:
    """What all of it comes to, on an empty database that is empty again afterwards."""
    with session.begin_nested() as nested:
        desk: Desk = open_desk(session)
        for batch in batches:
            desk.tell(*batch)
        for sweep in (statuses.adopt_late, changes.adopt_late, doubts.settle):
            sweep(session)
        found = [[tuple(row) for row in session.execute(text(query))] for query in STATE]
        nested.rollback()
    session.expunge_all()
    return found


def shown(events: Sequence[Event]) -> list[list[Event]]:
    return [[event] for event in events]


@st.composite
def tellings(draw: st.DrawFn) -> list[list[Event]]:
    """Every event at least once, in any order, in batches of any size."""
    order = draw(st.permutations([*EVENTS, *draw(st.lists(st.sampled_from(EVENTS), max_size=10))]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=8)))
    edges = [0, *cuts, len(order)]
    return [order[a:b] for a, b in pairwise(edges) if a < b]


@pytest.fixture
def one_by_one(session: Session) -> list[Any]:
    return end_of(session, shown(EVENTS))


@trying(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(tellings())
@example(shown(list(reversed(EVENTS))))
@example([list(reversed(EVENTS)), list(EVENTS)])
def test_whatever_the_order_and_however_often_it_ends_in_one_state(
    session: Session, one_by_one: list[Any], batches: list[list[Event]]
) -> None:
    assert end_of(session, batches) == one_by_one
