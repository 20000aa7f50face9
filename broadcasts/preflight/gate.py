"""What stands between a draft and its launch: what blocks it, and how many people somebody has to type.

It is asked on the page and once more in the transaction that launches, whoever launches and by whatever way.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.language import _, figure
from bot.messages.policy import Policy
from bot.models.broadcast import AudiencePerson, Broadcast, Template
from bot.models.person import Person
from broadcasts.audience import membership
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting import checks
from broadcasts.preflight import lacking, needing


class CountError(BroadcastError):
    """The size of the audience was not typed, or is another; `people` is what it is."""

    def __init__(self, text: str, people: int) -> None:
        super().__init__(text)
        self.people = people


def audience(session: Session, broadcast: Broadcast) -> int:
    """How many people its ledger will account for: everybody of its segments, whether they can get it or not."""
    if broadcast.audience_frozen_at is not None:
        mine = AudiencePerson.broadcast_id == broadcast.id
        return session.scalar(select(func.count()).select_from(AudiencePerson).where(mine)) or 0
    members = membership.belongs(session, broadcast)
    return session.scalar(select(func.count()).select_from(Person).where(members)) or 0


def blocks(session: Session, broadcast: Broadcast, template: Template) -> list[str]:
    """What has to be put right before anybody is counted: sentences, each with its remedy."""
    return checks.of_launch(session, broadcast, template) + of_times(broadcast, datetime.now(UTC))


def of_times(broadcast: Broadcast, now: datetime) -> list[str]:
    end, begin = broadcast.not_after, broadcast.scheduled_at
    if end is not None and end <= now:
        return [_("Its end is over already: give it a later one, or none.")]
    if end is not None and begin is not None and end <= begin:
        return [_("It would end before it begins: give it a later end, or none.")]
    if broadcast.local_time is not None and (broadcast.canary_percent or broadcast.trial_percent):
        # Who is first would be so by the clock, and the others past their time before the first were watched.
        return [
            _("With a time on each person's own clock nobody can go first: take one time for all, or no first part.")
        ]
    return []


def look(session: Session, broadcast: Broadcast) -> tuple[int, list[str]]:
    """How many people it goes to, and what stands in the way if somebody lacks a value: one look at everybody.

    Asks for no more than one of those who do: how many they are, the page counts.
    """
    wanted = () if broadcast.skips_gaps else needing.of(session, broadcast)
    if not wanted or broadcast.audience_frozen_at is not None:
        people, suspects = audience(session, broadcast), len(wanted)
    else:
        perhaps = func.count().filter(lacking.lacks_perhaps(wanted))
        everybody = select(func.count(), perhaps).select_from(Person).where(membership.belongs(session, broadcast))
        people, suspects = session.execute(everybody).one()
    if not suspects:
        return people, []
    first = islice(lacking.people(session, broadcast, wanted), 1)
    return people, tell_gaps([name for _, names in first for name in names])


def tell_gaps(names: Sequence[str]) -> list[str]:
    """`names` of what is not known of somebody."""
    if not names:
        return []
    remedy = _("leave such people out, give a default, or enter what is missing.")
    return [
        _(
            "Of somebody in the audience %(names)s is not known, and has no default: %(remedy)s",
            names=" and ".join(names),
            remedy=remedy,
        )
    ]


def check_count(broadcast: Broadcast, people: int, policy: Policy, confirmed: int | None) -> None:
    """Raises CountError."""
    if confirmed is not None and confirmed != people:
        raise CountError(
            _(
                "“%(name)s” goes to %(people)s people and not to %(confirmed)s: look at the audience again, "
                "and type %(people2)s if that is right.",
                name=broadcast.name,
                people=figure(people),
                confirmed=figure(confirmed),
                people2=people,
            ),
            people,
        )
    if confirmed is None and people > policy.type_count_above:
        raise CountError(
            _(
                "“%(name)s” goes to %(people)s people, more than %(type_count_above)s: type that number "
                "(%(people2)s) to launch it.",
                name=broadcast.name,
                people=figure(people),
                type_count_above=figure(policy.type_count_above),
                people2=people,
            ),
            people,
        )


def read_count(text: str) -> int | None:
    """As somebody typed it, None for nothing; raises BroadcastError."""
    digits = text.replace(",", "").replace(" ", "").replace("\u202f", "")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 11):
        raise BroadcastError(_("Type the number of people in digits, such as 1250."))
    return int(digits)
