"""Replies that wait until the person answers the template that asked them back; each goes out by itself, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import bindparam, exists, select, text
from sqlalchemy.orm import Session

from bot.conversations import coach
from bot.language import later
from bot.messages.compose import Author, Draft, compose, text_content
from bot.models.connection import Number
from bot.models.conversation import Episode
from bot.models.inbox import HeldReply
from bot.models.team import Operator
from bot.models.words import AuthorKind

BY_COACH = later("a coach took it back")
REPLACED = later("another was written instead")
CLOSED = later("the conversation was closed")
STOPPED = later("the person asked not to be written to")


@dataclass(frozen=True, slots=True)
class Heard:
    """Something a person said just now."""

    person_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Waiting:
    id: int
    text: str
    author: str
    since: datetime


# However a conversation was closed, what waited in it is over: the episode tells, and no way of closing need know.
_END_CLOSED = text("""
    UPDATE held_reply h SET cancelled_at = clock_timestamp(), cancelled_because = :closed
      FROM conversation c
     WHERE c.number_id = :number_id AND c.person_id = ANY(CAST(:people AS bigint[])) AND h.conversation_id = c.id
       AND h.released_at IS NULL AND h.cancelled_at IS NULL
       AND EXISTS (SELECT FROM episode e WHERE e.conversation_id = c.id AND e.closed_at > h.created_at)
""").bindparams(closed=CLOSED)

_END_STOPPED = text("""
    UPDATE held_reply h SET cancelled_at = clock_timestamp(), cancelled_because = :stopped
      FROM conversation c JOIN person p ON p.id = c.person_id AND p.marketing_opted_out_at IS NOT NULL
     WHERE c.number_id = :number_id AND c.person_id = ANY(CAST(:people AS bigint[])) AND h.conversation_id = c.id
       AND h.released_at IS NULL AND h.cancelled_at IS NULL
""").bindparams(stopped=STOPPED)

# An answer that came so late that it opens no window releases nothing: WhatsApp would refuse the text.
_DUE = text("""
    SELECT h.id, h.operator_id, h.text, c.person_id, min(t.message_id) AS cause
      FROM unnest(CAST(:people AS bigint[]), CAST(:messages AS bigint[])) AS t(person_id, message_id)
      JOIN conversation c ON c.person_id = t.person_id AND c.number_id = :number_id
      JOIN held_reply h ON h.conversation_id = c.id AND h.released_at IS NULL AND h.cancelled_at IS NULL
     WHERE t.message_id > h.template_message_id AND c.last_inbound_at > now() - interval '24 hours'
     GROUP BY h.id, c.person_id ORDER BY h.id
""")

_UNDECIDED = (
    HeldReply.released_at.is_(None),
    HeldReply.cancelled_at.is_(None),
    ~exists().where(Episode.conversation_id == HeldReply.conversation_id, Episode.closed_at > HeldReply.created_at),
)

_WAITING = (
    select(HeldReply.id, HeldReply.text, Operator.name, HeldReply.created_at)
    .join(Operator, Operator.id == HeldReply.operator_id)
    .where(HeldReply.conversation_id == bindparam("conversation_id"), *_UNDECIDED)
)

_RELEASED = text("""
    UPDATE held_reply h SET released_at = clock_timestamp(), message_id = t.message_id
      FROM unnest(CAST(:ids AS bigint[]), CAST(:messages AS bigint[])) AS t(id, message_id) WHERE h.id = t.id
""")


def hold(session: Session, conversation_id: int, operator_id: int, template_message_id: int, words: str) -> int:
    """Have a text wait for the answer to a template that is just being sent; another that waited gives way to it.

    The same template again is the same form sent twice. Raises coach.ReplyError.
    """
    said = coach.clean(words)
    coach.hold(session, conversation_id)
    known = session.scalar(select(HeldReply.id).where(HeldReply.template_message_id == template_message_id))
    if known is not None:
        return known
    cancel(session, conversation_id, REPLACED)
    held = HeldReply(
        conversation_id=conversation_id,
        operator_id=operator_id,
        template_message_id=template_message_id,
        text=said,
    )
    session.add(held)
    session.flush()
    return held.id


def cancel(session: Session, conversation_id: int, because: str = BY_COACH) -> bool:
    """Whether one was waiting still: what has gone out cannot be taken back."""
    coach.hold(session, conversation_id)
    undecided = select(HeldReply).where(
        HeldReply.conversation_id == conversation_id, HeldReply.released_at.is_(None), HeldReply.cancelled_at.is_(None)
    )
    found = session.scalar(undecided)
    if found is None:
        return False
    found.cancelled_at, found.cancelled_because = datetime.now(UTC), because
    session.flush()
    return True


def waiting(session: Session, conversation_id: int) -> Waiting | None:
    found = session.execute(_WAITING, {"conversation_id": conversation_id}).one_or_none()
    return None if found is None else Waiting(*found)


def release(session: Session, number: Number, heard: Sequence[Heard], stopped: Sequence[int] = ()) -> int:
    """Send what waited for those who have written just now; how many. `stopped` are those who wrote a stop word.

    In the transaction that keeps what they said, whose threads it has locked: applied once, released once.
    """
    if not heard:
        return 0
    given = {"people": [each.person_id for each in heard], "messages": [each.message_id for each in heard]}
    session.execute(_END_CLOSED, {"number_id": number.id, "people": given["people"]})
    if stopped:
        session.execute(_END_STOPPED, {"number_id": number.id, "people": list(stopped)})
    due = session.execute(_DUE, {"number_id": number.id, **given}).all()
    if not due:
        return 0
    drafts = [
        Draft(row.person_id, "text", text_content(row.text), row.text, f"c:held:{row.id}", cause_message_id=row.cause)
        for row in due
    ]
    sent = compose(session, number, [Author(AuthorKind.COACH, row.operator_id) for row in due], drafts)
    session.execute(_RELEASED, {"ids": [row.id for row in due], "messages": sent})
    return len(sent)
