"""A thread as a page shows it: messages, who opened and closed it, and the days, oldest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from bot.dashboard import attachments, deliveries, kinds
from bot.dashboard.attachments import Attachment
from bot.dashboard.deliveries import Delivery
from bot.dashboard.kinds import Said
from bot.models.broadcast import Broadcast
from bot.models.conversation import Conversation, Episode
from bot.models.journey import Journey, Reminder
from bot.models.message import Message
from bot.models.team import ApiToken, Operator
from bot.models.words import AuthorKind, Direction

PAGE = 100

AUTHORS = {
    AuthorKind.STACK: "Stack",
    AuthorKind.COACH: "Coach",
    AuthorKind.REMINDER: "Reminder",
    AuthorKind.API: "API",
    AuthorKind.BROADCAST: "Broadcast",
    AuthorKind.AUTOMATION: "Automation",
    AuthorKind.APP: "WhatsApp app on the phone",
}


@dataclass(frozen=True, slots=True)
class Bubble:
    id: int
    at: datetime
    by_us: bool
    author_kind: str | None
    author: str | None
    """`Stack · welcome`, `Coach · Kim`; None for the person's own."""
    said: Said
    delivery: Delivery | None
    attachment: Attachment | None


@dataclass(frozen=True, slots=True)
class Turn:
    """The conversation was opened or closed."""

    key: str
    at: datetime
    words: str
    is_opening: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    entries: Sequence[Bubble | Turn]
    earlier: int | None
    """Id of the oldest message shown, if there are older ones."""
    newest_id: int
    is_answered: bool
    """A coach has written since the conversation was last opened."""


def load(session: Session, conversation: Conversation, before: int | None = None) -> Timeline:
    """The newest PAGE messages, or those before message `before`, and the turns that fall between them."""
    found = _messages(session, conversation, before)
    files = attachments.of_messages(session, [message.id for message, _ in found[:PAGE]])
    shown = [_bubble(message, author, files.get(message.id)) for message, author in reversed(found[:PAGE])]
    since = shown[0].at if shown and len(found) > PAGE else None
    until = _time_of(session, before) if before is not None else None
    turns = [
        turn
        for turn in _turns(session, conversation.id)
        if (since is None or turn.at >= since) and (until is None or turn.at < until)
    ]
    opened = max((turn.at for turn in turns if turn.is_opening), default=since)
    return Timeline(
        entries=sorted([*shown, *turns], key=_place),
        earlier=shown[0].id if len(found) > PAGE else None,
        newest_id=max((bubble.id for bubble in shown), default=0),
        is_answered=any(b.author_kind == AuthorKind.COACH and (opened is None or b.at >= opened) for b in shown),
    )


def _place(entry: Bubble | Turn) -> tuple[datetime, int, int]:
    """By time; a conversation is opened before, and closed after, what was said at that same instant."""
    if isinstance(entry, Bubble):
        return entry.at, 1, entry.id
    return entry.at, 0 if entry.is_opening else 2, 0


def _messages(session: Session, conversation: Conversation, before: int | None) -> Sequence[Row[Message, str]]:
    author = func.coalesce(Journey.name, Operator.name, Reminder.name, ApiToken.name, Broadcast.name)
    query = (
        select(Message, author.label("author"))
        .join(Journey, Journey.id == Message.journey_id, isouter=True)
        .join(Operator, Operator.id == Message.operator_id, isouter=True)
        .join(Reminder, Reminder.id == Message.reminder_id, isouter=True)
        .join(ApiToken, ApiToken.id == Message.token_id, isouter=True)
        .join(Broadcast, Broadcast.id == Message.broadcast_id, isouter=True)
        .where(Message.person_id == conversation.person_id, Message.number_id == conversation.number_id)
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        place = tuple_(Message.occurred_at, Message.id)
        query = query.where(place < tuple_(_time_of(session, before), before))
    return session.execute(query).all()


def _time_of(session: Session, message_id: int) -> datetime | None:
    return session.scalar(select(Message.occurred_at).where(Message.id == message_id))


def _bubble(message: Message, author: str | None, attachment: Attachment | None) -> Bubble:
    by_us = message.direction == Direction.OUT
    kind = AUTHORS[AuthorKind(message.author_kind)] if message.author_kind else None
    return Bubble(
        id=message.id,
        at=message.occurred_at,
        by_us=by_us,
        author_kind=message.author_kind,
        author=" · ".join(part for part in (kind, author) if part) or None,
        said=kinds.describe(message.kind, message.content, message.body, is_outbound=by_us),
        delivery=deliveries.of(message) if by_us else None,
        attachment=attachment,
    )


def _turns(session: Session, conversation_id: int) -> Iterator[Turn]:
    opener, closer = aliased(Operator), aliased(Operator)
    found = session.execute(
        select(Episode, opener.name, closer.name)
        .join(opener, opener.id == Episode.opened_by_operator_id, isouter=True)
        .join(closer, closer.id == Episode.closed_by_operator_id, isouter=True)
        .where(Episode.conversation_id == conversation_id)
        .order_by(Episode.id)
    ).all()
    for count, (episode, opened_by, closed_by) in enumerate(found):
        again = "Reopened" if count else "Opened"
        who = opened_by or "the person's message"
        yield Turn(f"opened-{episode.id}", episode.opened_at, f"{again} by {who}", is_opening=True)
        if episode.closed_at is not None:
            how = " without a reply" if episode.closed_without_reply else ""
            words = f"Closed{how} by {closed_by or 'nobody in particular'}"
            yield Turn(f"closed-{episode.id}", episode.closed_at, words, is_opening=False)
