"""From draft to finished: what may follow what, who did it, and what stands in the way."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, exists, func, or_, select, text
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast, Template
from bot.models.connection import Number
from bot.models.preference import Topic
from bot.models.segment import Segment, SegmentMember
from bot.models.words import BroadcastState, SegmentKind
from broadcasts import checks
from broadcasts.transitions import NOBODY, Actor, move

PAGE = 25


class BroadcastError(ValueError):
    """The broadcast cannot be made or changed; the text says why and what would be right."""


class AlreadyLaunchedError(BroadcastError):
    """Somebody else was quicker, or it was launched before; nothing was done this time."""


class WrongStateError(BroadcastError):
    """The change does not fit the state the broadcast is in."""


_FINISH = text("""
    WITH done AS (
        UPDATE broadcast b SET state = 'finished', finished_at = now(), reason = NULL
         WHERE b.state = 'running' AND NOT EXISTS (
            SELECT 1 FROM message m WHERE m.broadcast_id = b.id AND m.state IN ('queued', 'claimed', 'wire'))
        RETURNING b.id)
    INSERT INTO broadcast_transition (broadcast_id, from_state, to_state)
    SELECT id, 'running', 'finished' FROM done RETURNING broadcast_id
""")

# The owner of a message in doubt may find out late that it never left: that person is not forgotten.
_GO_ON = text("""
    WITH again AS (
        UPDATE broadcast b SET state = 'running', finished_at = NULL
         WHERE b.state = 'finished' AND b.finished_at > now() - interval '2 days' AND EXISTS (
            SELECT 1 FROM message m WHERE m.broadcast_id = b.id AND m.state = 'queued')
        RETURNING b.id)
    INSERT INTO broadcast_transition (broadcast_id, from_state, to_state, why)
    SELECT id, 'finished', 'running', 'A message in doubt turned out not to have been sent.' FROM again
    RETURNING broadcast_id
