"""What has to be known of whom: each reads one wording, and only what its texts need has to be known of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, false, func, or_, select, true
from sqlalchemy.orm import Session

from bot.messages import personalise
from bot.models.broadcast import Broadcast, BroadcastWording
from bot.models.person import Person
from bot.people import links
from broadcasts.audience import drawing, wordings
from broadcasts.audience.waves import REST
from broadcasts.audience.wordings import Wording


@dataclass(frozen=True, slots=True)
class Need:
    """An attribute that stands in a text without a default, and of which people it has to be known; None: of all."""

    name: str
    whose: ColumnElement[bool] | None


def of(session: Session, broadcast: Broadcast) -> tuple[Need, ...]:
    """In the order of their names.

    Until a winner is found, whoever waits for it is taken to get any of the variants.
    """
    required = _required(session, broadcast)
    offered = wordings.of(session, broadcast)
    return tuple(
        Need(name, _whose(broadcast, offered, {id_ for id_, names in required.items() if name in names}))
        for name in sorted(set().union(*required.values()))
    )


def _required(session: Session, broadcast: Broadcast) -> dict[int | None, set[str]]:
    """By wording; the broadcast's own is None."""
    mine = select(BroadcastWording).where(BroadcastWording.broadcast_id == broadcast.id)
    texts = {None: broadcast.slots} | {each.id: each.slots for each in session.scalars(mine)}
    everybodys = links.names(session, broadcast.environment)
    return {
        id_: {name for text in slots.values() for name in personalise.required(text)} - everybodys
        for id_, slots in texts.items()
    }


def _whose(
    broadcast: Broadcast, offered: Sequence[Wording], needing: Collection[int | None]
) -> ColumnElement[bool] | None:
    """Of a row of Person: whether they get one of the wordings that need it."""
    if all(each.id in needing for each in offered):
        return None
    spoken = func.lower(func.replace(func.coalesce(Person.language, ""), "-", "_"))
    languages = {each.language for each in offered if each.language}
    bases = {language.partition("_")[0] for language in languages}
    told_apart = [
        *((spoken == each, each) for each in sorted(languages)),
        # Any other of its kind: none of the wordings is for it alone.
        *((func.split_part(spoken, "_", 1) == each, f"{each}_") for each in sorted(bases)),
    ]
    readers = [(who, _readers(broadcast, offered, needing, language)) for who, language in told_apart]
    return case(*readers, else_=_readers(broadcast, offered, needing, ""))


def _readers(
    broadcast: Broadcast, offered: Sequence[Wording], needing: Collection[int | None], language: str
) -> ColumnElement[bool]:
    """Whether somebody of this language gets one of them."""
    variants = sorted({each.variant for each in offered})
    theirs = [each for each in variants if wordings.choose(offered, each, language) in needing]
    if not theirs or len(theirs) == len(variants):
        return true() if theirs else false()
    drawn = drawing.variant(broadcast, len(variants)).in_(theirs)
    if not drawing.has_trial(broadcast, len(variants)):
        return drawn
    return or_(drawn, drawing.wave(broadcast, has_trial=True) == REST)
