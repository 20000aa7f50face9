"""What coaches write for each other beside a thread; nothing of it ever reaches the person."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, bindparam, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from bot import live
from bot.language import _, figure
from bot.models.conversation import Conversation
from bot.models.inbox import Note, NoteMention
from bot.models.team import Operator

LONGEST = 4000
PAGE = 50
_Row = Row[int, int, datetime | None, str]
_WRITTEN = (
    select(Note, Operator.name)
    .join(Operator, Operator.id == Note.operator_id)
    .where(Note.conversation_id == bindparam("conversation_id"))
    .order_by(Note.id)
)
_UNSEEN = text("""
    SELECT count(*) FROM note_mention m JOIN note n ON n.id = m.note_id JOIN conversation c ON c.id = n.conversation_id
     WHERE m.operator_id = :operator_id AND m.seen_at IS NULL AND c.environment = :environment
""")
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


class NoteError(ValueError):
    """The note cannot be kept; the text says what would do."""


@dataclass(frozen=True, slots=True)
class Noted:
    id: int
    at: datetime
    author: str
    text: str
    mentions: tuple[str, ...]
    unseen: tuple[int, ...]
    """Of those it mentions, whoever has not seen it yet."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A note in which somebody was called by name."""

    note_id: int
    conversation_id: int
    person_id: int
    at: datetime
    author: str
    whom: str
    """Names, in one line."""
    text: str
    is_seen: bool
    """By everybody of them who is asked about."""


def write(session: Session, conversation_id: int, operator_id: int, text: str, client_key: str) -> int:
    """Keep a note and tell those whom it names as `@Name`; its id, the same for a form sent twice."""
    words = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not _KEY.fullmatch(client_key):
        raise NoteError(_("The form was incomplete: reload the page and write it again."))
    if not words or len(words) > LONGEST:
        raise NoteError(
            _(
                "A note has 1 to %(longest)s characters; this one has %(length)s.",
                longest=figure(LONGEST),
                length=figure(len(words)),
            )
        )
    known = session.scalar(select(Note.id).where(Note.client_key == client_key))
    if known is not None:
        return known
    note = Note(conversation_id=conversation_id, operator_id=operator_id, text=words, client_key=client_key)
    session.add(note)
    session.flush()
    if named := _named(session, words, operator_id):
        session.execute(insert(NoteMention), [{"note_id": note.id, "operator_id": each} for each in named])
        for each in named:
            live.tell(session, mentions_of(each))
    return note.id


def of_conversation(session: Session, conversation_id: int) -> Sequence[Noted]:
    """Oldest first."""
    found = session.execute(_WRITTEN, {"conversation_id": conversation_id}).all()
    if not found:
        return []
    mentioned = _mentioned(session, [note.id for note, _ in found])
    return [
        Noted(
            note.id,
            note.created_at,
            who,
            note.text,
            mentions=tuple(row.name for row in mentioned[note.id]),
            unseen=tuple(row.operator_id for row in mentioned[note.id] if row.seen_at is None),
        )
        for note, who in found
    ]


def see(session: Session, conversation_id: int, operator_id: int) -> None:
    """Whoever has the thread before them has seen the notes that name them."""
    mine = select(Note.id).where(Note.conversation_id == conversation_id)
    seen = session.scalars(
        update(NoteMention)
        .where(NoteMention.operator_id == operator_id, NoteMention.seen_at.is_(None), NoteMention.note_id.in_(mine))
        .values(seen_at=datetime.now(UTC))
        .returning(NoteMention.note_id)
    ).all()
    if seen:
        live.tell(session, mentions_of(operator_id))
        live.tell(session, live.thread(conversation_id))


def mentions_of(operator_id: int) -> str:
    """The topic of what somebody is mentioned in."""
    return f"mentions:{operator_id}"


def unseen(session: Session, environment: str, operator_id: int) -> int:
    """How often somebody was mentioned without having looked yet."""
    return session.scalar(_UNSEEN, {"operator_id": operator_id, "environment": environment}) or 0


def mentions(
    session: Session, environment: str, operator_id: int | None = None, before: int | None = None
) -> tuple[Sequence[Mention], int | None]:
    """The newest PAGE of somebody, or of everybody, older than note `before`; and the note the next page is before."""
    author, whom = aliased(Operator), aliased(Operator)
    names = func.string_agg(whom.name, aggregate_order_by(literal(", "), whom.name))
    query = (
        select(Note, Conversation.person_id, author.name, names, func.bool_and(NoteMention.seen_at.is_not(None)))
        .join(NoteMention, NoteMention.note_id == Note.id)
        .join(Conversation, Conversation.id == Note.conversation_id)
        .join(author, author.id == Note.operator_id)
        .join(whom, whom.id == NoteMention.operator_id)
        .where(Conversation.environment == environment)
        .group_by(Note.id, Conversation.person_id, author.name)
        .order_by(Note.id.desc())
    )
    if operator_id is not None:
        query = query.where(NoteMention.operator_id == operator_id)
    if before is not None:
        query = query.where(Note.id < before)
    rows = session.execute(query.limit(PAGE + 1)).all()
    found = [
        Mention(note.id, note.conversation_id, person_id, note.created_at, by, to, note.text, is_seen)
        for note, person_id, by, to, is_seen in rows[:PAGE]
    ]
    return found, found[-1].note_id if len(rows) > PAGE else None


def colleagues(session: Session) -> Sequence[str]:
    """Names that can be mentioned."""
    return session.scalars(select(Operator.name).where(Operator.active).order_by(Operator.name)).all()


def _named(session: Session, text: str, author_id: int) -> list[int]:
    """Longest names first, so that `@Kim Lee` is not Kim; a name counts where it ends as a word does."""
    team = session.execute(select(Operator.id, Operator.name).where(Operator.active, Operator.id != author_id)).all()
    left, found = text.casefold(), []
    for id_, name in sorted(team, key=lambda row: -len(row.name)):
        called = f"@{name.casefold()}"
        place = left.find(called)
        if place >= 0 and not left[place + len(called) : place + len(called) + 1].isalnum():
            found.append(id_)
            left = left.replace(called, " ")
    return found


def _mentioned(session: Session, note_ids: Sequence[int]) -> Mapping[int, Sequence[_Row]]:
    rows = session.execute(
        select(NoteMention.note_id, NoteMention.operator_id, NoteMention.seen_at, Operator.name)
        .join(Operator, Operator.id == NoteMention.operator_id)
        .where(NoteMention.note_id.in_(note_ids))
        .order_by(Operator.name)
    )
    found = defaultdict[int, list[_Row]](list)
    for row in rows:
        found[row.note_id].append(row)
    return found
