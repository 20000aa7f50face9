"""What coaches write for each other beside a thread; nothing of it ever reaches the person."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from bot.models.inbox import Note, NoteMention
from bot.models.team import Operator

LONGEST = 4000
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


def write(session: Session, conversation_id: int, operator_id: int, text: str, client_key: str) -> int:
    """Keep a note and tell those whom it names as `@Name`; its id, the same for a form sent twice."""
    words = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not _KEY.fullmatch(client_key):
        raise NoteError("The form was incomplete: reload the page and write it again.")
    if not words or len(words) > LONGEST:
        raise NoteError(f"A note has 1 to {LONGEST:,} characters; this one has {len(words):,}.")
    known = session.scalar(select(Note.id).where(Note.client_key == client_key))
    if known is not None:
        return known
    note = Note(conversation_id=conversation_id, operator_id=operator_id, text=words, client_key=client_key)
    session.add(note)
    session.flush()
    if named := _named(session, words, operator_id):
        session.execute(insert(NoteMention), [{"note_id": note.id, "operator_id": each} for each in named])
    return note.id


def of_conversation(session: Session, conversation_id: int) -> Sequence[Noted]:
    """Oldest first."""
    found = session.execute(
        select(Note, Operator.name)
        .join(Operator, Operator.id == Note.operator_id)
        .where(Note.conversation_id == conversation_id)
        .order_by(Note.id)
    ).all()
    mentioned = _mentioned(session, [note.id for note, _ in found])
    return [Noted(note.id, note.created_at, who, note.text, mentioned.get(note.id, ())) for note, who in found]


def see(session: Session, conversation_id: int, operator_id: int) -> None:
    """Whoever has the thread before them has seen the notes that name them."""
    mine = select(Note.id).where(Note.conversation_id == conversation_id)
    session.execute(
        update(NoteMention)
        .where(NoteMention.operator_id == operator_id, NoteMention.seen_at.is_(None), NoteMention.note_id.in_(mine))
        .values(seen_at=datetime.now(UTC))
    )


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


def _mentioned(session: Session, note_ids: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
    rows = session.execute(
        select(NoteMention.note_id, Operator.name)
        .join(Operator, Operator.id == NoteMention.operator_id)
        .where(NoteMention.note_id.in_(note_ids))
        .order_by(Operator.name)
    )
    found: dict[int, tuple[str, ...]] = {}
    for note_id, name in rows:
        found[note_id] = (*found.get(note_id, ()), name)
    return found
