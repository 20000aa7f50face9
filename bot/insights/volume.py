"""How are people engaging? Messages both ways by day and by hour, and what became of those that were sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.insights import sources
from bot.insights.active import active
from bot.insights.asking import Period, Question
from bot.language import later
from bot.models.words import AuthorKind

EXPLANATION: Final = later(
    "Received is everything people wrote, sent is every message that WhatsApp took from you, whoever wrote it. A"
    " service run by journeys sends about as much as it receives, or more; a helpdesk, where people answer, less."
)
PER_PERSON_EXPLANATION: Final = later(
    "How many messages somebody writes on a day on which they write at all: what was received on a day, divided by the"
    " people who were active on it."
)
HOURS_EXPLANATION: Final = later(
    "When people write, by day of the week and hour, on the clock of the workspace's time zone."
)
SHARES_EXPLANATION: Final = later(
    "What became of what was sent, by the day it was sent on, however late it was heard of. Replied is a message that a"
    " person quotes, or that was the last one sent to them in the 24 hours before they wrote. Automatic are journeys,"
    " reminders, broadcasts, programs and what is Automation in history; by hand is what the team typed here or in the"
    " phone app. People can switch read receipts off, so that more was read than is reported."
)
SIDES_EXPLANATION: Final = later(
    "Who does the talking. Automatic is what journeys, reminders, broadcasts and programs sent, and what is Automation"
    " in history; by hand is what the team typed here or in the phone app. Most of it automatic: you run it like a bot."
    " Most of it by hand: like a helpdesk."
)

BY_HAND: Final = frozenset({AuthorKind.COACH, AuthorKind.APP})

_VOLUME = sources.on("days", "SELECT day, sum(received) AS received, sum(sent) AS sent FROM {source} GROUP BY day")
_HOURS = sources.on(
    "hours",
    "SELECT extract(isodow FROM day)::int AS weekday, hour::int AS hour, sum(received) AS received, sum(sent) AS sent"
    " FROM {source} GROUP BY 1, 2",
)
_SIDES = sources.on(
    "days",
    "SELECT day, author_kind, sum(sent) AS sent FROM {source} WHERE author_kind <> '' GROUP BY 1, 2",
)
_SHARES = sources.on(
    "days",
    "SELECT author_kind, sum(sent) AS sent, sum(delivered) AS delivered, sum(read) AS read, sum(failed) AS failed,"
    " sum(refused) AS refused, sum(replied) AS replied FROM {source} WHERE author_kind <> '' GROUP BY 1",
)


@dataclass(frozen=True, slots=True)
class VolumeOn:
    day: date
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class Volume:
    period: Period
    rows: Sequence[VolumeOn]

    @property
    def received(self) -> int:
        return sum(row.received for row in self.rows)

    @property
    def sent(self) -> int:
        return sum(row.sent for row in self.rows)


@dataclass(frozen=True, slots=True)
class SidesOn:
    day: date
    automatic: int
    by_hand: int


@dataclass(frozen=True, slots=True)
class PerPersonOn:
    day: date
    received: int
    people: int

    @property
    def average(self) -> float | None:
        return self.received / self.people if self.people else None


@dataclass(frozen=True, slots=True)
class PerPerson:
    rows: Sequence[PerPersonOn]

    @property
    def average(self) -> float | None:
        """Over all days of all people."""
        days = sum(row.people for row in self.rows)
        return sum(row.received for row in self.rows) / days if days else None


@dataclass(frozen=True, slots=True)
class Hour:
    weekday: int
    """1 is Monday."""
    hour: int
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class Fate:
    """`sent` were taken by the provider; `failed` are those it refused at once, `refused`, and those it lost later."""

    sent: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    refused: int = 0
    replied: int = 0

    def __add__(self, other: "Fate") -> "Fate":
        return Fate(*(getattr(self, name) + getattr(other, name) for name in FATE))

    def share(self, name: str) -> float | None:
        """Of what was sent; of failures, of all that was tried. None where there was nothing."""
        whole = self.sent + self.refused if name == "failed" else self.sent
        return getattr(self, name) / whole if whole else None


FATE: Final = ("sent", "delivered", "read", "failed", "refused", "replied")


def volume(question: Question) -> Volume:
    found = {row.day: row for row in question.ask(_VOLUME(question))}
    rows = [
        VolumeOn(day, int(found[day].received), int(found[day].sent)) if day in found else VolumeOn(day, 0, 0)
        for day in question.period
    ]
    return Volume(question.period, rows)


def per_person(question: Question) -> PerPerson:
    both = zip(volume(question).rows, active(question).rows, strict=True)
    return PerPerson([PerPersonOn(said.day, said.received, who.people) for said, who in both])


def hours(question: Question) -> Sequence[Hour]:
    """All 168, Monday's first."""
    found = {(row.weekday, row.hour): row for row in question.ask(_HOURS(question))}
    places = [(weekday, hour) for weekday in range(1, 8) for hour in range(24)]
    return [
        Hour(*place, int(found[place].received), int(found[place].sent)) if place in found else Hour(*place, 0, 0)
        for place in places
    ]


def sides(question: Question) -> Sequence[SidesOn]:
    """What was sent automatically and what by hand, every day of the period."""
    told = {day: Counter[bool]() for day in question.period}
    for row in question.ask(_SIDES(question)):
        told[row.day][row.author_kind in BY_HAND] += int(row.sent)
    return [SidesOn(day, counts[False], counts[True]) for day, counts in told.items()]


def shares(question: Question) -> Mapping[str, Fate]:
    """`all`, `automatic` and `by_hand`."""
    told = {"automatic": Fate(), "by_hand": Fate()}
    for row in question.ask(_SHARES(question)):
        side = "by_hand" if row.author_kind in BY_HAND else "automatic"
        told[side] += Fate(*(int(getattr(row, name)) for name in FATE))
    return {"all": told["automatic"] + told["by_hand"], **told}
