"""What Insights says of conversations and wishes again, slow and obvious: plain Python over all of them."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.conversation import Conversation, Episode
from bot.models.person import ConsentEvent
from tests.insights.recount import Recount

FRESH = {"populate_existing": True}
BOUNDS_S = (60, 300, 900, 3_600, 14_400, 86_400)


class Talks:
    """Of the period and filter of a recount."""

    def __init__(self, session: Session, of: Recount) -> None:
        self.of = of
        self.conversations = [
            each
            for each in session.scalars(select(Conversation).order_by(Conversation.id), execution_options=FRESH)
            if each.environment == of.which.environment
            and of.which.number_id in {None, each.number_id}
            and (of.members is None or each.person_id in of.members)
        ]
        ids = {each.id for each in self.conversations}
        every = session.scalars(select(Episode).order_by(Episode.id), execution_options=FRESH)
        self.episodes = [each for each in every if each.conversation_id in ids]
        self.events = [
            each
            for each in session.scalars(select(ConsentEvent))
            if each.category == "marketing"
            and each.environment == of.which.environment
            and (of.members is None or each.person_id in of.members)
        ]

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.of.zone).date()

    def by_day(self) -> dict[date, Counter[str]]:
        told = {day: Counter[str]() for day in self.of.period}
        for what, at in self._happened():
            if self._day(at) in told:
                told[self._day(at)][what] += 1
        return told

    def _happened(self) -> Iterator[tuple[str, datetime]]:
        begun = set[int]()
        for each in self.episodes:
            yield "opened", each.opened_at
            if each.conversation_id in begun:
                yield "reopened", each.opened_at
            begun.add(each.conversation_id)
            if each.closed_at is not None:
                yield "closed_by_rule" if each.closed_by_rule else "closed", each.closed_at
                if each.closed_without_reply and not each.closed_by_rule:
                    yield "closed_without_reply", each.closed_at

    def standing(self) -> tuple[int, int, int]:
        """Open, closed, waiting."""
        is_open = [each for each in self.conversations if each.state == "open"]
        waiting = [each for each in is_open if each.waiting_since is not None]
        return len(is_open), len(self.conversations) - len(is_open), len(waiting)

    def answers(self) -> list[int]:
        """How long each took, in seconds, the quickest first."""
        return sorted(
            told(each.first_reply_at - each.opened_at)
            for each in self.episodes
            if each.opened_by == "person"
            and each.first_reply_at is not None
            and self.of.period.first <= self._day(each.first_reply_at) <= self.of.period.last
        )

    def steps(self) -> list[int]:
        return [
            sum(low <= took < high for took in self.answers())
            for low, high in zip((0, *BOUNDS_S), (*BOUNDS_S, math.inf), strict=True)
        ]

    def wishes(self) -> dict[date, tuple[int, int]]:
        """People who opted out and in."""
        said = {(self._day(each.occurred_at), each.value, each.person_id) for each in self.events}
        count = Counter((day, value) for day, value, _person in said)
        return {day: (count[day, "stop"], count[day, "resume"]) for day in self.of.period}


def told(took: timedelta) -> int:
    """Whole seconds, of which three digits stand."""
    seconds = took // timedelta(seconds=1)
    unit = int(10 ** max(0, len(str(seconds)) - 3))
    return seconds // unit * unit


def at_share(values: Sequence[int], share: float) -> float | None:
    """Between the two that are next to it, as far as it lies between their places."""
    if not values:
        return None
    place = share * (len(values) - 1)
    low, high = values[math.floor(place)], values[math.ceil(place)]
    return low + (place - math.floor(place)) * (high - low)
