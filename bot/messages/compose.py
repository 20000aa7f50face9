"""The only place where an outbound message comes into being, so that none is without its author."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    SmallInteger,
    Table,
    Text,
    any_,
    case,
    cast,
    column,
    func,
    literal,
    null,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, distinct_on, insert
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from bot.db import Base
from bot.language import later
from bot.messages import answering
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.message import AUTHOR_COLUMNS, Message
from bot.models.person import Address, Person
from bot.models.words import AddressKind, AuthorKind, Direction, MessageState
from bot.people import preferences

PRIORITY_REPLY = 0
PRIORITY_BROADCAST = 9

NO_ADDRESS = later("no WhatsApp address is known for this person")
SWITCHED_OFF = later("messages to this person are switched off")
OPTED_OUT = later("this person wants no marketing messages")
ERASED = later("this person was erased, has written again since, and is only answered until they opt in")

_UNASKED = frozenset({AuthorKind.BROADCAST, AuthorKind.REMINDER})
"""Authors that do not answer anybody."""


_OF_SOME = ("wording_id", "quiet_at", "reply_to_provider_message_id")
"""Columns that only some kinds of drafts have."""

_ROWS: Table = Base.metadata.tables[Message.__tablename__]
"""Thousands of rows come back by it as plain pairs; loading them through the class costs as much as the insert."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote it: the kind, and the id of the journey, operator, reminder, token or broadcast."""

    kind: AuthorKind
    id: int


@dataclass(frozen=True, slots=True)
class Draft:
    """`content` is the Cloud API's {"type": …, "<type>": {…}}; `source_key` makes asking twice one message."""

    person_id: int
    kind: str
    content: Mapping[str, Any]
    body: str | None = None
    source_key: str | None = None
    cause_message_id: int | None = None
    not_before: datetime | None = None
    refusal: str | None = None
    """Why it may not be sent after all: kept, as a `suppressed` row that says so."""
    reply_to: str | None = None
    """The provider's id of the message that is quoted or reacted to; `content` says so too."""


@dataclass(frozen=True, slots=True)
class _Refusals:
    """What of a broadcast people may have said no to."""

    is_marketing: bool = False
    topic_id: int | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A message that left the business another way than through us: typed in the phone app, or by an automation."""

    number: Number
    person_id: int
    author_kind: AuthorKind
    to_address: str
    kind: str
    body: str | None
    content: Mapping[str, Any]
    provider_message_id: str
    reply_to: str | None
    occurred_at: datetime


def text_content(text: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def buttons_content(text: str, buttons: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Up to three (id, title) reply buttons; ids ≤ 256 and titles ≤ 20 characters (Cloud API)."""
    replies = [{"type": "reply", "reply": {"id": id_, "title": title}} for id_, title in buttons]
    return {
        "type": "interactive",
        "interactive": {"type": "button", "body": {"text": text}, "action": {"buttons": replies}},
    }


def compose(
    session: Session,
    number: Number,
    author: Author | Sequence[Author],
    drafts: Sequence[Draft],
    *,
    priority: int = PRIORITY_REPLY,
) -> list[int]:
    """Put messages in the outbox; ids in the order of the drafts, for a known source key that of its first message.

    `author` may be one for each draft, all of one kind, so that many authors cost no more statements than one.
    Whoever may not or cannot be written to gets a `suppressed` row that says why. Ring "send" after the commit.
    """
    if not drafts:
        return []
    keys = [draft.source_key or f"x:{uuid.uuid4().hex}" for draft in drafts]
    authors = [author] * len(drafts) if isinstance(author, Author) else author
    rows = _as_rows(authors, drafts, keys)
    ids = _insert(session, number, authors[0].kind, rows, priority=priority)
    if ids and authors[0].kind in answering.HERE:
        answering.here(session, list(ids.values()))
    if known := [key for key in keys if key not in ids]:
        found = session.execute(
            select(_ROWS.c.source_key, _ROWS.c.id).where(_ROWS.c.source_key == any_(literal(known, ARRAY(Text))))
        )
        ids |= {source_key: id_ for source_key, id_ in found}  # noqa: C416 (rows are no pairs)
    return [ids[key] for key in keys]


