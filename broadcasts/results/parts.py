"""The parts of an audience as its pages name them, and who is behind each: the same people that the ledger counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from bot.language import later
from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastResponse, BroadcastWording
from bot.models.message import Message
from bot.models.words import BroadcastState
from broadcasts.results import reasons
from broadcasts.results.ledger import PART_OF, to_come
from broadcasts.results.variants import OTHERS

Condition = ColumnElement[bool]


class Part(NamedTuple):
    label: str
    words: str
    """For the name of a segment made of them."""
    messages: Condition


def _state(name: str) -> Condition:
    return Message.state.in_([state.value for state, part in PART_OF.items() if part == name])


_ANSWER = aliased(BroadcastResponse)


def _answered(column: InstrumentedAttribute[datetime | None]) -> Condition:
    mine = _ANSWER.broadcast_id == Message.broadcast_id, _ANSWER.person_id == Message.person_id
    return exists().where(*mine, column.is_not(None)).correlate(Message)


_ACCEPTED = _state("accepted")
_REPLIED = _answered(_ANSWER.replied_at)

PARTS: Mapping[str, Part] = {
    "attempted": Part(later("Attempted"), "attempted", or_(Message.wire_at.is_not(None), _ACCEPTED)),
    "accepted": Part(later("Accepted"), "accepted by WhatsApp", _ACCEPTED),
    "failed": Part(later("Failed"), "failed", _state("failed")),
    "skipped": Part(later("Skipped"), "skipped", _state("skipped")),
    "cancelled": Part(later("Cancelled"), "cancelled", _state("cancelled")),
    "waiting": Part(later("Waiting"), "waiting", _state("waiting")),
    "in_doubt": Part(later("In doubt"), "in doubt", _state("in_doubt")),
    "sent": Part(later("Sent"), "sent", Message.delivery_level >= 1),
    "delivered": Part(later("Delivered"), "delivered", Message.delivery_level >= 2),
    "read": Part(later("Read"), "read", Message.delivery_level >= 3),
    "replied": Part(later("Replied"), "replied", _REPLIED),
    "opted_out": Part(later("Opted out"), "opted out after it", _answered(_ANSWER.opted_out_at)),
    "unread": Part(later("Not read"), "accepted and not read", and_(_ACCEPTED, Message.delivery_level < 3)),
    "unreplied": Part(later("Not replied"), "accepted and not replied", and_(_ACCEPTED, not_(_REPLIED))),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Of whom it is about: of a part, of whom the ledger says one sentence, who get one wording; None for all."""

    part: str | None = None
    reason: str | None = None
    variant: int | None = None
    language: str | None = None
    """Whose wording is of this language; OTHERS for those who have none of their own."""


def made(broadcast_id: int, asked: Asked) -> Iterator[Condition]:
    """Conditions on messages."""
    yield Message.broadcast_id == broadcast_id
    if asked.part is not None:
        yield PARTS[asked.part].messages
    if asked.reason is not None:
        yield reasons.having(asked.reason)
    if asked.variant is not None:
        others = select(BroadcastWording.id).where(BroadcastWording.broadcast_id == broadcast_id)
        of_it = Message.wording_id.in_(others.where(BroadcastWording.variant == asked.variant))
        yield or_(of_it, Message.wording_id.is_(None)) if asked.variant == 0 else of_it
    if asked.language is not None:
        yield _reads(broadcast_id, asked.language)


def _reads(broadcast_id: int, language: str) -> Condition:
    wordings = select(BroadcastWording.id).where(BroadcastWording.broadcast_id == broadcast_id)
    if language != OTHERS:
        return Message.wording_id.in_(wordings.where(BroadcastWording.language == language))
    of_all = Message.wording_id.in_(wordings.where(BroadcastWording.language.is_(None)))
    return or_(of_all, Message.wording_id.is_(None))


def unmade(broadcast: Broadcast, asked: Asked) -> Iterator[Condition]:
    """Conditions on the audience, for those whose message is not made yet; nothing if they do not belong to it.

    In which language they read it is not settled before.
    """
    part = "cancelled" if broadcast.state == BroadcastState.CANCELLED else "waiting"
    if asked.part not in {None, part} or asked.reason is not None or asked.language is not None:
        return
    yield AudiencePerson.broadcast_id == broadcast.id
    if asked.variant is not None:
        yield to_come(broadcast) == asked.variant
