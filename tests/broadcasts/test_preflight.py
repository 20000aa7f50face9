"""Before a launch it is told who gets it, what it costs, when it is through and what is against it, and so it is."""

import random
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.messages import policy
from bot.messages.policy import DEFAULT
from bot.models.broadcast import Broadcast, BroadcastWording
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.preference import Preference, Topic
from bot.models.segment import Segment
from bot.models.words import AddressKind, BroadcastState, Channel, MessageState, SegmentRole
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.control import lifecycle
from broadcasts.preflight import funnel, rates
from broadcasts.results import ledger
from broadcasts.transitions import NOBODY
from tests import factories
from tests.broadcasts.drafted import add_segment, everybody, load, make_draft

CLOCK = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_somebody(session: Session, lots: random.Random, topic: Topic) -> Person:
    """Somebody who may or may not be written to, for any mix of reasons."""
    person = factories.make_person(
        session,
        phone=lots.choice(["", "", None]),
        enabled=lots.random() > 0.2,
        answers_only=lots.random() < 0.1,
        marketing_opted_out_at=lots.choice([None, None, CLOCK]),
    )
    if lots.random() < 0.2:
        factories.make_address(session, person, AddressKind.USER_ID, f"EG.{person.id:010d}")
    for topic_id in (None, topic.id):
        if lots.random() < 0.2:
            refused = Preference(person_id=person.id, environment="live", topic_id=topic_id, wants=False, source="api")
            refused.channel = Channel.WHATSAPP
            session.add(refused)
    return person


@pytest.mark.parametrize("large", [funnel.LARGE, 10])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_foreseen_is_what_the_launch_then_makes_reason_by_reason(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, seed: int, large: int
) -> None:
    monkeypatch.setattr(funnel, "LARGE", large)
    lots = random.Random(seed)
    with rt.transaction() as session:
        topic = Topic(environment="live", name="news")
        session.add(topic)
        session.flush()
        category = lots.choice(["MARKETING", "UTILITY"])
        holdout, about = lots.choice([0, 30]), lots.choice([None, topic.id])
        broadcast = make_draft(session, 0, category=category, holdout_percent=holdout, topic_id=about)
        people = [make_somebody(session, lots, topic) for _ in range(60)]
        for role, size in ((SegmentRole.TO, 40), (SegmentRole.TO, 30), (SegmentRole.MINUS, 15)):
            add_segment(session, broadcast, lots.sample(people, size), role)
        policy.change(session, "live", policy.Policy(frequency_messages=1), None)
        _write_to(session, lots.sample(people, 20))
    told = load(rt, broadcast.id).funnel

    with rt.transaction() as session:
        lifecycle.launch(session, broadcast.id, NOBODY)
    jobs.work()

    with rt.transaction() as session:
        counts = ledger.counts(session, broadcast.id)
        made = session.execute(
            select(Message.state, Message.error_text).where(Message.broadcast_id == broadcast.id)
        ).all()
    skipped = Counter(row.error_text for row in made if row.state == MessageState.SUPPRESSED)
    assert told.memberships == 70 == told.duplicates + told.left_out + told.audience
    assert told.audience == counts.audience == told.gets + sum(told.reasons.values())
    assert dict(told.reasons) == dict(skipped)
    assert told.gets == sum(row.state == MessageState.QUEUED for row in made)


