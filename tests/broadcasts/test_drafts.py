"""A draft is everything that can be said of a broadcast; what does not fit is told all at once, each with its place."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Number
from bot.models.words import BroadcastState, WinnerMetric
from bot.runtime import Runtime
from broadcasts.broadcasts import BroadcastError, WrongStateError
from broadcasts.control import lifecycle
from broadcasts.drafting import drafts
from broadcasts.drafting.drafts import Care, DraftError, Schedule, Trial, Wanted, Wording
from broadcasts.transitions import NOBODY
from tests import factories

WORDS = {"body.1": "<<user.first_name>>"}
TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
Make = Callable[..., Wanted]


@pytest.fixture
def number(session: Session) -> Number:
    return factories.make_number(session)


@pytest.fixture
def template(session: Session, number: Number) -> Template:
    return factories.make_template(session, number.connection)


@pytest.fixture
def wanted(session: Session, number: Number, template: Template) -> Make:
    """A draft with nothing special; keywords say what is."""
    segment = factories.make_segment(session, [factories.make_person(session)])

    def make(**more: Any) -> Wanted:
        plain = Wanted(
            name="Spring", number_id=number.id, template_id=template.id, segment_ids=[segment.id], slots=WORDS
        )
        return replace(plain, **more)

    return make


def problems(session: Session, wanted: Wanted) -> dict[str, str]:
    with pytest.raises(DraftError) as caught:
        drafts.create(session, "live", wanted)
    return {problem.field: problem.text for problem in caught.value.problems}


def test_all_that_is_wanted_is_kept_and_read_back(session: Session, wanted: Make, template: Template) -> None:
    minus = factories.make_segment(session)
    asked = wanted(
        minus_ids=[minus.id],
        wordings=[
            Wording(language="pt_BR", template_id=template.id, slots=WORDS),
            Wording(variant=1, template_id=template.id, slots={"body.1": "friend"}),
        ],
        schedule=Schedule(scheduled_at=TOMORROW, not_after=TOMORROW + timedelta(hours=3), heeds_quiet_hours=False),
        care=Care(canary_percent=2, canary_minutes=30, stop_failed_percent=7, pace_per_s=20, skips_gaps=True),
        trial=Trial(holdout_percent=5, trial_percent=20, winner_metric=WinnerMetric.READ, winner_minutes=60),
    )

    made = drafts.create(session, "live", asked)

    assert drafts.wanted_of(session, made) == drafts.tidy(asked)


def test_a_time_on_everybodys_own_clock_begins_where_the_day_comes_first(session: Session, wanted: Make) -> None:
    noon = datetime(TOMORROW.year, TOMORROW.month, TOMORROW.day, 12) + timedelta(days=1)  # noqa: DTZ001 (on each clock)
    asked = wanted(schedule=Schedule(local_time=noon))

    made = drafts.create(session, "live", asked)

    assert made.scheduled_at == noon.replace(tzinfo=UTC) - timedelta(hours=14)
    assert drafts.wanted_of(session, made) == drafts.tidy(asked)


def test_a_draft_is_changed_as_a_whole_and_keeps_its_id(session: Session, wanted: Make, template: Template) -> None:
    made = drafts.create(session, "live", wanted(wordings=[Wording(variant=1, template_id=template.id, slots=WORDS)]))
    other = factories.make_segment(session)
    asked = wanted(name="Summer", segment_ids=[other.id], slots={"body.1": "you"}, care=Care(canary_percent=1))

    changed = drafts.change(session, made.id, asked)

    assert changed.id == made.id
    assert drafts.wanted_of(session, changed) == drafts.tidy(asked)


def test_only_a_draft_can_be_changed(rt: Runtime, session: Session, wanted: Make) -> None:
    made = drafts.create(session, "live", wanted())
    lifecycle.launch(session, made.id, NOBODY)

    with pytest.raises(WrongStateError, match="only a draft can be changed"):
        drafts.change(session, made.id, wanted(name="Other"))
    with pytest.raises(BroadcastError, match="There is no broadcast"):
        drafts.change(session, 10**9, wanted())
    assert (made.state, made.name) == (BroadcastState.MATERIALISING, "Spring")


def test_a_refused_change_changes_nothing(session: Session, wanted: Make) -> None:
    made = drafts.create(session, "live", wanted())

    with pytest.raises(DraftError):
        drafts.change(session, made.id, wanted(name="Other", slots={}))

    assert drafts.wanted_of(session, session.get_one(Broadcast, made.id)) == drafts.tidy(wanted())


def test_every_problem_is_told_at_once_and_where_it_is(session: Session, wanted: Make, number: Number) -> None:
    elsewhere = factories.make_segment(session, environment="test")
    stranger = factories.make_template(session, factories.make_connection(session), category="MARKETING")
    asked = wanted(
        name=" ",
        number_id=10**9,
        segment_ids=[elsewhere.id, 10**9],
        topic_id=10**9,
        slots={"body.2": "x"},
        wordings=[Wording(variant=2, language="?", template_id=stranger.id, slots={"body.1": "<<me>>"})],
        schedule=Schedule(scheduled_at=TOMORROW, local_time=datetime(2020, 1, 1), not_after=TOMORROW),  # noqa: DTZ001
        care=Care(canary_percent=51, canary_minutes=0, stop_failed_percent=0, pace_per_s=0, tier_percent=101),
        trial=Trial(holdout_percent=-1, trial_percent=60, winner_metric="luck"),
    )

    assert set(problems(session, asked)) == {
        "name", "number", "segments", "topic", "slots.body.1", "slots.body.2",
        "wordings.0.variant", "wordings.0.language", "wordings.0.template", "wordings.0.slots.body.1",
        "schedule.local_time", "care.canary_percent", "care.canary_minutes", "care.stop_failed_percent",
        "care.pace_per_s", "care.tier_percent", "trial.holdout_percent", "trial.trial_percent",
        "trial.winner_metric", "trial.winner_minutes",
    }  # fmt: skip


@pytest.mark.parametrize(
    "schedule,field",
    [
        (Schedule(scheduled_at=TOMORROW - timedelta(days=2)), "schedule.scheduled_at"),
        (Schedule(scheduled_at=TOMORROW + timedelta(days=500)), "schedule.scheduled_at"),
        (Schedule(scheduled_at=TOMORROW.replace(tzinfo=None)), "schedule.scheduled_at"),
        (Schedule(local_time=TOMORROW), "schedule.local_time"),
        (Schedule(not_after=TOMORROW - timedelta(days=2)), "schedule.not_after"),
        (Schedule(scheduled_at=TOMORROW, not_after=TOMORROW), "schedule.not_after"),
        (Schedule(local_time=datetime(1, 1, 1)), "schedule.local_time"),  # noqa: DTZ001
        (Schedule(scheduled_at=datetime(1, 1, 1, tzinfo=EAST)), "schedule.scheduled_at"),
        (Schedule(not_after=datetime(9999, 12, 31, 23, tzinfo=WEST)), "schedule.not_after"),
    ],
)
def test_a_time_that_cannot_be_kept_is_refused(session: Session, wanted: Make, schedule: Schedule, field: str) -> None:
    assert set(problems(session, wanted(schedule=schedule))) == {field}


def test_variants_are_of_one_category_each_once_and_in_order(
    session: Session, wanted: Make, template: Template, number: Number
) -> None:
    marketing = factories.make_template(session, number.connection, category="MARKETING")
    own, other = (
        Wording(template_id=template.id, slots=WORDS),
        Wording(variant=1, template_id=marketing.id, slots=WORDS),
    )

    assert set(problems(session, wanted(wordings=[own]))) == {"wordings.0.language"}
    assert "of one category" in problems(session, wanted(wordings=[other]))["wordings.0.template"]
    only_german = replace(other, template_id=template.id, language="de")
    assert (
        "needs a wording for every language" in problems(session, wanted(wordings=[only_german]))["wordings.0.variant"]
    )


def test_a_wording_whose_template_is_not_approved_any_more_keeps_the_broadcast_from_its_launch(
    session: Session, wanted: Make, number: Number
) -> None:
    paused = factories.make_template(session, number.connection, status="PAUSED")
    made = drafts.create(session, "live", wanted(wordings=[Wording(variant=1, template_id=paused.id, slots=WORDS)]))

    with pytest.raises(BroadcastError, match=f"{paused.name} is PAUSED"):
        lifecycle.launch(session, made.id, NOBODY)
