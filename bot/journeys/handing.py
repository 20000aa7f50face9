"""A coach hands a conversation back to the stack: a journey begins in it there and then, and nobody looks after it."""

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from bot import live
from bot.conversations import coach
from bot.conversations.coach import ReplyError
from bot.conversations.threads import SILENT_KINDS
from bot.journeys import runs, saying
from bot.journeys.saying import Line
from bot.journeys.turns import turn_from
from bot.language import _
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.inbox import Assignment
from bot.models.journey import Journey
from bot.models.message import Message
from bot.models.words import Direction


def hand_back(session: Session, conversation_id: int, journey_id: int, by_operator_id: int) -> None:
    """Ring "send" after the commit; raises ReplyError. No rule gives it to a coach until it is opened again."""
    conversation = coach.hold(session, conversation_id)
    coach.demand_writable(conversation)
    journey = session.get(Journey, journey_id)
    if journey is None or journey.environment != conversation.environment or not journey.active:
        raise ReplyError(_("There is no such journey any more: choose another one."))
    heard = _last_heard(session, conversation)
    if heard is None or _has_spoken(session, conversation, journey_id, heard):
        raise ReplyError(
            _("%(journey)s has spoken since they last wrote: wait for their answer.", journey=journey.name)
        )
    _begin(session, conversation, journey, heard)
    session.add(
        Assignment(
            conversation_id=conversation.id,
            from_operator_id=conversation.assigned_to_id,
            by_operator_id=by_operator_id,
            remark=journey.name,
        )
    )
    conversation.assigned_to_id = conversation.assigned_at = conversation.waiting_since = None
    conversation.unread_count = 0
    live.tell(session, live.inbox(conversation.environment))
    live.tell(session, live.thread(conversation.id))


def _begin(session: Session, conversation: Conversation, journey: Journey, heard: int) -> None:
    number, person_id = session.get_one(Number, conversation.number_id), conversation.person_id
    steps = journey.spec["steps"]
    turn = turn_from(journey.spec, 0)  # type: ignore[arg-type]  # as `backchat journey load` checked it
    begun = runs.begin(session, number, [(person_id, journey.id, turn)])
    lines = [Line(begun[person_id], journey.id, person_id, heard, index, steps[index]) for index in turn.steps]
    if not saying.say(session, number, lines):
        raise ReplyError(
            _("%(journey)s has nothing to say to this person: a value it needs is blank.", journey=journey.name)
        )


def _last_heard(session: Session, conversation: Conversation) -> int | None:
    return session.scalar(
        select(func.max(Message.id)).where(
            Message.person_id == conversation.person_id,
            Message.number_id == conversation.number_id,
            Message.direction == Direction.IN,
            Message.kind.not_in(SILENT_KINDS),
        )
    )


def _has_spoken(session: Session, conversation: Conversation, journey_id: int, heard: int) -> bool:
    """So that a form sent twice begins it once."""
    said = exists().where(
        Message.person_id == conversation.person_id,
        Message.number_id == conversation.number_id,
        Message.journey_id == journey_id,
        Message.id > heard,
    )
    return bool(session.scalar(select(said)))
