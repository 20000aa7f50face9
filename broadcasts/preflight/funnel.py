"""How an audience comes about and what becomes of it: one statement, so that the parts add up at every instant."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Row, false, func, select, text
from sqlalchemy.orm import Session

from bot import phone
from bot.language import later
from bot.messages.compose import ERASED, NO_ADDRESS, OPTED_OUT, SWITCHED_OFF
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.people.preferences import NO_CHANNEL, NO_TOPIC
from broadcasts.audience.drawing import HELD_OUT
from broadcasts.audience.frequency import ENOUGH
from broadcasts.preflight import costs, foreseen, lacking, needing, tier
from broadcasts.preflight.needing import Need

LABELS: Final = {
    NO_ADDRESS: later("without an address on WhatsApp"),
    SWITCHED_OFF: later("switched off"),
    ERASED: later("erased, and only answered"),
    OPTED_OUT: later("opted out of marketing"),
    NO_CHANNEL: later("want nothing by WhatsApp"),
    NO_TOPIC: later("do not want this topic"),
    ENOUGH: later("over the cap on marketing messages"),
    HELD_OUT: later("held out, to compare with"),
}
"""Why somebody of the audience gets nothing, in the order in which it is asked."""


LARGE: Final = 20_000
"""Memberships above which the tables are read through once, instead of looked up for each person."""
# Until the end of the transaction: sorting a million people on the disk takes twice as long, and so does compiling.
_ROOM: Final = text("SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)")


@dataclass(frozen=True, slots=True)
class Group:
    """People who are alike in everything that matters here."""

    people: int
    held: int
    """In how many of the segments each of them is."""
    is_left_out: bool
    reason: str | None
    example: str | None
    """The address of one of them."""
    country: str | None
    time_zone: str | None
    is_new: bool
    """A message to them would count towards the number's daily tier."""
    lacks: tuple[str, ...] = ()
    """Attributes that what they would read needs, and that they certainly have no value of."""
    in_doubt: bool = False
    """Of some attribute only filling it in can tell."""


class Funnel:
    """memberships = duplicates + left_out + audience; audience = everybody in `reasons` + gets."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = groups

    @cached_property
    def memberships(self) -> int:
        """Of all its segments together: whoever is in two counts twice."""
        return sum(each.people * each.held for each in self.groups)

    @cached_property
    def duplicates(self) -> int:
        return sum(each.people * (each.held - 1) for each in self.groups)

    @cached_property
    def left_out(self) -> int:
        return sum(each.people for each in self.groups if each.is_left_out)

    @cached_property
    def audience(self) -> int:
        return sum(each.people for each in self.groups if not each.is_left_out)

    @cached_property
    def reasons(self) -> Mapping[str, int]:
        """Why people of the audience get nothing, in the words that the ledger will use."""
        found = Counter[str]()
        for each in self.groups:
            if not each.is_left_out and each.reason is not None:
                found[each.reason] += each.people
        order = [*LABELS, *sorted(set(found) - set(LABELS))]
        return {reason: found[reason] for reason in order if found[reason]}

    @property
    def unwilling(self) -> int:
        """Who said no to its topic, to WhatsApp or to marketing."""
        return sum(self.reasons.get(each, 0) for each in (OPTED_OUT, NO_CHANNEL, NO_TOPIC))

    @cached_property
    def gets(self) -> int:
        return sum(each.people for each in self.reached)

    @property
    def reached(self) -> Iterator[Group]:
        return (each for each in self.groups if not each.is_left_out and each.reason is None)

    def by_country(self) -> Mapping[str, int]:
        """By whose address a message goes to, as WhatsApp counts what it costs."""
        found = Counter[str]()
        for each in self.reached:
            found[_country(each.example or "") or costs.UNKNOWN] += each.people
        return found

    @property
    def new(self) -> int:
        return sum(each.people for each in self.reached if each.is_new)


def load(session: Session, broadcast: Broadcast) -> Funnel:
    """Raises RuleError if the rule of a segment cannot be asked."""
    number = session.get_one(Number, broadcast.number_id)
    draft = foreseen.memberships(session, broadcast).subquery("draft")
    in_bulk = foreseen.is_large(session, broadcast, LARGE)
    if in_bulk:
        session.execute(_ROOM)
    wanted = needing.of(session, broadcast)
    known = [lacking.suffices(need).label(f"known_{at}") for at, need in enumerate(wanted)]
    told = foreseen.judge(session, broadcast, draft, in_bulk=in_bulk)
    judged = told.add_columns(draft.c.held, draft.c.is_left_out, *known).subquery("judged")
    is_new = false() if tier.limit_of(number.tier) is None else tier.is_new(session, judged.c.person_id, number)
    # The country is in the first digits, of a hidden number's id in its letters: one example of each tells.
    beginning = func.left(func.ltrim(judged.c.dial, "+"), 4)
    alike = select(
        judged.c.held,
        judged.c.is_left_out,
        judged.c.reason,
        judged.c.country,
        judged.c.time_zone,
        is_new.label("is_new"),
        beginning.label("beginning"),
        judged.c.dial,
        *(judged.c[each.key] for each in known),
    ).subquery("alike")
    same = [each for each in alike.c if each.key != "dial"]
    found = select(func.count().label("people"), func.min(alike.c.dial).label("example"), *same).group_by(*same)
    return Funnel([_group(row, wanted) for row in session.execute(found)])


def _group(row: Row[Any], wanted: Sequence[Need]) -> Group:
    known = {need.name: getattr(row, f"known_{at}") for at, need in enumerate(wanted)}
    return Group(
        row.people,
        row.held,
        row.is_left_out,
        row.reason,
        row.example,
        row.country,
        row.time_zone,
        row.is_new,
        lacks=tuple(name for name, told in known.items() if told is False),
        in_doubt=None in known.values(),
    )


def _country(address: str) -> str | None:
    if address[:2].isalpha() and address[2:3] == ".":
        return address[:2]
    return phone.country_of(f"+{address.removeprefix('+')}")
