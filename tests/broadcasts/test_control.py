"""What operators do with a broadcast on its way and afterwards; whoever is second is told so, and nothing is lost."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.messages import policy
from bot.messages.policy import Policy
from bot.models.broadcast import Broadcast, BroadcastTransition, BroadcastWording, Template
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import BroadcastOrigin, BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.broadcasts import BroadcastError, WrongStateError
from broadcasts.control import copying, lifecycle, pace, retrying
from broadcasts.preflight.gate import CountError
from broadcasts.results import retriable
from broadcasts.results.retriable import Failure, why_not
from broadcasts.transitions import NOBODY, Actor
from tests import factories
from tests.broadcasts import campaigns
from tests.broadcasts.campaigns import counts, messages, settle, state, tick

CODES = [131016, 131026, 131050, 131049, 132001, 131000, None]
"""Worth it: the first and the last but one; 131049 is after a day."""


def make_failed(rt: Runtime, codes: list[int | None] = CODES, **columns: Any) -> int:
    """Finished: everybody failed, each with a code of these, but for one who got it."""
    broadcast_id = campaigns.make_running(rt, len(codes) + 1, **columns)
    for code, each in zip(codes, messages(rt, broadcast_id), strict=False):
        values = {"state": "failed", "error_code": code, "error_text": "it failed", "failed_at": campaigns.NOW}
        with rt.transaction() as session:
            session.execute(update(Message).where(Message.id == each.id).values(values))
    settle(rt, broadcast_id)
    campaigns.change(rt, broadcast_id, state=BroadcastState.FINISHED)
    return broadcast_id


def retry(rt: Runtime, broadcast_id: int) -> int:
    with rt.transaction() as session:
        return retrying.retry(session, broadcast_id, NOBODY).id


def at_once(*calls: Callable[[], object]) -> list[type[Exception] | None]:
    """What became of each of calls that begin together."""
    ready = threading.Barrier(len(calls))
    outcomes: list[type[Exception] | None] = []

    def one(call: Callable[[], object]) -> None:
        ready.wait()
        try:
            call()
            outcomes.append(None)
        except BroadcastError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=one, args=[call]) for call in calls]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return outcomes


@pytest.mark.parametrize(
    "failure, is_worth_it",
    [
        (Failure(131016, "", True), True),
        (Failure(131000, "", True), True),
        (Failure(130429, "", True), True),
        (Failure(131049, "", True), False),
        (Failure(131049, "", False), True),
        (Failure(131050, "", False), False),
        (Failure(131026, "", False), False),
        (Failure(131030, "", True), True),
        (Failure(132001, "", True), False),
        (Failure(132015, "", True), False),
        (Failure(63003, "", True), False),
        (Failure(None, "nothing known for body.1", True), True),
        (Failure(None, "the text is too long", True), False),
    ],
)
def test_only_failures_that_may_be_over_are_worth_another_try(failure: Failure, *, is_worth_it: bool) -> None:
    assert (why_not(failure) is None) is is_worth_it


def test_the_plan_tells_how_many_of_how_many_and_why_not_the_others(rt: Runtime) -> None:
    broadcast_id = make_failed(rt)
    with rt.transaction() as session:
        found = retrying.plan(session, campaigns.get(rt, broadcast_id))

    assert (found.people, found.failed) == (2, 7)
    assert sum(each.people for each in found.left_out) == 5
    assert retriable.COOLING in {each.why for each in found.left_out}


def test_a_retry_goes_to_those_alone_with_the_words_of_the_launch(rt: Runtime) -> None:
    broadcast_id = make_failed(rt, wordings=[{"variant": 1}], canary_percent=50, canary_minutes=0)
    with rt.transaction() as session:
        session.execute(update(Template).values(components=[{"type": "BODY", "text": "Other {{1}}"}]))
    parent = campaigns.get(rt, broadcast_id)

    child_id = retry(rt, broadcast_id)
    jobs.work()

    child = campaigns.get(rt, child_id)
    failed = {each.person_id: each for each in messages(rt, broadcast_id)}
    again = messages(rt, child_id)
    assert {failed[each.person_id].error_code for each in again} <= {131016, 131000}
    assert len(again) == len([each for each in failed.values() if each.error_code in {131016, 131000}])
    assert (child.state, child.origin, child.parent_id) == (BroadcastState.RUNNING, BroadcastOrigin.RETRY, parent.id)
    assert child.frozen_template == parent.frozen_template
    variants = {each.person_id: each.variant for each in campaigns.audience(rt, broadcast_id)}
    assert all(each.variant == variants[each.person_id] for each in campaigns.audience(rt, child_id))
    with rt.transaction() as session:
        words = session.scalars(select(BroadcastWording).where(BroadcastWording.broadcast_id == child_id)).one()
    assert words.frozen_template is not None
    assert words.frozen_template["components"] == factories.GREETING
    assert "Once more to" in campaigns.told(rt, child_id)[0]
    assert "goes once more to" in campaigns.told(rt, broadcast_id)[-1]


def test_above_the_threshold_a_retry_asks_for_the_exact_number(rt: Runtime) -> None:
    broadcast_id = make_failed(rt)
    with rt.transaction() as session:
        policy.change(session, "live", Policy(type_count_above=1), None)
    for typed in (None, 7):
        with pytest.raises(CountError) as refused, rt.transaction() as session:
            retrying.retry(session, broadcast_id, NOBODY, confirmed=typed)
        assert refused.value.people == 2
    with rt.transaction() as session:
        assert retrying.retry(session, broadcast_id, NOBODY, confirmed=2).confirmed_people == 2
        assert len(session.scalars(select(Broadcast).where(Broadcast.parent_id == broadcast_id)).all()) == 1


def test_whoever_was_retried_is_not_retried_again(rt: Runtime) -> None:
    broadcast_id = make_failed(rt)
    child_id = retry(rt, broadcast_id)
    with pytest.raises(BroadcastError, match="retried already"):
        retry(rt, broadcast_id)

    with rt.transaction() as session:
        lifecycle.cancel(session, child_id, NOBODY)

    assert counts(rt, retry(rt, broadcast_id)).audience == 2


def test_whoever_fails_after_a_retry_is_retried_without_those_before(rt: Runtime) -> None:
    broadcast_id = make_failed(rt, [131016])
    retry(rt, broadcast_id)
    before, late = messages(rt, broadcast_id)
    with rt.transaction() as session:
        values = {"state": "failed", "error_code": 131016, "failed_at": campaigns.NOW}
        session.execute(update(Message).where(Message.id == late.id).values(values))

    child_id = retry(rt, broadcast_id)

    assert [each.person_id for each in campaigns.audience(rt, child_id)] == [late.person_id]
    assert before.person_id != late.person_id


def test_of_a_double_click_one_retries(live_rt: Runtime) -> None:
    broadcast_id = make_failed(live_rt)

    outcomes = at_once(*[lambda: retry(live_rt, broadcast_id)] * 6)

    assert sorted(outcomes, key=str) == [BroadcastError] * 5 + [None]
    with live_rt.transaction() as session:
        assert len(session.scalars(select(Broadcast).where(Broadcast.parent_id == broadcast_id)).all()) == 1


def test_nobody_is_retried_while_it_is_on_its_way_or_its_end_is_over_or_its_template_is_gone(rt: Runtime) -> None:
    with pytest.raises(WrongStateError):
        retry(rt, campaigns.make_running(rt))
    over = make_failed(rt)
    campaigns.change(rt, over, not_after=datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(BroadcastError, match="not to be sent any more"):
        retry(rt, over)
    with rt.transaction() as session:
        session.execute(update(Template).values(status="DISABLED"))
    campaigns.change(rt, over, not_after=None)
    with pytest.raises(BroadcastError, match="is DISABLED"):
        retry(rt, over)


def test_whoever_opted_out_since_is_not_written_to_by_a_retry(rt: Runtime) -> None:
    broadcast_id = make_failed(rt, [131016, 131016], category="MARKETING")
    with rt.transaction() as session:
        session.execute(update(Person).values(marketing_opted_out_at=datetime.now(UTC)))

    child_id = retry(rt, broadcast_id)
    jobs.work()

    assert (counts(rt, child_id).audience, counts(rt, child_id).skipped) == (2, 2)


def test_a_duplicate_is_a_draft_with_the_same_words_settings_and_segments(rt: Runtime) -> None:
    broadcast_id = make_failed(rt, wordings=[{"variant": 1, "language": "pt"}], holdout_percent=5, pace_per_s=7)
    with rt.transaction() as session:
        made_id = copying.duplicate(session, broadcast_id, NOBODY, "next week").id

    made, original = campaigns.get(rt, made_id), campaigns.get(rt, broadcast_id)
    assert (made.state, made.origin, made.parent_id) == (BroadcastState.DRAFT, BroadcastOrigin.COPY, broadcast_id)
    assert (made.name, made.slots) == (f"Copy of {original.name}", original.slots)
    assert (made.holdout_percent, made.pace_per_s, made.frozen_template, made.launched_at) == (5, 7, None, None)
    assert campaigns.told(rt, made_id) == [f"A copy of “{original.name}”. next week"]
    campaigns.launch(rt, made_id)
    jobs.work()
    assert counts(rt, made_id).audience == counts(rt, broadcast_id).audience


def test_a_test_send_is_not_duplicated(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, origin=BroadcastOrigin.TEST)

    with pytest.raises(BroadcastError, match="only tried out another"), rt.transaction() as session:
        copying.duplicate(session, broadcast_id, NOBODY)


def test_a_pace_is_changed_while_it_runs_and_told_in_the_timeline(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt)
    with rt.transaction() as session:
        operator = factories.make_operator(session)
        pace.change(session, broadcast_id, 5, Actor(operator_id=operator.id), "the hotline is full")
        pace.change(session, broadcast_id, None, NOBODY)
    assert campaigns.get(rt, broadcast_id).pace_per_s is None
    assert campaigns.told(rt, broadcast_id)[-2:] == [
        "Pace: 5 a second instead of as fast as the number may. the hotline is full",
        "Pace: as fast as the number may instead of 5 a second.",
    ]
    for wrong in (0, 10_001):
        with pytest.raises(BroadcastError, match="1 to 10,000"), rt.transaction() as session:
            pace.change(session, broadcast_id, wrong, NOBODY)
    settle(rt, broadcast_id)
    tick(rt)
    with pytest.raises(WrongStateError, match="is finished"), rt.transaction() as session:
        pace.change(session, broadcast_id, 5, NOBODY)


def test_of_operators_who_pause_resume_and_cancel_at_once_each_gets_one_answer(live_rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(live_rt, 20)

    def change(how: Callable[..., None]) -> Callable[[], None]:
        def call() -> None:
            with live_rt.transaction() as session:
                how(session, broadcast_id, NOBODY)

        return call

    outcomes = at_once(*[change(how) for how in (lifecycle.pause, lifecycle.resume, lifecycle.cancel) * 3])
    jobs.work()

    with live_rt.transaction() as session:
        mine = select(BroadcastTransition).where(BroadcastTransition.broadcast_id == broadcast_id)
        lines = session.scalars(mine.order_by(BroadcastTransition.id)).all()
    assert outcomes.count(None) == len(lines) - 2
    assert [each.from_state for each in lines[1:]] == [each.to_state for each in lines[:-1]]
    assert state(live_rt, broadcast_id) == BroadcastState.CANCELLED
    assert counts(live_rt, broadcast_id).cancelled == 20
    assert {each.state for each in messages(live_rt, broadcast_id)} == {MessageState.CANCELLED}
