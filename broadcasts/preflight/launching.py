"""Launching: once, through the gate, and where the policy asks for it with a second operator's yes."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.language import _, translated
from bot.messages import policy
from bot.models.broadcast import Broadcast, BroadcastSegment, Template
from bot.models.segment import Segment
from bot.models.team import Operator
from bot.models.words import BroadcastState
from bot.team import rights
from bot.team.rights import Permission
from broadcasts.audience import wordings
from broadcasts.broadcasts import AlreadyLaunchedError, BroadcastError, WrongStateError, get
from broadcasts.preflight import gate, version
from broadcasts.templates.templates import frozen
from broadcasts.transitions import Actor, move


class ApprovalError(BroadcastError):
    """Whoever approves may not: the text says who may."""


def launch(
    session: Session,
    broadcast_id: int,
    actor: Actor,
    why: str | None = None,
    *,
    confirmed: int | None = None,
    seen: str | None = None,
) -> BroadcastState:
    """Freeze template and audience, and begin (ring "bulk" after the commit); the state it has now.

    That is `approval` where a second operator has to agree, `scheduled` where its time is to come. `confirmed` is the
    size of the audience as whoever launches typed it, `seen` the version of the preflight they saw. Raises
    AlreadyLaunchedError unless this very call moved it from draft, version.SeenError, gate.CountError, or
    BroadcastError with everything that stands in the way.
    """
    broadcast = _hold(session, broadcast_id)
    if broadcast.state != BroadcastState.DRAFT:
        raise AlreadyLaunchedError(_late(broadcast))
    version.demand(session, broadcast, seen)
    rules = policy.of(session, broadcast.environment)
    people = _pass(session, broadcast, rules, confirmed)
    if rules.approve_above is not None and people > rules.approve_above:
        asked = {"asked_by_operator_id": actor.operator_id, "launched_by_token_id": actor.token_id}
        said = why or f"{people:,} people: above {rules.approve_above:,} a second operator approves."
        move(
            session,
            broadcast.id,
            [BroadcastState.DRAFT],
            BroadcastState.APPROVAL,
            actor,
            why=said,
            confirmed_people=people,
            **asked,
        )
        return BroadcastState.APPROVAL
    launched = {"launched_by_operator_id": actor.operator_id, "launched_by_token_id": actor.token_id}
    return _begin(session, broadcast, actor, why, confirmed_people=confirmed, **launched)


def approve(
    session: Session, broadcast_id: int, actor: Actor, why: str | None = None, *, seen: str | None = None
) -> BroadcastState:
    """Launch what somebody else asked for; the state it has then (ring "bulk" after the commit).

    Raises ApprovalError, WrongStateError unless it waits for approval, gate.CountError if the audience has another
    size than the one that was asked for, and BroadcastError like `launch`.
    """
    broadcast = _hold(session, broadcast_id)
    _refuse_unless_waiting(broadcast)
    _refuse_unless_second(session, broadcast, actor)
    version.demand(session, broadcast, seen)
    _pass(session, broadcast, policy.of(session, broadcast.environment), broadcast.confirmed_people)
    return _begin(
        session,
        broadcast,
        actor,
        why or "Approved.",
        approved_by_operator_id=actor.operator_id,
        launched_by_operator_id=broadcast.asked_by_operator_id,
    )


def decline(session: Session, broadcast_id: int, actor: Actor, why: str) -> None:
    """A draft again, with the reason in its timeline; whoever asked may take it back this way too."""
    broadcast = _hold(session, broadcast_id)
    _refuse_unless_waiting(broadcast)
    if not why.strip():
        raise BroadcastError(_("Say why, so that whoever asked knows what to change."))
    undone = {"confirmed_people": None, "asked_by_operator_id": None, "launched_by_token_id": None}
    move(session, broadcast.id, [BroadcastState.APPROVAL], BroadcastState.DRAFT, actor, why=why.strip(), **undone)


def _hold(session: Session, broadcast_id: int) -> Broadcast:
    """Its segments, then itself: nobody is added, and nobody else launches, until the commit."""
    broadcast = get(session, broadcast_id)
    # Imports hold these rows while they add people: from here on everybody was added before the launch or after it.
    mine = select(BroadcastSegment.segment_id).where(BroadcastSegment.broadcast_id == broadcast.id)
    session.execute(select(Segment.id).where(Segment.id.in_(mine)).order_by(Segment.id).with_for_update())
    session.refresh(broadcast, with_for_update=True)
    return broadcast


def _pass(session: Session, broadcast: Broadcast, rules: policy.Policy, confirmed: int | None) -> int:
    """Everybody who launches comes by here; how many people it goes to."""
    template = session.get_one(Template, broadcast.template_id, populate_existing=True)
    if found := gate.blocks(session, broadcast, template):
        raise BroadcastError("\n".join(found))
    people, gaps = gate.look(session, broadcast)
    if gaps:
        raise BroadcastError("\n".join(gaps))
    gate.check_count(broadcast, people, rules, confirmed)
    return people


def _begin(
    session: Session,
    broadcast: Broadcast,
    actor: Actor,
    why: str | None,
    **values: Any,  # noqa: ANN401 (columns)
) -> BroadcastState:
    wordings.freeze(session, broadcast)
    is_later = broadcast.scheduled_at is not None and broadcast.scheduled_at > datetime.now(UTC)
    to_state = BroadcastState.SCHEDULED if is_later else BroadcastState.MATERIALISING
    values |= {"frozen_template": frozen(session.get_one(Template, broadcast.template_id))}
    if not is_later:
        values |= {"launched_at": func.clock_timestamp()}
    move(session, broadcast.id, [BroadcastState(broadcast.state)], to_state, actor, why=why, **values)
    return to_state


def _late(broadcast: Broadcast) -> str:
    if broadcast.state == BroadcastState.APPROVAL:
        return _(
            "“%(name)s” waits for a second operator already: somebody else was asked to approve it.",
            name=broadcast.name,
        )
    return _(
        "“%(name)s” was launched already: it is %(state)s.", name=broadcast.name, state=translated(broadcast.state)
    )


def _refuse_unless_waiting(broadcast: Broadcast) -> None:
    if broadcast.state != BroadcastState.APPROVAL:
        raise WrongStateError(
            _(
                "“%(name)s” is %(state)s: it does not wait for anybody's approval.",
                name=broadcast.name,
                state=translated(broadcast.state),
            )
        )


def _refuse_unless_second(session: Session, broadcast: Broadcast, actor: Actor) -> None:
    operator = session.get(Operator, actor.operator_id) if actor.operator_id is not None else None
    if operator is None:
        raise ApprovalError(_("Only an operator can approve it, signed in: on its page under Broadcasts."))
    if operator.id == broadcast.asked_by_operator_id:
        raise ApprovalError(_("You asked for it: somebody else has to approve it."))
    if not operator.active or Permission.BROADCASTS_LAUNCH not in rights.of(operator):
        raise ApprovalError(_("Only somebody who may launch broadcasts can approve it."))
