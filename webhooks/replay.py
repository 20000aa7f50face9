"""Out of the quarantine: applied after all, once its cause is gone, or put aside; pressed twice is once done."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, select, update
from sqlalchemy.orm import Session

from bot.language import _
from bot.models.team import Operator
from bot.models.webhook import Quarantine, WebhookEvent
from bot.models.words import EventState
from bot.runtime import Runtime
from webhooks import contents, log
from webhooks.quarantine import IS_OPEN


class QuarantineError(ValueError):
    """It cannot be replayed or put aside; the text says why and what is left to do."""


@dataclass(frozen=True, slots=True)
class Replayed:
    is_applied: bool
    queues: frozenset[str]
    """To ring after the commit."""
    told: str
    """What became of it, in a sentence."""


@dataclass(slots=True)
class Many:
    applied: int = 0
    refused: int = 0
    left: int = 0
    """Not tried for want of time: ask again."""


def replay(session: Session, quarantine_id: int, operator_id: int | None) -> Replayed:
    """Apply the item from its stored body. Refused again it stays, with the new reason. Raises QuarantineError."""
    item = _get(session, quarantine_id)
    # The event before the item, so that of two items of one event the second sees that it is the last.
    session.execute(select(WebhookEvent.id).where(WebhookEvent.id == item.webhook_event_id).with_for_update())
    item = _get(session, quarantine_id, is_locked=True)
    if settled := _settled(session, item):
        return Replayed(is_applied=False, queues=frozenset(), told=settled)
    event = log.one(session, item.webhook_event_id)
    if event is None:
        raise QuarantineError(
            _(
                "Its raw body is gone: bodies are kept for BACKCHAT_RETENTION_DAYS. Nothing is left to "
                "apply: put it aside."
            )
        )
    queues, reason = _apply(session, event, item)
    if reason is not None:
        item.reason = reason
        return Replayed(is_applied=False, queues=queues, told=_("Refused again: %(reason)s.", reason=reason))
    _settle(session, [item], {"replayed_at": func.now(), "replayed_by_operator_id": operator_id})
    return Replayed(is_applied=True, queues=queues, told=_("Applied."))


def replay_like(rt: Runtime, quarantine_id: int, operator_id: int | None, *, for_s: float) -> Many:
    """Replay the open items of the same connection and reason, each in a transaction of its own, in their order."""
    deadline = time.monotonic() + for_s
    many, queues = Many(), set[str]()
    with rt.transaction() as session:
        ids = _like(session, quarantine_id)
    for place, id_ in enumerate(ids):
        if time.monotonic() > deadline:
            many.left = len(ids) - place
            break
        with rt.transaction() as session:
            told = replay(session, id_, operator_id)
        queues |= told.queues
        many.applied += told.is_applied
        many.refused += not told.is_applied
    for name in sorted(queues):
        rt.ring(name)
    return many


def dismiss(session: Session, quarantine_id: int, operator_id: int | None) -> str:
    """Say that nothing is to be done about it; what became of it, in a sentence. Raises QuarantineError."""
    item = _get(session, quarantine_id, is_locked=True)
    if settled := _settled(session, item):
        return settled
    _settle(session, [item], {"dismissed_at": func.now(), "dismissed_by_operator_id": operator_id})
    return _("Put aside.")


def dismiss_like(session: Session, quarantine_id: int, operator_id: int | None) -> int:
    """Put aside all open items of the same connection and reason; how many."""
    held = select(Quarantine).where(Quarantine.id.in_(_like(session, quarantine_id)), IS_OPEN)
    items = session.scalars(held.order_by(Quarantine.id).with_for_update()).all()
    _settle(session, items, {"dismissed_at": func.now(), "dismissed_by_operator_id": operator_id})
    return len(items)


def _apply(session: Session, event: Row[Any], item: Quarantine) -> tuple[frozenset[str], str | None]:
    """Queues to ring, and why the item itself is refused again; refusals further down have rows of their own."""
    found = [one for one in contents.items(event) if f"{one.event.pointer}/".startswith(f"{item.pointer}/")]
    if not found:
        return frozenset(), f"nothing stands at {item.pointer or 'any place'} of the body, as this version reads it"
    edge = session.scalar(select(func.max(Quarantine.id))) or 0
    queues = frozenset[str]().union(*(contents.apply_one(session, one).queues for one in found))
    again = and_(
        Quarantine.id > edge,
        Quarantine.webhook_event_id == item.webhook_event_id,
        Quarantine.pointer == item.pointer,
    )
    reasons = session.scalars(delete(Quarantine).where(again).returning(Quarantine.reason)).all()
    return queues, reasons[0] if reasons else None


def _settle(session: Session, items: Sequence[Quarantine], values: dict[str, Any]) -> None:
    """Once nothing of an event is open any more, the event is done."""
    session.execute(update(Quarantine).where(Quarantine.id.in_([item.id for item in items])).values(values))
    open_ = select(Quarantine.id).where(Quarantine.webhook_event_id == WebhookEvent.id, IS_OPEN)
    events = {item.webhook_event_id for item in items}
    session.execute(
        update(WebhookEvent)
        .where(WebhookEvent.id.in_(events), WebhookEvent.state == EventState.QUARANTINED, ~open_.exists())
        .values(state=EventState.DONE)
    )


def _settled(session: Session, item: Quarantine) -> str | None:
    """Who was quicker, if somebody was."""
    for what, at, operator_id in (
        (_("applied"), item.replayed_at, item.replayed_by_operator_id),
        (_("put aside"), item.dismissed_at, item.dismissed_by_operator_id),
    ):
        if at is not None:
            found = session.get(Operator, operator_id) if operator_id is not None else None
            who = _("%(name)s did it", name=found.name) if found is not None else _("it was done from the command line")
            return _("It is already %(what)s: %(who)s, %(shown)s.", what=what, who=who, shown=_shown(at))
    return None


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _get(session: Session, quarantine_id: int, *, is_locked: bool = False) -> Quarantine:
    query = select(Quarantine).where(Quarantine.id == quarantine_id)
    if is_locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise QuarantineError(_("There is nothing %(quarantine_id)s in the quarantine.", quarantine_id=quarantine_id))
    return found


def _like(session: Session, quarantine_id: int) -> Sequence[int]:
    """Ids of the open items of the same connection and reason, in the order they came in."""
    one = _get(session, quarantine_id)
    same: list[ColumnElement[bool]] = [Quarantine.connection_id == one.connection_id, Quarantine.reason == one.reason]
    return session.scalars(select(Quarantine.id).where(*same, IS_OPEN).order_by(Quarantine.id)).all()