def compose_audience(session: Session, broadcast: Broadcast, number: Number, people: Select[Any]) -> int:
    """Turn a select of people into the broadcast's messages; number of rows made (known ones are left alone).

    Its first column is the person's id; wording_id, not_before, quiet_at and refusal, of the message, may follow.
    Their content stays empty: the sender fills the frozen template from the person just before the wire.
    """
    chosen = people.subquery()
    person_id = chosen.c[0]

    def given(name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
        return (chosen.c[name] if name in chosen.c else cast(null(), kind)).label(name)

    rows = select(
        person_id.label("person_id"),
        literal(broadcast.id, BigInteger).label("author_id"),
        literal("template").label("kind"),
        cast(null(), Text).label("body"),
        cast(null(), JSONB).label("content"),
        func.concat("b:", broadcast.id, ":", person_id).label("source_key"),
        cast(null(), BigInteger).label("cause_message_id"),
        given("wording_id", BigInteger()),
        given("not_before", DateTime(timezone=True)),
        given("quiet_at", DateTime(timezone=True)),
        given("refusal", Text()),
        person_id.label("ordinal"),
    ).subquery("draft")
    refusals = _Refusals(
        (broadcast.frozen_template or {}).get("category", "MARKETING") == "MARKETING", broadcast.topic_id
    )
    made = _insert(session, number, AuthorKind.BROADCAST, rows, priority=PRIORITY_BROADCAST, refusals=refusals)
    return len(made)


def foresee(draft: FromClause, *, is_marketing: bool, topic_id: int | None, in_bulk: bool = False) -> Select[Any]:
    """What `compose_audience` would decide: columns person_id, country, time_zone, dial (the address) and reason.

    `draft` has the columns person_id and refusal, why somebody of the audience gets nothing whatever else is so.
    `in_bulk` looks through all addresses and preferences once, quicker where the draft is a good part of everybody.
    """
    refusals = _Refusals(is_marketing, topic_id)
    reach = _reach_of_all() if in_bulk else _reach(draft)
    reached = draft.join(Person, Person.id == draft.c.person_id).join(
        reach, reach.c.person_id == draft.c.person_id if in_bulk else true(), isouter=True
    )
    unwanted = preferences.refusal(Person.id, topic_id, is_marketing=is_marketing)
    if in_bulk and (is_marketing or topic_id is not None):
        refused = preferences.refusals_of_all(topic_id)
        reached = reached.join(refused, refused.c.person_id == draft.c.person_id, isouter=True)
        unwanted = refused.c.refusal
    reason = _reason(draft, reach, AuthorKind.BROADCAST, refusals, unwanted).label("reason")
    return select(draft.c.person_id, Person.country, Person.time_zone, reach.c.dial, reason).select_from(reached)


def echo(session: Session, sent: Sequence[Elsewhere]) -> dict[tuple[int, str], int]:
    """Keep what left elsewhere; ids of the new rows by (number id, provider's message id).

    Whatever has that provider's id already, ours or not, stays the one message; nothing of it goes to the outbox.
    """
    if not sent:
        return {}
    rows = [
        {
            "environment": one.number.environment,
            "number_id": one.number.id,
            "person_id": one.person_id,
            "direction": Direction.OUT.value,
            "kind": one.kind,
            "body": one.body,
            "content": one.content,
            "provider_message_id": one.provider_message_id,
            "reply_to_provider_message_id": one.reply_to,
            "occurred_at": one.occurred_at,
            "author_kind": one.author_kind.value,
            "to_address": one.to_address,
            "state": MessageState.ACCEPTED.value,
            "accepted_at": one.occurred_at,
            "evidence": "echo",
        }
        for one in sent
    ]
    known = {
        "index_elements": ["number_id", "provider_message_id"],
        "index_where": Message.provider_message_id.is_not(None),
    }
    kept = insert(_ROWS).on_conflict_do_nothing(**known)  # type: ignore[arg-type]  # keywords of different types
    made = kept.returning(Message.id, Message.number_id, Message.provider_message_id)
    return {(row.number_id, row.provider_message_id): row.id for row in session.execute(made, rows)}


def _as_rows(authors: Sequence[Author], drafts: Sequence[Draft], keys: Sequence[str]) -> FromClause:
    contents = [orjson.dumps(draft.content).decode() for draft in drafts]
    columns = (
        ("person_id", BigInteger(), [d.person_id for d in drafts]),
        ("author_id", BigInteger(), [a.id for a in authors]),
        ("kind", Text(), [d.kind for d in drafts]),
        ("body", Text(), [d.body for d in drafts]),
        ("content", Text(), contents),
        ("source_key", Text(), list(keys)),
        ("cause_message_id", BigInteger(), [d.cause_message_id for d in drafts]),
        ("not_before", DateTime(timezone=True), [d.not_before for d in drafts]),
        ("refusal", Text(), [d.refusal for d in drafts]),
        ("reply_to_provider_message_id", Text(), [d.reply_to for d in drafts]),
    )
    arrays = [cast(literal(values, ARRAY(kind)), ARRAY(kind)) for _, kind, values in columns]
    drawn = (
        func.unnest(*arrays)
        .table_valued(*(column(name, kind) for name, kind, _ in columns), with_ordinality="ordinal", name="given")
        .render_derived()
    )
    shown = [cast(drawn.c.content, JSONB).label("content") if c.key == "content" else c for c in drawn.c]
    return select(*shown).subquery("draft")


def _insert(
    session: Session,
    number: Number,
    author_kind: AuthorKind,
    draft: FromClause,
    *,
    priority: int,
    refusals: _Refusals = _Refusals(),
) -> dict[str, int]:
    """Ids of the new rows by source key."""
    reach = _reach(draft)
    unwanted = preferences.refusal(Person.id, refusals.topic_id, is_marketing=refusals.is_marketing)
    reason = _reason(draft, reach, author_kind, refusals, unwanted)
    values: dict[str, Any] = {
        "environment": literal(number.environment),
        "number_id": literal(number.id, BigInteger),
        "person_id": draft.c.person_id,
        "direction": literal(Direction.OUT.value),
        "kind": draft.c.kind,
        "body": draft.c.body,
        "content": draft.c.content,
        "source_key": draft.c.source_key,
        "cause_message_id": draft.c.cause_message_id,
        "not_before": draft.c.not_before,
        **{name: draft.c[name] for name in _OF_SOME if name in draft.c},
        "occurred_at": func.clock_timestamp(),
        "author_kind": literal(author_kind.value),
        AUTHOR_COLUMNS[author_kind]: draft.c.author_id,
        "priority": literal(priority, SmallInteger),
        "to_address": reach.c.dial,
        "state": case((reason.is_(None), MessageState.QUEUED.value), else_=MessageState.SUPPRESSED.value),
        "error_text": reason,
    }
    source = (
        select(*values.values())
        .select_from(draft)
        .join(Person, Person.id == draft.c.person_id)
        .join(reach, true(), isouter=True)
        .order_by(draft.c.ordinal)
    )
    made = session.execute(
        insert(_ROWS)
        .from_select(list(values), source)
        .on_conflict_do_nothing(index_elements=["source_key"], index_where=_ROWS.c.source_key.is_not(None))
        .returning(_ROWS.c.source_key, _ROWS.c.id)
    )
    return {source_key: id_ for source_key, id_ in made}  # noqa: C416 (rows are no pairs)


def _reason(
    draft: FromClause,
    reach: FromClause,
    author_kind: AuthorKind,
    refusals: _Refusals,
    unwanted: ColumnElement[str | None],
) -> ColumnElement[str | None]:
    """Why somebody gets nothing, or NULL; the first that fits. Beside the draft it reads Person."""
    return case(
        (reach.c.dial.is_(None), NO_ADDRESS),
        (Person.enabled.is_(False), SWITCHED_OFF),
        (literal(author_kind in _UNASKED) & Person.answers_only, ERASED),
        (literal(refusals.is_marketing) & Person.marketing_opted_out_at.is_not(None), OPTED_OUT),
        else_=func.coalesce(unwanted, draft.c.refusal),
    )


def _reach(draft: FromClause) -> FromClause:
    """The address to dial: the newest phone, as received, if there is one, else the newest business-scoped user id."""
    dial, order = _DIAL.label("dial"), _DIALLED_FIRST
    mine = select(dial).where(Address.person_id == draft.c.person_id, _IS_DIALLED)
    return mine.order_by(*order).limit(1).lateral("reach")


def _reach_of_all() -> FromClause:
    """The same of everybody: columns person_id and dial."""
    everybodys = select(Address.person_id, _DIAL.label("dial")).where(_IS_DIALLED)
    first = everybodys.order_by(Address.person_id, *_DIALLED_FIRST).ext(distinct_on(Address.person_id))
    return first.subquery("reach")


_DIAL = func.coalesce(Address.dial, Address.value)
_IS_DIALLED = Address.kind.in_([AddressKind.PHONE.value, AddressKind.USER_ID.value])
_DIALLED_FIRST = ((Address.kind == AddressKind.USER_ID.value).asc(), Address.id.desc())
