"""How a launched broadcast stands: everything that moves on its page, as plain values that can be compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.language import later
from bot.messages import pacing
from bot.messages.pacing import Learned
from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.connection import Number
from bot.models.words import BroadcastOrigin, BroadcastState
from broadcasts import broadcasts, transitions
from broadcasts.audience.waves import CANARY, REST, TRIAL
from broadcasts.results import ledger, remedies, variants
from broadcasts.results.ledger import Counts, Figures
from broadcasts.results.remedies import Explained

_MOST_REASONS = 12
_WAVES = {CANARY: later("Canary"), TRIAL: later("Trial of the variants"), REST: later("Everybody else")}
_UNDER_WAY = frozenset({BroadcastState.MATERIALISING, BroadcastState.RUNNING})


@dataclass(frozen=True, slots=True)
class Wave:
    name: str
    people: int
    standing: str
    """`done`, `now` or `next`."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant, or, with a `language`, those of it who read a wording of their own."""

    number: int
    letter: str
    language: str | None
    template: str
    counts: Counts
    has_won: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the timeline."""

    state: str
    at: datetime
    who: str
    why: str | None


@dataclass(frozen=True, slots=True)
class Child:
    """A retry of whom it failed for."""

    id: int
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Standing:
    id: int
    environment: str
    name: str
    state: str
    reason: str | None
    finished_at: datetime | None
    wave_until: datetime | None
    winner_metric: str | None
    figures: Figures
    failed: list[Explained]
    skipped: list[Explained]
    unnamed: int
    """How many have a reason that is rarer than those listed."""
    finish_at: datetime | None
    """When nobody waits any more at the rate of the last seconds; to the minute."""
    learned: Learned | None
    """Why its number sends slower than it may, while it is sent."""
    waves: list[Wave]
    variants: list[Variant]
    undecided: int
    """How many wait for the winner, and are of no variant yet."""
    timeline: list[Step]
    children: list[Child]

    @property
    def counts(self) -> Counts:
        return self.figures.counts

    @property
    def is_sending(self) -> bool:
        return self.state in _UNDER_WAY


def of(session: Session, broadcast_id: int) -> Standing:
    """Raises BroadcastError; the numbers are those of one instant."""
    found = broadcasts.get(session, broadcast_id)
    figures = ledger.figures(session, broadcast_id)
    explained = list(remedies.explain(figures.reasons))
    shown, rest = explained[:_MOST_REASONS], explained[_MOST_REASONS:]
    learned = _learned(session, found)
    return Standing(
        id=found.id,
        environment=found.environment,
        name=found.name,
        state=found.state,
        reason=found.reason,
        finished_at=found.finished_at,
        wave_until=found.wave_until,
        winner_metric=found.winner_metric,
        figures=figures,
        failed=[each for each in shown if each.part == "failed"],
        skipped=[each for each in shown if each.part == "skipped"],
        unnamed=sum(each.people for each in rest),
        finish_at=_finish(session, found, figures, learned),
        learned=learned,
        waves=list(_waves(session, found)),
        variants=list(_variants(session, found, figures)),
        undecided=figures.unmade.get(ledger.UNDECIDED, Counts()).audience,
        timeline=list(_timeline(session, broadcast_id)),
        children=list(_children(session, broadcast_id)),
    )


def _learned(session: Session, broadcast: Broadcast) -> Learned | None:
    if broadcast.state not in _UNDER_WAY:
        return None
    number = session.get_one(Number, broadcast.number_id)
    return pacing.learned(runtime.current().redis, number.id, number.pace_per_s)


def _finish(session: Session, broadcast: Broadcast, figures: Figures, learned: Learned | None) -> datetime | None:
    """Of those who need not wait for anything but their turn; at the number's pace until something has left.

    Nothing while a wave is watched: the next one may not follow.
    """
    if broadcast.state not in _UNDER_WAY or not figures.counts.waiting or broadcast.wave_until is not None:
        return None
    paces = [
        learned and learned.per_s,
        session.scalar(select(Number.pace_per_s).where(Number.id == broadcast.number_id)),
        broadcast.pace_per_s,
    ]
    per_s = figures.per_s or min((pace for pace in paces if pace), default=0)
    if not per_s:
        return None
    at = datetime.now(UTC) + timedelta(seconds=(figures.counts.waiting - figures.later) / per_s)
    return max(at.replace(second=0, microsecond=0), figures.later_until or at.min.replace(tzinfo=UTC))


def _waves(session: Session, broadcast: Broadcast) -> Iterator[Wave]:
    """Nothing where everybody is of the same."""
    if not broadcast.canary_percent and not broadcast.trial_percent:
        return
    query = select(AudiencePerson.wave, func.count()).where(AudiencePerson.broadcast_id == broadcast.id)
    is_over = broadcast.state in {BroadcastState.FINISHED, BroadcastState.CANCELLED}
    for wave, people in session.execute(query.group_by(AudiencePerson.wave).order_by(AudiencePerson.wave)):
        standing = "done" if wave < broadcast.wave or is_over else "now" if wave == broadcast.wave else "next"
        yield Wave(_WAVES[wave], people, standing)


def _variants(session: Session, broadcast: Broadcast, figures: Figures) -> Iterator[Variant]:
    """Nothing where everybody reads the same; else each variant, and below it its languages where it has several."""
    offered = variants.of(session, broadcast)
    if len(offered) == 1:
        return
    for number in sorted({each.variant for each in offered}):
        of_it = [each for each in offered if each.variant == number]
        total = Counts()
        for each in of_it:
            total.add_up(figures.wordings.get(each.id, Counts()))
        total.add_up(figures.unmade.get(number, Counts()))
        has_won, letter = broadcast.winner == number, variants.letter(number)
        yield Variant(number, letter, None, of_it[0].template, total, has_won)
        if len(of_it) > 1:
            for each in of_it:
                mine = figures.wordings.get(each.id, Counts())
                yield Variant(number, letter, each.language or variants.OTHERS, each.template, mine)


def _timeline(session: Session, broadcast_id: int) -> Iterator[Step]:
    for line in transitions.timeline(session, broadcast_id):
        yield Step(line.transition.to_state, line.transition.at, line.who, line.transition.why)


def _children(session: Session, broadcast_id: int) -> Iterator[Child]:
    query = select(Broadcast.id, Broadcast.name, Broadcast.state).where(
        Broadcast.parent_id == broadcast_id, Broadcast.origin == BroadcastOrigin.RETRY
    )
    for id_, name, state in session.execute(query.order_by(Broadcast.id)):
        yield Child(id_, name, state)
