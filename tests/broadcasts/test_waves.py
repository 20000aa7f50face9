"""A broadcast reaches a few first, tries its variants on some, and only then goes to the rest, if all is well."""

import threading
from collections import Counter

import pytest
from sqlalchemy import update

from bot import failpoints
from bot.models.broadcast import Broadcast, BroadcastResponse
from bot.models.message import Message
from bot.models.words import BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.audience.waves import CANARY, REST, TRIAL
from broadcasts.control import lifecycle, stopping
from broadcasts.running import materialising
from broadcasts.transitions import NOBODY
from tests.broadcasts import campaigns
from tests.broadcasts.campaigns import counts, messages, settle, state, tick

B = {"variant": 1}


def time_passes(rt: Runtime, broadcast_id: int) -> None:
    """The wave has been watched for long enough."""
    assert campaigns.get(rt, broadcast_id).wave_until is not None
    campaigns.change(rt, broadcast_id, wave_until=campaigns.get(rt, broadcast_id).created_at)


def drawn(rt: Runtime, broadcast_id: int) -> list[tuple[int, int, int, str | None]]:
    return [(each.person_id, each.wave, each.variant, each.refusal) for each in campaigns.audience(rt, broadcast_id)]


def test_shares_are_drawn_as_asked_for_and_each_by_itself(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(
        rt,
        1000,
        wordings=[B, {"variant": 2}],
        canary_percent=10,
        holdout_percent=20,
        trial_percent=30,
        winner_metric="read",
        winner_minutes=60,
    )

    people = campaigns.audience(rt, broadcast_id)
    held_out = [each for each in people if each.refusal]
    waves = Counter(each.wave for each in people if not each.refusal)
    variants = Counter(each.variant for each in people if each.wave == TRIAL)
    assert len(people) == 1000
    assert 150 < len(held_out) < 250
    assert 45 < waves[CANARY] < 120
    assert 180 < waves[TRIAL] < 300
    assert waves[CANARY] + waves[TRIAL] + waves[REST] == 1000 - len(held_out)
    assert min(variants.values()) > 45
    assert set(variants) == {0, 1, 2}
    assert {each.variant for each in people if each.wave == REST} == {0}  # they wait for the winner


def test_what_is_drawn_does_not_depend_on_who_else_is_there(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, 300, wordings=[B], canary_percent=20, holdout_percent=10)
    before = drawn(rt, broadcast_id)
    gone = {person_id for person_id, *_ in before[::2]}

    campaigns.freeze_again(rt, broadcast_id, without=gone)

    assert drawn(rt, broadcast_id) == [each for each in before if each[0] not in gone]


def test_without_a_trial_everybody_gets_one_of_the_variants(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, 600, wordings=[B])

    made = messages(rt, broadcast_id)

    assert len(made) == 600
    assert 230 < sum(each.wording_id is None for each in made) < 370


def test_of_few_people_at_least_one_goes_ahead(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, 5, canary_percent=1)

    assert [each.wave for each in campaigns.audience(rt, broadcast_id)].count(CANARY) == 1
    assert (len(messages(rt, broadcast_id)), counts(rt, broadcast_id).waiting) == (1, 5)


def test_the_others_wait_until_the_first_were_watched(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, 100, canary_percent=20, canary_minutes=15)
    first = len(messages(rt, broadcast_id))
    assert 0 < first < 50
    tick(rt)
    assert campaigns.get(rt, broadcast_id).wave_until is None  # not all of it is sent

    settle(rt, broadcast_id)
    tick(rt)
    tick(rt)
    assert (state(rt, broadcast_id), len(messages(rt, broadcast_id))) == (BroadcastState.RUNNING, first)
    assert "after 15 minutes" in (campaigns.get(rt, broadcast_id).reason or "")

    time_passes(rt, broadcast_id)
    tick(rt)
    assert (state(rt, broadcast_id), len(messages(rt, broadcast_id))) == (BroadcastState.RUNNING, 100)
    assert campaigns.get(rt, broadcast_id).reason is None
    settle(rt, broadcast_id)
    tick(rt)
    assert (state(rt, broadcast_id), counts(rt, broadcast_id).accepted) == (BroadcastState.FINISHED, 100)


def test_a_few_first_that_fail_stop_it_before_the_others(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, 60, canary_percent=15, stop_failed_percent=10)
    canary = len(messages(rt, broadcast_id))
    settle(rt, broadcast_id, MessageState.FAILED, limit=2, failed_at=campaigns.NOW)
    settle(rt, broadcast_id)
    tick(rt)
    time_passes(rt, broadcast_id)
    tick(rt)

    stopped = campaigns.get(rt, broadcast_id)
    assert stopped.state == BroadcastState.PAUSED
    assert f"2 of {canary} " in (stopped.reason or "")
    with rt.transaction() as session:
        lifecycle.resume(session, broadcast_id, NOBODY)
    for _ in range(3):
        tick(rt)
    assert (state(rt, broadcast_id), len(messages(rt, broadcast_id))) == (BroadcastState.RUNNING, 60)


def test_the_variant_with_the_largest_share_goes_to_the_others(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(
        rt, 200, wordings=[B], trial_percent=40, winner_metric="replied", winner_minutes=30
    )
    settle(rt, broadcast_id)
    made = messages(rt, broadcast_id)
    with rt.transaction() as session:
        for each in made:
            if each.wording_id is not None:
                answer = {"broadcast_id": broadcast_id, "person_id": each.person_id, "environment": "live"}
                session.add(BroadcastResponse(**answer, message_id=each.id, replied_at=each.occurred_at))
    tick(rt)
    time_passes(rt, broadcast_id)
    tick(rt)

    assert campaigns.get(rt, broadcast_id).winner == 1
    told = [line for line in campaigns.told(rt, broadcast_id) if line.startswith("B goes to the others")]
    assert len(told) == 1
    assert "(100.0 %)" in told[0]
    assert "may be chance" in told[0]
    rest = [each for each in messages(rt, broadcast_id) if each.state == MessageState.QUEUED]
    assert len(rest) == 200 - len(made)
    assert None not in {each.wording_id for each in rest}
    assert {each.variant for each in campaigns.audience(rt, broadcast_id) if each.wave == REST} == {1}


@pytest.mark.parametrize("point", ["AU1", "AU2"])
def test_a_worker_that_dies_between_waves_loses_and_doubles_nobody(
    rt: Runtime, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(materialising, "CHUNK_PEOPLE", 10)
    broadcast_id = campaigns.make_draft(rt, 60, canary_percent=30, canary_minutes=0)
    campaigns.launch(rt, broadcast_id)
    for number in (1, 2, 1, 3):
        failpoints.arm(f"{point}:raise:{number}")
        try:
            tick(rt)
        except failpoints.FailpointError:
            assert counts(rt, broadcast_id).audience in {0, 60}
        finally:
            failpoints.arm("")
            failpoints._passed.clear()
        settle(rt, broadcast_id)
    for _ in range(4):
        tick(rt)
        settle(rt, broadcast_id)
        assert counts(rt, broadcast_id).audience == 60

    assert counts(rt, broadcast_id).accepted == 60
    assert len({each.person_id for each in messages(rt, broadcast_id)}) == 60


@pytest.mark.parametrize("watching", [False, True])
def test_stopping_between_waves_counts_those_who_wait_for_theirs(rt: Runtime, *, watching: bool) -> None:
    broadcast_id = campaigns.make_running(rt, 50, canary_percent=30)
    settle(rt, broadcast_id)
    if watching:
        tick(rt)
    accepted = len(messages(rt, broadcast_id))
    with rt.transaction() as session:
        lifecycle.pause(session, broadcast_id, NOBODY)
        lifecycle.resume(session, broadcast_id, NOBODY)
    tick(rt)
    tick(rt)
    assert (state(rt, broadcast_id), len(messages(rt, broadcast_id))) == (BroadcastState.RUNNING, accepted)

    found = stopping.cancel(rt, broadcast_id, NOBODY)

    assert (found.audience, found.accepted, found.cancelled) == (50, accepted, 50 - accepted)


def test_whoever_opts_out_stops_it_and_a_person_can_let_it_go_on(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, 100, stop_opt_out_percent=5)
    settle(rt, broadcast_id, limit=60)
    with rt.transaction() as session:
        for each in [each for each in messages(rt, broadcast_id) if each.state == MessageState.ACCEPTED][:4]:
            answer = {"broadcast_id": broadcast_id, "person_id": each.person_id, "environment": "live"}
            session.add(BroadcastResponse(**answer, message_id=each.id, opted_out_at=each.occurred_at))
    jobs.watch(rt)

    assert state(rt, broadcast_id) == BroadcastState.PAUSED
    assert "4 of 60 (6.7 %) opted out, more than 5 %" in (campaigns.get(rt, broadcast_id).reason or "")
    with rt.transaction() as session:
        lifecycle.resume(session, broadcast_id, NOBODY)
    jobs.watch(rt)
    assert state(rt, broadcast_id) == BroadcastState.RUNNING


@pytest.mark.parametrize("attempted, state_after", [(49, BroadcastState.RUNNING), (50, BroadcastState.PAUSED)])
def test_a_few_attempts_say_nothing_about_the_others(rt: Runtime, attempted: int, state_after: BroadcastState) -> None:
    broadcast_id = campaigns.make_running(rt, 100)
    settle(rt, broadcast_id, MessageState.FAILED, limit=20, failed_at=campaigns.NOW)
    settle(rt, broadcast_id, limit=attempted - 20)

    jobs.watch(rt)

    assert state(rt, broadcast_id) == state_after


def test_failures_within_the_limit_stop_nothing(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, 100)
    settle(rt, broadcast_id, MessageState.FAILED, limit=20, failed_at=campaigns.NOW)
    settle(rt, broadcast_id)

    jobs.watch(rt)

    assert state(rt, broadcast_id) == BroadcastState.RUNNING  # 20 % is not more than 20 %


def test_late_failures_of_what_was_accepted_count(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, 100)
    settle(rt, broadcast_id)
    with rt.transaction() as session:
        ids = [each.id for each in messages(rt, broadcast_id)][:30]
        session.execute(update(Message).where(Message.id.in_(ids)).values(state="failed", failed_at=campaigns.NOW))
        session.execute(update(Broadcast).values(state="running"))

    jobs.watch(rt)

    assert state(rt, broadcast_id) == BroadcastState.PAUSED


def test_many_clocks_and_workers_at_once_take_each_step_once(live_rt: Runtime) -> None:
    broadcast_id = campaigns.make_draft(live_rt, 300, canary_percent=10, canary_minutes=0)
    campaigns.launch(live_rt, broadcast_id)
    begun = threading.Barrier(6)

    def live() -> None:
        begun.wait()
        for _ in range(6):
            jobs.sweep(live_rt)
            jobs.watch(live_rt)
            jobs.work()
            settle(live_rt, broadcast_id)

    lives = [threading.Thread(target=live) for _ in range(6)]
    for each in lives:
        each.start()
    for each in lives:
        each.join()
    jobs.sweep(live_rt)

    steps = [
        (each.transition.from_state, each.transition.to_state) for each in campaigns.timeline_of(live_rt, broadcast_id)
    ]
    prepared = ("materialising", "running")
    assert steps == [("draft", "materialising"), prepared, prepared[::-1], prepared, ("running", "finished")]
    assert counts(live_rt, broadcast_id).accepted == 300