def _write_to(session: Session, people: list[Person]) -> None:
    """A marketing broadcast of yesterday, accepted for all of them."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    frozen = {"name": "x", "language": "en", "category": "MARKETING", "components": factories.GREETING}
    former = make_draft(session, 0, state=BroadcastState.FINISHED, launched_at=yesterday, finished_at=yesterday)
    former.frozen_template = frozen
    number = session.get_one(Number, former.number_id)
    for person in people:
        factories.make_outbound(
            session,
            person,
            number,
            state=MessageState.ACCEPTED,
            author_kind="broadcast",
            broadcast_id=former.id,
            accepted_at=yesterday,
            wire_at=yesterday,
        )


def test_somebody_in_two_segments_is_counted_once_and_said_so(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 3)
    add_segment(session, broadcast, everybody(session)[:2])
    session.commit()

    told = load(rt, broadcast.id).funnel
    assert (told.memberships, told.duplicates, told.audience, told.gets) == (5, 2, 3, 3)


def test_costs_are_by_the_country_of_the_address_and_the_rest_of_the_world(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 2)
    foreign = [
        factories.make_person(session, phone="+5511912345678"),
        factories.make_person(session, phone="+14155550123"),
        factories.make_person(session, phone=None),
    ]
    factories.make_address(session, foreign[2], AddressKind.USER_ID, "BR.123456")
    add_segment(session, broadcast, foreign)
    rates.put(session, "EG", "marketing", "0.1", "usd")
    rates.put(session, "BR", "MARKETING", "0.05", "USD")
    session.commit()

    cost = load(rt, broadcast.id).cost
    assert {line.country: (line.people, line.amount) for line in cost.lines} == {
        "EG": (2, Decimal("0.2")),
        "BR": (2, Decimal("0.1")),
        "US": (1, None),
    }
    assert (cost.amount, cost.unpriced, cost.currency) == (Decimal("0.3"), 1, "USD")
    rates.put(session, "*", "MARKETING", "1", "USD")
    session.commit()
    assert load(rt, broadcast.id).cost.amount == Decimal("1.3")


def test_without_rates_nothing_is_said_to_cost_nothing(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 2)
    session.commit()

    cost = load(rt, broadcast.id).cost
    assert (cost.unpriced, cost.currency, [line.amount for line in cost.lines]) == (2, None, [None])


@pytest.mark.parametrize(
    "tier, percent, fits, today, more_days",
    [
        ("TIER_10", None, True, 5, 0),
        ("TIER_4", None, False, 3, 1),
        ("TIER_4", 100, False, 4, 1),
        ("TIER_2", None, False, 1, 4),
        ("TIER_2K", None, True, 5, 0),
    ],
)
def test_the_daily_tier_is_told_with_what_waits_for_another_day(
    rt: Runtime, session: Session, tier: str, percent: int | None, fits: bool, today: int, more_days: int
) -> None:
    broadcast = make_draft(session, 5, number={"tier": tier}, tier_percent=percent)
    session.commit()

    told = load(rt, broadcast.id)
    assert told.use is not None
    assert (told.use.fits, told.use.today, told.use.more_days) == (fits, today, more_days)
    assert ("tier" in {each.code for each in told.cautions}) is not fits
    assert (told.timing.ends - told.timing.begins).days == more_days


@pytest.mark.parametrize("tier", [None, "TIER_UNLIMITED", "TIER_NOT_SET"])
def test_where_no_tier_is_known_none_is_told(rt: Runtime, session: Session, tier: str | None) -> None:
    broadcast = make_draft(session, number={"tier": tier})
    session.commit()

    assert load(rt, broadcast.id).use is None


def test_people_who_wrote_today_or_were_written_to_today_use_up_nothing(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 4, number={"tier": "TIER_1K"})
    number, people = session.get_one(Number, broadcast.number_id), everybody(session)
    just_now = datetime.now(UTC) - timedelta(hours=1)
    factories.make_conversation(session, people[0], number, last_inbound_at=just_now)
    for person in (people[1], people[0]):
        sent = factories.make_outbound(session, person, number, state=MessageState.ACCEPTED, wire_at=datetime.now(UTC))
        sent.kind = "template"
    old = factories.make_outbound(session, people[2], number, state=MessageState.ACCEPTED)
    old.kind, old.wire_at = "template", datetime.now(UTC) - timedelta(hours=25)
    session.commit()

    use = load(rt, broadcast.id).use
    assert use is not None
    assert (use.used, use.new) == (1, 2)  # the second was written to first; the third and fourth would be


def test_quiet_hours_hold_people_back_until_the_morning_on_their_own_clock(rt: Runtime, session: Session) -> None:
    far_from_now = (datetime.now(UTC).hour + 12) % 24
    quiet = policy.Policy(quiet_from=time(far_from_now, 1), quiet_to=time(far_from_now))
    policy.change(session, "live", quiet, None)
    broadcast = make_draft(session, 2)
    session.commit()

    assert load(rt, broadcast.id).timing.waits == {(f"{far_from_now:02d}:00", "quiet"): 2}
    session.execute(update(Broadcast).values(heeds_quiet_hours=False))
    session.commit()
    assert load(rt, broadcast.id).timing.waits == {}


def test_the_end_follows_from_the_slower_of_both_paces_and_the_watched_first_ones(
    rt: Runtime, session: Session
) -> None:
    broadcast = make_draft(session, 6, number={"pace_per_s": 3}, pace_per_s=2, canary_percent=10, canary_minutes=7)
    session.commit()

    told = load(rt, broadcast.id).timing
    assert (told.pace_per_s, told.ends - told.begins) == (2, timedelta(minutes=7, seconds=3))


def test_people_who_got_the_same_template_this_week_are_told(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 3)
    number, segment = (
        session.get_one(Number, broadcast.number_id),
        factories.make_segment(session, everybody(session)[:2]),
    )
    former = factories.make_broadcast(session, number, segment, broadcast.template)
    session.commit()
    with rt.transaction() as tx:
        lifecycle.launch(tx, former.id, NOBODY)
    jobs.work()

    told = load(rt, broadcast.id)
    assert [(each.broadcast.id, each.people, list(each.what)) for each in told.recent] == [(former.id, 2, ["template"])]
    assert "recent" in {each.code for each in told.cautions}
    session.execute(update(Broadcast).where(Broadcast.id == former.id).values(launched_at=CLOCK))
    session.commit()
    assert load(rt, broadcast.id).recent == []


def test_a_template_that_several_wordings_have_is_in_the_way_once(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session)
    broadcast.template.status = "PAUSED"
    row = {"variant": 1, "template_id": broadcast.template_id, "slots": broadcast.slots}
    session.add(BroadcastWording(broadcast_id=broadcast.id, **row))
    session.commit()

    assert len(load(rt, broadcast.id).blocks) == 1


def test_of_one_that_was_cancelled_half_way_whoever_has_it_is_told_and_nobody_else(
    rt: Runtime, session: Session
) -> None:
    broadcast = make_draft(session, 4)
    number, segment = session.get_one(Number, broadcast.number_id), session.get_one(Segment, _segment_id(broadcast))
    former = factories.make_broadcast(session, number, segment, broadcast.template)
    session.commit()
    with rt.transaction() as tx:
        lifecycle.launch(tx, former.id, NOBODY)
    jobs.work()
    states = (MessageState.ACCEPTED, MessageState.UNKNOWN, MessageState.FAILED)
    for message, state in zip(session.scalars(select(Message).order_by(Message.id)), states, strict=False):
        message.state = state
    session.commit()
    with rt.transaction() as tx:
        lifecycle.cancel(tx, former.id, NOBODY)
    jobs.work()

    assert [(each.broadcast.id, each.people) for each in load(rt, broadcast.id).recent] == [(former.id, 2)]


@pytest.mark.parametrize("later", [False, True])
def test_the_same_launched_a_moment_ago_or_scheduled_is_told_before_anybody_is_written_down(
    rt: Runtime, session: Session, later: bool
) -> None:
    broadcast = make_draft(session, 3)
    number, segment = session.get_one(Number, broadcast.number_id), session.get_one(Segment, _segment_id(broadcast))
    former = factories.make_broadcast(session, number, segment, broadcast.template)
    former.scheduled_at = datetime.now(UTC) + timedelta(days=2) if later else None
    session.commit()
    with rt.transaction() as tx:
        lifecycle.launch(tx, former.id, NOBODY)

    found = load(rt, broadcast.id).recent
    assert [(each.people, list(each.what)) for each in found] == [(3, ["template", "segment", "people"])]


def _segment_id(broadcast: Broadcast) -> int:
    return broadcast.segments[0].segment_id


@pytest.mark.parametrize("quality, is_told", [("RED", True), ("YELLOW", False), (None, False)])
def test_a_number_of_low_quality_is_a_caution(
    rt: Runtime, session: Session, quality: str | None, is_told: bool
) -> None:
    broadcast = make_draft(session, number={"quality": quality})
    session.commit()

    assert ("number" in {each.code for each in load(rt, broadcast.id).cautions}) is is_told


def test_the_policy_the_report_goes_by_is_that_of_its_environment(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 3)
    policy.change(session, "live", policy.Policy(type_count_above=2, approve_above=3), None)
    session.commit()

    told = load(rt, broadcast.id)
    assert (told.must_type, told.must_be_approved, told.rules == DEFAULT) == (True, False, False)
