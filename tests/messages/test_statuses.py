"""Whatever order a provider reports in and however often, the shown state is the same."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot.messages import outbox, statuses
from bot.messages.outbox import Result
from bot.models.connection import Number
from bot.models.message import Message, StatusEvent
from bot.providers.events import StatusUpdate
from bot.runtime import Runtime
from tests import factories as make
from tests.harness.children import wait_until

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)
AT = {"sent": T0, "delivered": T0 + timedelta(seconds=2), "read": T0 + timedelta(seconds=9)}


def update(status: str, message_id: str = "wamid.1", **more: Any) -> StatusUpdate:
    at = more.pop("at", AT.get(status, T0 + timedelta(seconds=5)))
    return StatusUpdate("", "", message_id, status, at, **more)


def accepted(session: Session, **columns: Any) -> tuple[Number, Message]:
    number, person = make.make_number(session), make.make_person(session)
    columns = {"state": "accepted", "provider_message_id": "wamid.1", "attempt": 1, **columns}
    return number, make.make_outbound(session, person, number, **columns)


def tell(session: Session, number: Number, *updates: StatusUpdate) -> None:
    """Each in a transaction of its own, as it may come."""
    for one in updates:
        statuses.apply(session, [(number, one)])
    session.expire_all()


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read"])))
def test_any_order_with_repeats_ends_at_read_with_three_times(session: Session, order: tuple[str, ...]) -> None:
    number, message = accepted(session)

    tell(session, number, *(update(status) for status in order * 3))

    assert (message.state, message.delivery_level) == ("accepted", 3)
    assert (message.sent_at, message.delivered_at, message.read_at) == tuple(AT.values())
    assert session.scalar(select(func.count()).select_from(StatusEvent)) == 3


def test_of_reports_that_two_workers_tell_at_once_neither_is_lost(live_rt: Runtime) -> None:
    with live_rt.transaction() as session:
        known = {"accepted_at": T0, "evidence": "response"}
        number, message = accepted(session, **known)
    waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    with ThreadPoolExecutor(1) as other, live_rt.transaction() as session:
        statuses.apply(session, [(number, update("delivered"))])
        later = other.submit(_tell_apart, live_rt, number, update("read"))
        wait_until(lambda: bool(session.scalar(waits)), "the other to wait for the message")
        session.commit()
        later.result(30)
    with live_rt.transaction() as session:
        message = session.get_one(Message, message.id)
        assert (message.delivered_at, message.read_at, message.delivery_level) == (AT["delivered"], AT["read"], 3)


def _tell_apart(rt: Runtime, number: Number, one: StatusUpdate) -> None:
    with rt.transaction() as session:
        statuses.apply(session, [(number, one)])


def test_read_alone_implies_delivered(session: Session) -> None:
    number, message = accepted(session)

    tell(session, number, update("read"))

    assert (message.delivery_level, message.delivered_at) == (3, None)


@pytest.mark.parametrize("order", [("failed", "delivered"), ("delivered", "failed")])
def test_delivered_beats_failed_and_the_failure_stays_in_history(session: Session, order: tuple[str, str]) -> None:
    number, message = accepted(session)

    tell(session, number, *(update(status, error_code=131026) for status in order))

    assert (message.state, message.delivery_level, message.error_code) == ("accepted", 2, None)
    assert message.failed_at is not None


def test_a_late_sent_does_not_revive_a_failed_message(session: Session) -> None:
    number, message = accepted(session)

    tell(session, number, update("failed", error_code=131026, error_text="undeliverable"), update("sent"))

    assert (message.state, message.error_code, message.error_text) == ("failed", 131026, "undeliverable")


@trying(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(["sent", "delivered", "read", "failed", "deleted", "played"]), min_size=1, max_size=8))
def test_the_state_is_a_function_of_the_set_of_reports(session: Session, told: list[str]) -> None:
    number, message = accepted(session, provider_message_id=None)
    number_2, message_2 = accepted(session, provider_message_id=None)
    for row, its_number, order in ((message, number, told), (message_2, number_2, sorted(set(told)))):
        mark = f"o1.{row.id}.1"
        tell(session, its_number, *(update(s, f"wamid.{row.id}", callback=mark) for s in order))

    def shown(row: Message) -> tuple[Any, ...]:
        return row.state, row.delivery_level, row.sent_at, row.delivered_at, row.read_at, row.failed_at

    assert shown(message) == shown(message_2)


def test_a_status_that_comes_before_the_answer_settles_the_row_and_the_answer_changes_nothing(session: Session) -> None:
    number, message = accepted(session, state="wire", provider_message_id=None, owner="me")

    tell(session, number, update("delivered", callback=f"o1.{message.id}.1"))
    assert (message.state, message.evidence, message.provider_message_id) == ("accepted", "callback", "wamid.1")

    outbox.record(session, "me", [Result(message.id, 1, "accepted", "wamid.1")])
    session.expire_all()

    assert (message.evidence, message.provider_message_id, message.delivery_level) == ("callback", "wamid.1", 2)


@pytest.mark.parametrize("state", ["unknown", "wire", "queued", "claimed"])
def test_our_mark_settles_a_send_whose_answer_was_lost(session: Session, state: str) -> None:
    number, message = accepted(session, state=state, provider_message_id=None, owner="gone", attempt=2)

    tell(session, number, update("sent", callback=f"o1.{message.id}.1"))

    assert (message.state, message.evidence, message.delivery_level) == ("accepted", "callback", 1)


@pytest.mark.parametrize("mark", ["o1.{id}.3", "o1.0.1", "o1.{id}", "x", "o1.{id}.1\n", "o1.99999999999999999999.1"])
def test_a_forged_mark_changes_nothing(session: Session, mark: str) -> None:
    number, message = accepted(session, state="unknown", provider_message_id=None, attempt=1)

    tell(session, number, update("delivered", callback=mark.format(id=message.id)))

    assert (message.state, message.delivery_level) == ("unknown", 0)


def test_marks_that_no_message_had_are_counted_by_number(session: Session) -> None:
    number, message = accepted(session, attempt=1)
    other = make.make_number(session)

    forged = statuses.apply(
        session,
        [
            (number, update("delivered", callback=f"o1.{message.id}.1")),
            (number, update("read", callback=f"o1.{message.id}.2")),
            (other, update("read", callback=f"o1.{message.id}.1")),
            (other, update("sent", callback="not ours at all")),
        ],
    )

    assert sorted(forged) == sorted([number.id, other.id])


def test_a_mark_of_another_number_changes_nothing(session: Session) -> None:
    _, message = accepted(session, state="unknown", provider_message_id=None)

    tell(session, make.make_number(session), update("delivered", callback=f"o1.{message.id}.1"))

    assert (message.state, message.delivery_level) == ("unknown", 0)


def test_a_status_without_mark_waits_for_its_message_and_joins_it_when_the_id_is_stored(session: Session) -> None:
    number, message = accepted(session, state="wire", provider_message_id=None, owner="me")
    tell(session, number, update("read"))
    assert message.state == "wire"

    outbox.record(session, "me", [Result(message.id, 1, "accepted", "wamid.1")])
    session.expire_all()

    assert (message.delivery_level, message.read_at) == (3, AT["read"])


def test_an_orphan_stored_in_the_same_instant_is_joined_by_the_sweep(session: Session) -> None:
    number, message = accepted(session, provider_message_id=None, state="wire", owner="me")
    tell(session, number, update("delivered"))
    message.provider_message_id, message.state = "wamid.1", "accepted"
    session.flush()

    statuses.adopt_late(session)
    session.expire_all()

    assert message.delivery_level == 2


def test_an_unknown_status_word_is_kept_and_changes_nothing(session: Session) -> None:
    number, message = accepted(session)

    tell(session, number, update("held_for_quality_assessment"))

    assert (message.state, message.delivery_level) == ("accepted", 0)
    assert session.scalar(select(StatusEvent.status)) == "held_for_quality_assessment"
