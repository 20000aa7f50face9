"""Before a launch it is told who gets it, what it costs, when it is through and what is against it, and so it is."""

import random
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.messages import policy
from bot.messages.policy import DEFAULT
from bot.models.broadcast import Broadcast, BroadcastSegment
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.preference import Preference, Topic
from bot.models.segment import Segment
from bot.models.words import AddressKind, BroadcastState, Channel, MessageState, SegmentRole
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.broadcasts import BroadcastError
from broadcasts.control import lifecycle
from broadcasts.preflight import funnel, lacking, rates, remedies, report
from broadcasts.preflight.report import Report
from broadcasts.results import ledger
from broadcasts.transitions import NOBODY
from tests import factories

CLOCK = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_draft(
    session: Session,
    people: int = 3,
    *,
    category: str = "MARKETING",
    number: dict[str, Any] | None = None,
    **columns: Any,
) -> Broadcast:
    ours = factories.make_number(session)
    for name, value in (number or {}).items():
        setattr(ours, name, value)
    segment = factories.make_segment(session, [factories.make_person(session) for _ in range(people)])
    template = factories.make_template(session, ours.connection, category=category)
    return factories.make_broadcast(session, ours, segment, template, **columns)


def add_segment(session: Session, broadcast: Broadcast, people: list[Person], role: str = SegmentRole.TO) -> None:
    segment = factories.make_segment(session, people)
    session.add(
        BroadcastSegment(broadcast_id=broadcast.id, segment_id=segment.id, environment=broadcast.environment, role=role)
    )
    session.flush()


def load(rt: Runtime, broadcast_id: int) -> Report:
    with rt.transaction() as session:
        return report.load(session, session.get_one(Broadcast, broadcast_id))


def everybody(session: Session) -> list[Person]:
    return list(session.scalars(select(Person).order_by(Person.id)))


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
    policy.change(session, "live", policy.Policy(quiet_from=time(0), quiet_to=time(23, 59)), None)
    broadcast = make_draft(session, 2)
    session.commit()

    assert load(rt, broadcast.id).timing.waits == {("23:59", "quiet"): 2}
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


@pytest.mark.parametrize(
    "person, lacks",
    [
        ({"first_name": None}, True),
        ({"first_name": " \u00a0\u2003"}, True),
        ({"first_name": None, "nickname": "Ada L"}, False),
        ({"first_name": None, "nickname": "🌸"}, True),
        ({"first_name": None, "nickname": "عادل"}, False),
        ({"first_name": None, "nickname": "ಆದಿ ☀"}, False),
        ({"first_name": "", "nickname": "\u00a0", "attributes": {"first_name": "Ada"}}, False),
        ({"first_name": None, "attributes": {"first_name": "Ada"}}, False),
        ({"first_name": " ", "attributes": {"first_name": "Ada"}}, True),
    ],
)
def test_a_missing_name_is_found_as_the_sender_would_find_it(
    rt: Runtime, session: Session, person: dict[str, Any], lacks: bool
) -> None:
    broadcast = make_draft(session, 1)
    add_segment(session, broadcast, [factories.make_person(session, **person)])
    session.commit()

    told = load(rt, broadcast.id)
    assert told.gaps.missing == ({"first_name": 1} if lacks else {})
    assert bool(told.blocks) is lacks


@pytest.mark.parametrize(
    "name, attributes, lacks",
    [
        ("office", {"office": "Cairo"}, False),
        ("office", {"office": 7}, False),
        ("office", {"office": False}, False),
        ("office", {"office": ["a"]}, False),
        ("office", {"office": []}, True),
        ("office", {"office": None}, True),
        ("office", {"office": ""}, True),
        ("office", {"office": {"no": 1}}, True),
        ("office.no", {"office": {"no": 1}}, False),
        ("office.no", {"office": {}}, True),
        ("office.no", {"office.no": " ", "office": {"no": 1}}, True),
        ("office.no", {"office.no": None, "office": {"no": 1}}, False),
        ("office.no.b", {"office": {"no.b": ["a"]}}, False),
        ("phone_no", {}, False),
        ("email", {}, True),
        ("email", {"email": "a@b.org"}, False),
        ("username", {}, False),
    ],
)
def test_a_missing_attribute_is_found_as_the_sender_would_find_it(
    rt: Runtime, session: Session, name: str, attributes: dict[str, Any], lacks: bool
) -> None:
    broadcast = make_draft(session, 0, slots={"body.1": f"<<user.{name}>>"})
    add_segment(session, broadcast, [factories.make_person(session, attributes=attributes)])
    session.commit()

    assert load(rt, broadcast.id).gaps.missing == ({name: 1} if lacks else {})