""")


# Somebody of the audience has no message yet, or, for a segment by rule, nobody has asked yet who they are.
_UNPREPARED = (
    select(Broadcast.id)
    .join(Segment, Segment.id == Broadcast.segment_id)
    .where(
        or_(
            exists().where(
                SegmentMember.segment_id == Broadcast.segment_id,
                SegmentMember.person_id > Broadcast.cursor,
                SegmentMember.added_at <= Broadcast.launched_at,
            ),
            exists().where(AudiencePerson.broadcast_id == Broadcast.id, AudiencePerson.person_id > Broadcast.cursor),
            and_(Segment.kind == SegmentKind.RULE, Broadcast.audience_frozen_at.is_(None)),
        )
    )
)


def create(  # noqa: PLR0913 (what a draft is made of)
    session: Session,
    *,
    environment: str,
    name: str,
    number_id: int,
    template_id: int,
    segment_id: int,
    slots: Mapping[str, str],
    topic_id: int | None = None,
) -> Broadcast:
    """A draft that could be launched as it stands; raises BroadcastError with every problem, one a line."""
    number, template, segment = (
        session.get(Number, number_id),
        session.get(Template, template_id),
        session.get(Segment, segment_id),
    )
    if number is None or template is None or segment is None:
        raise BroadcastError("The number, the template or the segment does not exist any more: choose anew.")
    name = " ".join(name.split())
    given = {slot: words.strip() for slot, words in slots.items() if words.strip()}
    found = checks.of_draft(environment, name, number, template, segment, given)
    if topic_id is not None:
        found += checks.of_topic(environment, session.get(Topic, topic_id))
    if found:
        raise BroadcastError("\n".join(found))
    broadcast = Broadcast(
        environment=environment,
        name=name,
        number_id=number.id,
        template_id=template.id,
        segment_id=segment.id,
        topic_id=topic_id,
        slots=given,
        state=BroadcastState.DRAFT,
    )
    session.add(broadcast)
    session.flush()
    return broadcast


def frozen(template: Template) -> dict[str, Any]:
    """The template as it stands now, the way bot.messages.templates reads it."""
    names = ("name", "language", "category", "parameter_format", "components")
    return {name: getattr(template, name) for name in names}


def launch(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """Freeze template and audience, and begin (ring "bulk" after the commit).

    Raises AlreadyLaunchedError unless this very call moved it from draft; BroadcastError if it cannot be sent as it is.
    """
    broadcast = get(session, broadcast_id)
    # Imports hold this row while they add people: from here on everybody was added before the launch or after it.
    session.execute(select(Segment.id).where(Segment.id == broadcast.segment_id).with_for_update())
    template = session.get_one(Template, broadcast.template_id, populate_existing=True)
    if broadcast.state == BroadcastState.DRAFT and (found := checks.of_launch(session, broadcast, template)):
        raise BroadcastError("\n".join(found))
    if not move(
        session,
        broadcast.id,
        [BroadcastState.DRAFT],
        BroadcastState.MATERIALISING,
        actor,
        why=why,
        frozen_template=frozen(template),
        launched_at=func.clock_timestamp(),
        launched_by_operator_id=actor.operator_id,
        launched_by_token_id=actor.token_id,
    ):
        session.refresh(broadcast)
        raise AlreadyLaunchedError(f"“{broadcast.name}” was launched already: it is {broadcast.state}.")


def pause(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """From the commit on nothing more goes on the wire; raises WrongStateError unless it is on its way."""
    _move_or_refuse(session, broadcast_id, _UNDER_WAY, BroadcastState.PAUSED, actor, why)


def resume(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """Go on where it stood (ring "bulk" and "send"); raises WrongStateError unless it is paused."""
    is_prepared = session.scalar(_UNPREPARED.where(Broadcast.id == broadcast_id)) is None
    to_state = BroadcastState.RUNNING if is_prepared else BroadcastState.MATERIALISING
    _move_or_refuse(session, broadcast_id, {BroadcastState.PAUSED}, to_state, actor, why)


def cancel(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """For good: whoever still waits is not written to (audience.cancel_waiting, or ring "bulk")."""
    states = {BroadcastState.DRAFT, BroadcastState.PAUSED, *_UNDER_WAY}
    _move_or_refuse(session, broadcast_id, states, BroadcastState.CANCELLED, actor, why)


def settle(session: Session) -> int:
    """Finish the broadcasts nobody waits in any more, and reopen those where somebody does; how many changed."""
    return len(session.execute(_FINISH).all()) + len(session.execute(_GO_ON).all())


def get(session: Session, broadcast_id: int) -> Broadcast:
    """As it stands in the database now; raises BroadcastError."""
    found = session.get(Broadcast, broadcast_id, populate_existing=True)
    if found is None:
        raise BroadcastError(f"There is no broadcast {broadcast_id}.")
    return found


def every(session: Session, environment: str | None = None, before: int | None = None) -> Sequence[Broadcast]:
    """A page of them, newest first, with ids below `before`."""
    found = select(Broadcast).order_by(Broadcast.id.desc()).limit(PAGE)
    if before is not None:
        found = found.where(Broadcast.id < before)
    if environment is not None:
        found = found.where(Broadcast.environment == environment)
    return session.scalars(found).all()


_UNDER_WAY = frozenset({BroadcastState.MATERIALISING, BroadcastState.RUNNING})


def _move_or_refuse(
    session: Session,
    broadcast_id: int,
    from_states: frozenset[BroadcastState] | set[BroadcastState],
    to_state: BroadcastState,
    actor: Actor = NOBODY,
    why: str | None = None,
) -> None:
    broadcast = get(session, broadcast_id)
    if not move(session, broadcast_id, from_states, to_state, actor, why=why):
        session.refresh(broadcast)
        fitting = " or ".join(sorted(from_states))
        raise WrongStateError(
            f"“{broadcast.name}” is {broadcast.state}: only one that is {fitting} can become {to_state}."
        )
