"""A round against somebody who pauses at the same instant: whoever commits first is obeyed, and nobody is stuck."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from bot.messages import outbox
from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.runtime import Runtime
from tests import factories as make
from tests.harness.children import wait_until

LEASE_S = 60.0


@pytest.fixture
def message_id(live_rt: Runtime) -> int:
    """A claimed message of a running broadcast."""
    with live_rt.transaction() as session:
        number = make.make_number(session)
        template, segment = make.make_template(session, number.connection), make.make_segment(session)
        frozen = {"category": "UTILITY"}
        running = make.make_broadcast(session, number, segment, template, state="running", frozen_template=frozen)
        columns: dict[str, Any] = {
            "author_kind": "broadcast",
            "broadcast_id": running.id,
            "state": "claimed",
            "owner": "me",
        }
        return make.make_outbound(session, make.make_person(session), number, attempt=1, **columns).id


def meet(rt: Runtime, message_id: int, meanwhile: Callable[[Session], object]) -> list[outbox.Claimed]:
    """What a round may send that begins while a pause is not yet committed; `meanwhile` is what is done before."""
    with ThreadPoolExecutor(1) as other:
        with rt.transaction() as session:
            session.execute(update(Broadcast).values(state="paused"))
            leaving = other.submit(mark, rt, message_id)
            wait_until(lambda: somebody_waits(rt), "the round to want the broadcast")
            meanwhile(session)
        return leaving.result()


def mark(rt: Runtime, message_id: int) -> list[outbox.Claimed]:
    with rt.transaction() as session:
        message = session.get_one(Message, message_id)
        row = outbox.Claimed(message_id, 1, message.person_id, message.broadcast_id, "+201012345678", {"type": "text"})
        return outbox.to_wire(session, "me", [row], LEASE_S)


def somebody_waits(rt: Runtime) -> bool:
    with rt.transaction() as session:
        return bool(session.scalar(text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")))


def test_a_round_that_meets_a_pause_waits_for_it_and_obeys(live_rt: Runtime, message_id: int) -> None:
    assert meet(live_rt, message_id, lambda _: None) == []
    with live_rt.transaction() as session:
        assert session.get_one(Message, message_id).state == "queued"


def test_a_round_that_waits_for_a_pause_keeps_no_message_from_whoever_pauses(live_rt: Runtime, message_id: int) -> None:
    cancelled = update(Message).where(Message.id == message_id).values(state="cancelled")
    assert meet(live_rt, message_id, lambda session: session.execute(cancelled)) == []
    with live_rt.transaction() as session:
        assert session.get_one(Message, message_id).state == "cancelled"
