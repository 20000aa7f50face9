"""A broadcast begins when its time has come, reaches people by their own clocks, and nobody once its end is over."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from bot.connections import alerts
from bot.messages import policy
from bot.messages.policy import Policy
from bot.models.broadcast import BroadcastTransition, BroadcastWording, Template
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.webhook import Alert
from bot.models.words import BroadcastState, MessageState
from bot.providers.events import AccountAlert
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.audience import making
from broadcasts.broadcasts import WrongStateError
from broadcasts.control import lifecycle, stopping
from broadcasts.transitions import NOBODY
from tests import factories
from tests.broadcasts import campaigns
from tests.broadcasts.campaigns import counts, messages, settle, state, tick

HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def set_policy(rt: Runtime, **columns: Any) -> None:
    with rt.transaction() as session:
        policy.change(session, "live", Policy(**columns), None)


def clock(zone: str, *, ahead: timedelta) -> Any:
    return (now() + ahead).astimezone(ZoneInfo(zone)).time().replace(second=0, microsecond=0)


def make_scheduled(rt: Runtime, people: int = 3, **columns: Any) -> int:
    broadcast_id = campaigns.make_draft(rt, people, scheduled_at=now() + HOUR, **columns)
    campaigns.launch(rt, broadcast_id)
    tick(rt)
    return broadcast_id


def resume(rt: Runtime, broadcast_id: int) -> None:
    with rt.transaction() as session:
        lifecycle.resume(session, broadcast_id, NOBODY)


def test_a_scheduled_broadcast_begins_when_its_time_has_come(rt: Runtime) -> None:
    broadcast_id = make_scheduled(rt)
    assert (state(rt, broadcast_id), messages(rt, broadcast_id)) == (BroadcastState.SCHEDULED, [])

    campaigns.change(rt, broadcast_id, scheduled_at=now() - HOUR)
    tick(rt)

    assert (state(rt, broadcast_id), len(messages(rt, broadcast_id))) == (BroadcastState.RUNNING, 3)


def test_of_many_clocks_one_begins_it(live_rt: Runtime) -> None:
    broadcast_id = make_scheduled(live_rt)
    campaigns.change(live_rt, broadcast_id, scheduled_at=now() - HOUR)
    ready = threading.Barrier(8)

    def sweep() -> None:
        ready.wait()
        jobs.sweep(live_rt)

    clocks = [threading.Thread(target=sweep) for _ in range(8)]
    for each in clocks:
        each.start()
    for each in clocks:
        each.join()
    jobs.work()

    with live_rt.transaction() as session:
        begun = session.scalars(select(BroadcastTransition).where(BroadcastTransition.from_state == "scheduled")).all()
    assert len(begun) == 1
    assert len(messages(live_rt, broadcast_id)) == 3


def test_a_scheduled_broadcast_whose_template_is_paused_pauses_instead_of_beginning(rt: Runtime) -> None:
    broadcast_id = make_scheduled(rt)
    with rt.transaction() as session:
        session.execute(update(Template).values(status="PAUSED"))
    campaigns.change(rt, broadcast_id, scheduled_at=now() - HOUR)
    tick(rt)

    assert state(rt, broadcast_id) == BroadcastState.PAUSED
    assert "is PAUSED" in (campaigns.get(rt, broadcast_id).reason or "")
    resume(rt, broadcast_id)
    tick(rt)
    assert (state(rt, broadcast_id), messages(rt, broadcast_id)) == (BroadcastState.PAUSED, []), "still the same"
    with rt.transaction() as session:
        session.execute(update(Template).values(status="APPROVED"))
    resume(rt, broadcast_id)
    tick(rt)
    assert len(messages(rt, broadcast_id)) == 3
    with pytest.raises(WrongStateError), rt.transaction() as session:
        lifecycle.unschedule(session, broadcast_id, NOBODY)


def forget_a_name(rt: Runtime) -> None:
    with rt.transaction() as session:
        session.execute(update(Person).values(first_name=None, nickname=None))


def switch_off(rt: Runtime) -> None:
    """The provider does, the whole account."""
    told = AccountAlert("/0", "account_update.DISABLED_UPDATE", "critical", "The account is disabled.", {})
    with rt.transaction() as session:
        alerts.tell(session, session.scalars(select(Number)).one().connection_id, told)


def reject_a_variant(rt: Runtime) -> None:
    with rt.transaction() as session:
        mine = select(BroadcastWording.template_id).scalar_subquery()
        session.execute(update(Template).where(Template.id == mine).values(status="REJECTED"))


@pytest.mark.parametrize(
    "meanwhile, said",
    [
        (forget_a_name, "first_name is not known"),
        (switch_off, "The account is disabled."),
        (reject_a_variant, "is REJECTED"),
    ],
)
def test_what_has_changed_since_the_launch_keeps_it_from_beginning_and_the_timeline_says_so(
    rt: Runtime, meanwhile: Callable[[Runtime], None], said: str
) -> None:
    broadcast_id = make_scheduled(rt, wordings=[{"variant": 1}])
    meanwhile(rt)
    campaigns.change(rt, broadcast_id, scheduled_at=now() - HOUR)
    tick(rt)

    assert (state(rt, broadcast_id), messages(rt, broadcast_id)) == (BroadcastState.PAUSED, [])
    assert said in campaigns.told(rt, broadcast_id)[-1]
    with rt.transaction() as session:
        lifecycle.unschedule(session, broadcast_id, NOBODY)
    assert state(rt, broadcast_id) == BroadcastState.DRAFT


def leave_gaps_out(rt: Runtime, broadcast_id: int) -> None:
    forget_a_name(rt)
    campaigns.change(rt, broadcast_id, skips_gaps=True)


def deal_with_the_alert(rt: Runtime, _: int) -> None:
    switch_off(rt)
    with rt.transaction() as session:
        session.execute(update(Alert).values(resolved_at=now()))


def switch_off_another(rt: Runtime, _: int) -> None:
    with rt.transaction() as session:
        connection = session.scalars(select(Number)).one().connection
        other = factories.make_number(session, connection=connection)
        alerts.tell(
            session,
            connection.id,
            AccountAlert("/0", "account_alerts.X", "critical", "Gone.", {}, other.provider_number_id),
        )


@pytest.mark.parametrize("meanwhile", [leave_gaps_out, deal_with_the_alert, switch_off_another])
def test_what_the_policy_covers_and_what_is_over_or_another_number_s_does_not(
    rt: Runtime, meanwhile: Callable[[Runtime, int], None]
) -> None:
    broadcast_id = make_scheduled(rt)
    meanwhile(rt, broadcast_id)
    campaigns.change(rt, broadcast_id, scheduled_at=now() - HOUR)
    tick(rt)

    assert state(rt, broadcast_id) == BroadcastState.RUNNING


def test_a_scheduled_broadcast_can_be_paused_resumed_changed_back_and_cancelled(rt: Runtime) -> None:
    broadcast_id = make_scheduled(rt)
    assert stopping.pause(rt, broadcast_id, NOBODY).audience == 0
    campaigns.change(rt, broadcast_id, scheduled_at=now() - HOUR)
    tick(rt)
    assert state(rt, broadcast_id) == BroadcastState.PAUSED
    campaigns.change(rt, broadcast_id, scheduled_at=now() + HOUR)
    with rt.transaction() as session:
        lifecycle.resume(session, broadcast_id, NOBODY)
        assert state(rt, broadcast_id) == BroadcastState.SCHEDULED
        lifecycle.unschedule(session, broadcast_id, NOBODY, "another text")
    draft = campaigns.get(rt, broadcast_id)
    assert (draft.state, draft.frozen_template, draft.launched_at) == (BroadcastState.DRAFT, None, None)
    campaigns.launch(rt, broadcast_id)

    stopping.cancel(rt, broadcast_id, NOBODY)

    tick(rt)
    assert (state(rt, broadcast_id), counts(rt, broadcast_id).audience) == (BroadcastState.CANCELLED, 0)
    with pytest.raises(WrongStateError), rt.transaction() as session:
        lifecycle.unschedule(session, broadcast_id, NOBODY)


def test_everybody_gets_it_at_that_time_on_their_own_clock_and_who_is_past_it_at_once(rt: Runtime) -> None:
    wall = (now() + 5 * HOUR).replace(second=0, microsecond=0, tzinfo=None)
    profiles: list[Mapping[str, Any]] = [
        {"country": "GB", "time_zone": "UTC"},
        {"country": "JP"},
        {"country": "JP", "time_zone": "America/New_York"},
        {"country": None, "time_zone": "Nowhere/AtAll"},
    ]
    broadcast_id = campaigns.make_running(rt, profiles=profiles, local_time=wall)

    at = [each.not_before for each in messages(rt, broadcast_id)]

    utc = wall.replace(tzinfo=UTC)
    new_york = wall.replace(tzinfo=ZoneInfo("America/New_York"))
    assert at == [utc, None, new_york, utc]


def test_whoever_still_waits_when_it_ends_is_left_out(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    broadcast_id = campaigns.make_running(rt, 40, canary_percent=50, not_after=now() + HOUR)
    settle(rt, broadcast_id, limit=3)
    campaigns.change(rt, broadcast_id, not_after=now() - HOUR)
    for _ in range(3):
        tick(rt)
        assert counts(rt, broadcast_id).audience == 40

    found = counts(rt, broadcast_id)
    assert (state(rt, broadcast_id), found.accepted, found.skipped) == (BroadcastState.FINISHED, 3, 37)
    reasons = {each.error_text for each in messages(rt, broadcast_id) if each.state == MessageState.SUPPRESSED}
    assert reasons == {making.TOO_LATE}


def test_one_that_is_resumed_after_its_end_sends_nothing_more(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, 5, not_after=now() + HOUR)
    stopping.pause(rt, broadcast_id, NOBODY)
    campaigns.change(rt, broadcast_id, not_after=now() - HOUR)
    with rt.transaction() as session:
        lifecycle.resume(session, broadcast_id, NOBODY)
    assert state(rt, broadcast_id) == BroadcastState.MATERIALISING  # in which whoever waits is left out

    tick(rt)
    tick(rt)

    assert (state(rt, broadcast_id), counts(rt, broadcast_id).skipped) == (BroadcastState.FINISHED, 5)


@pytest.mark.parametrize(
    "category, heeds, waits", [("MARKETING", True, 1), ("MARKETING", False, 0), ("UTILITY", True, 0)]
)
def test_marketing_waits_for_the_end_of_quiet_hours_where_somebody_is(
    rt: Runtime, category: str, waits: int, *, heeds: bool
) -> None:
    """Quiet hours began an hour ago in Cairo; in Tokyo, six or seven hours ahead, they are long over."""
    set_policy(rt, quiet_from=clock("Africa/Cairo", ahead=-HOUR), quiet_to=clock("Africa/Cairo", ahead=3 * HOUR))
    profiles = [{"country": "EG"}, {"country": "JP"}]
    broadcast_id = campaigns.make_running(rt, profiles=profiles, category=category, heeds_quiet_hours=heeds)

    cairo, tokyo = messages(rt, broadcast_id)

    assert ((cairo.not_before is not None) + (tokyo.not_before is not None)) == waits
    if waits:
        assert cairo.not_before is not None
        assert 2 * HOUR < cairo.not_before - now() <= 3 * HOUR
        assert cairo.quiet_at == cairo.not_before + 20 * HOUR
        assert tokyo.quiet_at is not None


def test_whoever_waited_into_the_quiet_hours_waits_for_their_end(rt: Runtime) -> None:
    set_policy(rt, quiet_from=clock("Africa/Cairo", ahead=2 * HOUR), quiet_to=clock("Africa/Cairo", ahead=10 * HOUR))
    broadcast_id = campaigns.make_running(rt, 3, category="MARKETING")
    assert {each.not_before for each in messages(rt, broadcast_id)} == {None}
    set_policy(rt, quiet_from=clock("Africa/Cairo", ahead=-HOUR), quiet_to=clock("Africa/Cairo", ahead=10 * HOUR))
    with rt.transaction() as session:
        session.execute(update(Message).values(quiet_at=now() - HOUR))

    jobs.keep_quiet(rt)

    for each in messages(rt, broadcast_id):
        assert each.not_before is not None
        assert each.quiet_at is not None
        assert 9 * HOUR < each.not_before - now() <= 10 * HOUR
        assert each.quiet_at > each.not_before


def test_quiet_hours_that_are_lifted_let_everybody_go(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(rt, 2, category="MARKETING")
    with rt.transaction() as session:
        session.execute(update(Message).values(quiet_at=now() - HOUR))

    jobs.keep_quiet(rt)

    assert {(each.not_before, each.quiet_at) for each in messages(rt, broadcast_id)} == {(None, None)}