def test_gaps_are_counted_as_they_are_listed_whatever_people_have(rt: Runtime, session: Session) -> None:
    lots = random.Random(5)
    slots = {"body.1": "<<user.first_name>> <<user.office.no>> <<user.email>>", "body.2": "<<user.username>>"}
    broadcast = make_draft(session, 0, slots=slots)
    names, numbers = [None, "", " ", "Ada"], [None, "", "7", 7, False, [], [1], {}, {"no": "1"}, {"no": " "}]
    people = []
    for _ in range(150):
        attributes = {name: lots.choice(numbers) for name in ("office", "office.no", "email") if lots.random() < 0.5}
        known: dict[str, Any] = {"first_name": lots.choice(names), "nickname": lots.choice([*names, "🌸", "Ζωή"])}
        person = factories.make_person(session, attributes=attributes, enabled=lots.random() < 0.8, **known)
        person.distinct_id_given = lots.random() < 0.8
        people.append(person)
    add_segment(session, broadcast, people)
    session.commit()

    listed = dict(lacking.people(session, broadcast, lacking.names(session, broadcast)))
    told = load(rt, broadcast.id).gaps
    assert told.people == len(listed) > 20
    assert told.missing == Counter(name for lacked in listed.values() for name in lacked)


def test_of_somebody_who_gets_nothing_anyway_nothing_need_be_known(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 1)
    add_segment(session, broadcast, [factories.make_person(session, first_name=None, enabled=False)])
    session.commit()

    assert (load(rt, broadcast.id).gaps.people, load(rt, broadcast.id).blocks) == (0, [])


def test_gaps_are_found_over_many_pages_of_people(
    rt: Runtime, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lacking, "_CHUNK", 3)
    broadcast = make_draft(session, 2)
    nameless = [factories.make_person(session, first_name=None, enabled=number % 4 > 0) for number in range(10)]
    add_segment(session, broadcast, nameless)
    session.commit()

    assert load(rt, broadcast.id).gaps.people == 7


def test_a_default_can_be_given_where_a_value_is_missing(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 1, slots={"body.1": "<<user.first_name>> and {{user.first_name}}"})
    session.execute(update(Person).values(first_name=None))
    with pytest.raises(BroadcastError, match="first_name is not known"):
        lifecycle.launch(session, broadcast.id, NOBODY)

    remedies.give_default(session, broadcast.id, "first_name", " there ")

    assert broadcast.slots["body.1"] == "<<user.first_name|default('there')>> and <<user.first_name|default('there')>>"
    assert lifecycle.launch(session, broadcast.id, NOBODY) == BroadcastState.MATERIALISING


@pytest.mark.parametrize("words", ["", " ", "it's", 'a"b', "a\\b", "a>>b", "a|b", "{{x}}", "a\nb", "x" * 61])
def test_a_default_that_would_break_the_text_is_refused(session: Session, words: str) -> None:
    broadcast = make_draft(session)

    with pytest.raises(BroadcastError, match="A default is"):
        remedies.give_default(session, broadcast.id, "first_name", words)


def test_a_default_for_what_no_text_has_by_itself_is_refused(session: Session) -> None:
    broadcast = make_draft(session)

    with pytest.raises(BroadcastError, match="No text has last_name"):
        remedies.give_default(session, broadcast.id, "last_name", "there")


def test_the_policy_the_report_goes_by_is_that_of_its_environment(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 3)
    policy.change(session, "live", policy.Policy(type_count_above=2, approve_above=3), None)
    session.commit()

    told = load(rt, broadcast.id)
    assert (told.must_type, told.must_be_approved, told.rules == DEFAULT) == (True, False, False)
