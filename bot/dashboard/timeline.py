"""A thread as a page shows it: messages, notes, who opened and closed it, and the days, oldest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, exists, func, not_, select, tuple_
from sqlalchemy.orm import Session, aliased

from bot.conversations import notes
from bot.conversations.notes import Noted
from bot.dashboard.bubbles import Around, Bubble
from bot.language import _
from bot.models.broadcast import Broadcast
from bot.models.conversation import Conversation, Episode
from bot.models.journey import Journey, Reminder
from bot.models.message import Message
from bot.models.team import ApiToken, Operator
from bot.models.words import AuthorKind, MessageState

PAGE = 100

ANSWERING = frozenset({AuthorKind.COACH, AuthorKind.APP})
"""Whoever of them wrote, a human of ours has answered."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The conversation was opened or closed."""

    key: str
    at: datetime
    words: str
    is_opening: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    entries: Sequence[Bubble | Turn | Noted]
    earlier: int | None
    """Id of the oldest message shown, if there are older ones."""
    later: int | None
    """Id of the message after the newest one shown, if there are newer ones."""
    newest_id: int
    is_answered: bool
    """A coach, or somebody in the phone app, has written since the conversation was last opened."""


def load(session: Session, conversation: Conversation, before: int | None = None, at: int | None = None) -> Timeline:
    """The newest PAGE messages, or those before message `before` or around `at`, and what falls between them."""
    before = _after_half_a_page(session, conversation, at) if at is not None else before
    found = _messages(session, conversation, before)
    around = Around(session, [message for message, _ in found[:PAGE]])
    shown = [around.bubble(message, author) for message, author in reversed(found[:PAGE])]
    since = shown[0].at if shown and len(found) > PAGE else None
    until = _time_of(session, before) if before is not None else None
    turns = [
        turn
        for turn in _turns(session, conversation.id)
        if (since is None or turn.at >= since) and (until is None or turn.at < until)
    ]
    noted = [
        note
        for note in notes.of_conversation(session, conversation.id)
        if (since is None or note.at >= since) and (until is None or note.at < until)
    ]
    opened = max((turn.at for turn in turns if turn.is_opening), default=since)
    return Timeline(
        entries=sorted([*shown, *turns, *noted], key=_place),
        earlier=shown[0].id if len(found) > PAGE else None,
        newest_id=max((bubble.id for bubble in shown), default=0),
        later=before,
        is_answered=any(b.author_kind in ANSWERING and (opened is None or b.at >= opened) for b in shown),
    )


def _place(entry: Bubble | Turn | Noted) -> tuple[datetime, int, int]:
    """By time; a conversation is opened before, and closed after, what was said at that same instant."""
    if not isinstance(entry, Turn):
        return entry.at, 1, entry.id
    return entry.at, 0 if entry.is_opening else 2, 0


def _messages(session: Session, conversation: Conversation, before: int | None) -> Sequence[Row[Message, str]]:
    asked: dict[str, object] = {"person_id": conversation.person_id, "number_id": conversation.number_id}
    if before is None:
        return session.execute(_newest(), asked).all()
    asked |= {"at": _time_of(session, before), "id": before}
    return session.execute(_before(), asked).all()


@cache
def _newest() -> Select[Message, str]:
    """Made once, as making it takes longer than asking it."""
    author = func.coalesce(Journey.name, Operator.name, Reminder.name, ApiToken.name, Broadcast.name)
    failed = Message.state.in_([MessageState.FAILED, MessageState.SUPPRESSED])
    return (
        select(Message, author.label("author"))
        .join(Journey, Journey.id == Message.journey_id, isouter=True)
        .join(Operator, Operator.id == Message.operator_id, isouter=True)
        .join(Reminder, Reminder.id == Message.reminder_id, isouter=True)
        .join(ApiToken, ApiToken.id == Message.token_id, isouter=True)
        .join(Broadcast, Broadcast.id == Message.broadcast_id, isouter=True)
        .where(Message.person_id == bindparam("person_id"), Message.number_id == bindparam("number_id"))
        .where(not_(and_(Message.kind == "reaction", not_(failed), _shown_elsewhere())))
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(PAGE + 1)
    )


@cache
def _before() -> Select[Message, str]:
    there = tuple_(bindparam("at", type_=Message.occurred_at.type), bindparam("id", type_=Message.id.type))
    return _newest().where(tuple_(Message.occurred_at, Message.id) < there)


def _after_half_a_page(session: Session, conversation: Conversation, at: int) -> int | None:
    """The message that is half a page later than `at`; None if there are not so many."""
    place = tuple_(Message.occurred_at, Message.id)
    later = (
        select(Message.id)
        .where(Message.person_id == conversation.person_id, Message.number_id == conversation.number_id)
        .where(place > tuple_(_time_of(session, at), at))
        .order_by(Message.occurred_at, Message.id)
    )
    return session.scalar(later.offset(PAGE // 2).limit(1))


def _time_of(session: Session, message_id: int) -> datetime | None:
    return session.scalar(select(Message.occurred_at).where(Message.id == message_id))


def _shown_elsewhere() -> ColumnElement[bool]:
    """Whether what somebody reacted to is here: the reaction is shown at it, and not a second time by itself."""
    target = aliased(Message)
    return exists().where(
        target.number_id == Message.number_id,
        target.person_id == Message.person_id,
        target.provider_message_id == Message.reply_to_provider_message_id,
    )


def _turns(session: Session, conversation_id: int) -> Iterator[Turn]:
    found = session.execute(_episodes(), {"conversation_id": conversation_id}).all()
    for count, (episode, opened_by, closed_by) in enumerate(found):
        who = opened_by or _("the person's message")
        words = _("Reopened by %(who)s", who=who) if count else _("Opened by %(who)s", who=who)
        yield Turn(f"opened-{episode.id}", episode.opened_at, words, is_opening=True)
        if episode.closed_at is not None:
            yield Turn(f"closed-{episode.id}", episode.closed_at, _closed(episode, closed_by), is_opening=False)


@cache
def _episodes() -> Select[Episode, str, str]:
    opener, closer = aliased(Operator), aliased(Operator)
    return (
        select(Episode, opener.name, closer.name)
        .join(opener, opener.id == Episode.opened_by_operator_id, isouter=True)
        .join(closer, closer.id == Episode.closed_by_operator_id, isouter=True)
        .where(Episode.conversation_id == bindparam("conversation_id"))
        .order_by(Episode.id)
    )


def _closed(episode: Episode, closed_by: str | None) -> str:
    is_silent, who = episode.closed_without_reply, closed_by or _("nobody in particular")
    if episode.closed_by_rule:
        return _("Closed without a reply by itself") if is_silent else _("Closed by itself")
    return _("Closed without a reply by %(who)s", who=who) if is_silent else _("Closed by %(who)s", who=who)
