"""What Insights says of conversations and wishes again, slow and obvious: plain Python over all of them."""

import math
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.report import Figures, Spread
from bot.models.conversation import Conversation, Episode
from bot.models.message import Message
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

    def answers(self, by: Container[int | None] | None = None) -> list[int]:
        """How long each took, in seconds, the quickest first; those of some coaches alone, None being nobody."""
        return sorted(
            told(each.first_reply_at - each.opened_at)
            for each in self.episodes
            if each.opened_by == "person"
            and each.first_reply_at is not None
            and self._is_of_the_period(each.first_reply_at)
            and (by is None or each.first_reply_operator_id in by)
        )

    def _is_of_the_period(self, at: datetime) -> bool:
        return self.of.period.first <= self._day(at) <= self.of.period.last

    def figures(self) -> Figures:
        """The team report's."""
        count = sum(self.by_day().values(), Counter[str]())
        took = sorted(told(each.closed_at - each.opened_at) for each in self._closed_by_hand() if each.closed_at)
        return Figures(
            opened=count["opened"],
            reopened=count["reopened"],
            first_response=spread(self.answers()),
            resolution=spread(took),
            closed=count["closed"],
            closed_without_reply=count["closed_without_reply"],
            closed_by_rule=count["closed_by_rule"],
            replies=len(self._replies()),
        )

    def shares(self) -> dict[int | None, tuple[int, int, float | None, int]]:
        """By coach: replies, first responses, their middle and what they closed; of those with any of it."""
        replies = Counter(each.operator_id for each in self._replies())
        closed = Counter(each.closed_by_operator_id for each in self._closed_by_hand())
        found = {}
        for id_ in {*replies, *closed, *(each.first_reply_operator_id for each in self.episodes)}:
            took = self.answers({id_})
            share = replies[id_], len(took), at_share(took, 0.5), closed[id_] if id_ else 0
            if any(share):
                found[id_] = share
        return found

    def _closed_by_hand(self) -> list[Episode]:
        return [
            each
            for each in self.episodes
            if each.closed_at is not None and not each.closed_by_rule and self._is_of_the_period(each.closed_at)
        ]

    def _replies(self) -> list[Message]:
        return [
            each
            for each in self.of.messages
            if each.author_kind == "coach"
            and each.state != "suppressed"
            and each.kind != "reaction"
            and each.environment == self.of.which.environment
            and self.of.which.number_id in {None, each.number_id}
            and self._is_of_the_period(each.occurred_at)
        ]

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


def spread(values: Sequence[int]) -> Spread:
    return Spread(len(values), at_share(values, 0.5), at_share(values, 0.9))


def at_share(values: Sequence[int], share: float) -> float | None:
    """Between the two that are next to it, as far as it lies between their places."""
    if not values:
        return None
    place = share * (len(values) - 1)
    low, high = values[math.floor(place)], values[math.ceil(place)]
    return low + (place - math.floor(place)) * (high - low)
