"""Search in what was said, and for who said it: words in any language, names and phone numbers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, cast, func, select, true
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.orm import Session

from bot.conversations import commonness
from bot.conversations.commonness import Word
from bot.models.conversation import Conversation
from bot.models.message import Message
from bot.models.words import Direction
from bot.people import finding, terms
from bot.people.finding import REFUSALS, Finder

PAGE = 50
PEOPLE = 10
LONGEST = 200
WALKED = 50_000
"""A common word fills its page from the newest messages, of which so many are looked at; a rare one from the index."""

_SIMPLE = cast("simple", REGCONFIG)
_LISTED = func.to_tsvector(_SIMPLE, Message.body)
"""As ix_message_words spells it."""
_UNLISTED = func.to_tsvector(_SIMPLE, func.coalesce(Message.body, ""))
"""The same, which the index does not know: the planner would list a million for what is seen by looking at ten."""
_WORD = re.compile(r"\w+")
_BEFORE, _SHOWN = 60, 240
"""Characters of a text: so many before what was found first, so many in all."""


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    is_found: bool


@dataclass(frozen=True, slots=True)
class Hit:
    message_id: int
    conversation_id: int
    person_id: int
    at: datetime
    by_us: bool
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Found:
    conversations: Sequence[int]
    """Of people who are called so or have that number."""
    hits: Sequence[Hit]
    """Newest first."""
    has_more: bool


def search(session: Session, environment: str, typed: str, conversation: Conversation | None = None) -> Found:
    """Each word, or how it begins, must be there; nothing of a broadcast's text is looked through."""
    typed = " ".join(typed.replace("\x00", "").split())[:LONGEST]
    if not typed:
        return Found((), (), has_more=False)
    hits = _said(session, environment, typed, conversation)
    people = () if conversation else _people(session, environment, typed)
    return Found(people, hits[:PAGE], has_more=len(hits) > PAGE)


def _people(session: Session, environment: str, typed: str) -> Sequence[int]:
    try:
        ids = Finder(session, finding.Asked(environment, text=typed)).page(limit=PEOPLE).ids
    except REFUSALS:  # what cannot be anybody's name or number may still have been said
        return ()
    if not ids:
        return ()
    threads = select(Conversation.id).where(Conversation.person_id.in_(ids), Conversation.environment == environment)
    return session.scalars(threads.order_by(Conversation.last_message_at.desc()).limit(PEOPLE)).all()


def _said(session: Session, environment: str, typed: str, conversation: Conversation | None) -> Sequence[Hit]:
    words = commonness.of(session, typed.split(" "))
    if not words:
        return ()
    query = _messages(environment)
    if conversation is not None:
        theirs = and_(Message.person_id == conversation.person_id, Message.number_id == conversation.number_id)
        return _hits(session, _newest(query.where(theirs, _have(_UNLISTED, words))), typed)
    rare = [word for word in words if word.is_rare(PAGE)]
    if not rare:
        found = _hits(session, _walk(query, words), typed)
        if len(found) > PAGE:
            return sorted(found, key=lambda hit: (hit.at, hit.message_id), reverse=True)
    # The index lists what has the rare words; that it has the others too is seen sooner than it is listed.
    listed, others = rare or words, [word for word in words if rare and word not in rare]
    query = query.where(_have(_LISTED, listed), *([_have(_UNLISTED, others)] if others else []))
    return _hits(session, _newest(query), typed)


def _walk(query: Select[Message, int], words: Sequence[Word]) -> Select[Message, int]:
    """Backwards from the newest message until the page is full, and no further than the index would have to list."""
    far = min(WALKED, *(int(word.share * word.messages) for word in words))
    # Only what holds each word somewhere is worth being taken apart, which takes twenty times as long.
    somewhere = [func.strpos(func.lower(Message.body), lexeme) > 0 for word in words for lexeme in word.lexemes]
    late = query.where(Message.id > words[0].newest - far, *somewhere, _have(_UNLISTED, words))
    return late.order_by(Message.id.desc()).limit(PAGE + 1)


def _newest(query: Select[Message, int]) -> Select[Message, int]:
    return query.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(PAGE + 1)


def _messages(environment: str) -> Select[Message, int]:
    """Their threads are looked up one by one: taken for many, all threads there are would be read to join them."""
    theirs = and_(Conversation.person_id == Message.person_id, Conversation.number_id == Message.number_id)
    thread = select(Conversation.id).where(theirs).limit(1).lateral("thread")
    return (
        select(Message, thread.c.id)
        .join(thread, true())
        .where(
            Message.environment == environment,
            Message.body.is_not(None),
            Message.broadcast_id.is_(None),
            Message.revoked_at.is_(None),
        )
    )


def _hits(session: Session, query: Select[Message, int], typed: str) -> Sequence[Hit]:
    return [
        Hit(
            message.id,
            conversation_id,
            message.person_id,
            message.occurred_at,
            by_us=message.direction == Direction.OUT,
            pieces=tuple(_plain(message.body or "") if terms.is_blind() else _pieces(message.body or "", typed)),
        )
        for message, conversation_id in session.execute(query)
    ]


def _have(said: ColumnElement[str], words: Sequence[Word]) -> ColumnElement[bool]:
    asked = " & ".join(_beginning(word.typed) for word in words)
    return said.op("@@")(func.to_tsquery(_SIMPLE, asked))


def _beginning(word: str) -> str:
    """A word, or how it begins, in PostgreSQL's quotes, in which nothing means anything but these two signs."""
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'" if terms.is_blind() else f"'{quoted}':*"  # or contact that was written is found out by letters


def _plain(body: str) -> Iterator[Piece]:
    """From its beginning and without marks, between which a number could not be told for one and masked."""
    yield Piece(body[:_SHOWN] + (" …" if len(body) > _SHOWN else ""), is_found=False)


def _pieces(body: str, typed: str) -> Iterator[Piece]:
    """What was said around the first word found, with what was found apart."""
    wanted = tuple(word.lower() for word in _WORD.findall(typed))
    places = [found.span() for found in _WORD.finditer(body) if found[0].lower().startswith(wanted)]
    start = max(0, places[0][0] - _BEFORE) if places else 0
    end = min(len(body), start + _SHOWN)
    at = start
    if start:
        yield Piece("… ", is_found=False)
    for first, last in places:
        if last <= end:
            yield Piece(body[at:first], is_found=False)
            yield Piece(body[first:last], is_found=True)
            at = last
    yield Piece(body[at:end] + (" …" if end < len(body) else ""), is_found=False)
