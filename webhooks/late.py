"""What comes late about somebody who was erased makes nobody: it is left out before anything is applied.

What they say after it is of their own accord, and makes a new person; see docs/erasure.md.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.erasure.statements import FORGOTTEN_ID, PREFIX
from bot.messages import callback
from bot.models.connection import Number
from bot.models.words import AddressKind
from bot.people import keys, suppressions
from bot.people.keys import Key
from bot.providers.events import (
    Echo,
    IdentityChange,
    InboundMessage,
    MessageEdit,
    MessageRevoke,
    PreferenceChange,
    ReactionChange,
    Sender,
    StatusUpdate,
)
from webhooks.accounts import RESUMES
from webhooks.placing import Item, Placed

Place = tuple[Number, Item]

_IS_ANY = text("SELECT EXISTS (SELECT FROM erasure)")

_OF_ERASED = text(f"""
    SELECT t.place
      FROM unnest(CAST(:places AS bigint[]), CAST(:numbers AS bigint[]), CAST(:ids AS text[]),
                  CAST(:marks AS bigint[])) AS t(place, number_id, id, mark)
     WHERE EXISTS (SELECT FROM message m
                    WHERE m.number_id = t.number_id
                      AND m.provider_message_id
                        = '{PREFIX}' || {FORGOTTEN_ID.format(number="t.number_id", id="t.id")})
        OR EXISTS (SELECT FROM message m JOIN person p ON p.id = m.person_id
                    WHERE m.id = t.mark AND m.number_id = t.number_id AND p.erased_at IS NOT NULL)
""")  # noqa: S608 (put together from constants)

_KNOWN = text("""
    SELECT a.kind, a.value FROM unnest(CAST(:kinds AS text[]), CAST(:values AS text[])) AS k(kind, value)
      JOIN address a ON a.environment = :environment AND a.kind = k.kind AND a.value = k.value
""")

_SAID = InboundMessage | ReactionChange | MessageEdit | MessageRevoke
"""What only the person can have done."""


def leave_out(session: Session, placed: Placed) -> Placed:
    """The same without what is about somebody erased, and theirs no more."""
    if not placed.items or not session.scalar(_IS_ANY):
        return placed
    dropped = _of_messages(session, placed.items) | _of_people(session, placed.items)
    return replace(placed, items=[item for place, item in enumerate(placed.items) if place not in dropped])


def _of_messages(session: Session, items: Sequence[Place]) -> set[int]:
    """Of a message that was emptied: told again, reported, edited, deleted."""
    rows = [
        (place, number.id, id_, mark)
        for place, (number, item) in enumerate(items)
        for id_, mark in _about(item.event)
        if id_ or mark
    ]
    if not rows:
        return set()
    places, numbers, ids, marks = map(list, zip(*rows, strict=True))
    return set(session.scalars(_OF_ERASED, {"places": places, "numbers": numbers, "ids": ids, "marks": marks}))


def _about(event: Any) -> Iterator[tuple[str | None, int | None]]:  # noqa: ANN401 (an Event)
    """Provider's ids, or the number of the row that a mark of ours names."""
    match event:
        case StatusUpdate():
            marked = callback.read(event.callback)
            yield event.message_id, marked and marked[0]
        case MessageEdit() | MessageRevoke():
            yield event.target, None
        case InboundMessage() | Echo() | ReactionChange() | IdentityChange():
            yield event.message_id, None


def _of_people(session: Session, items: Sequence[Place]) -> set[int]:
    """Of an address that was erased: from before it, or not of their own doing while nobody has it again."""
    shown: defaultdict[str, dict[int, list[Key]]] = defaultdict(dict)
    for place, (number, item) in enumerate(items):
        if found := [key for sender in _people(item.event) for key in keys.shown_by(sender)]:
            shown[number.environment][place] = found
    dropped: set[int] = set()
    for environment, by_place in shown.items():
        erased = suppressions.since(session, environment, {key for found in by_place.values() for key in found})
        if erased:
            known = _known(session, environment, list(erased))
            dropped |= {
                place
                for place, found in by_place.items()
                if _is_late(items[place][1].event, found, erased, known.__contains__)
            }
    return dropped


def _is_late(event: Any, found: Sequence[Key], erased: dict[Key, datetime], is_known: Callable[[Key], bool]) -> bool:  # noqa: ANN401 (an Event)
    since = max((erased[key] for key in found if key in erased), default=None)
    if since is None:
        return False
    if isinstance(event, StatusUpdate):
        return not any(is_known(key) for key in found)
    if event.occurred_at <= since:
        return True
    is_theirs = isinstance(event, _SAID) or (isinstance(event, PreferenceChange) and event.value in RESUMES)
    return not is_theirs and not any(is_known(key) for key in found)


def _people(event: Any) -> Iterator[Sender]:  # noqa: ANN401 (an Event)
    match event:
        case Echo():
            yield event.recipient
        case StatusUpdate(recipient=str(told)):
            yield Sender(phone=told.removeprefix("+")) if told.removeprefix("+").isdecimal() else Sender(user_id=told)
        case IdentityChange():
            yield event.sender
            if event.new_phone or event.new_user_id:
                yield Sender(phone=event.new_phone, user_id=event.new_user_id)
        case InboundMessage() | MessageEdit() | MessageRevoke() | ReactionChange() | PreferenceChange():
            if event.sender is not None:
                yield event.sender


def _known(session: Session, environment: str, asked: Sequence[Key]) -> set[Key]:
    """Those that are somebody's again, by any form of the number."""
    tried = {twin: key for key in asked for twin in _twins(key)}
    values = {"kinds": [kind for kind, _ in tried], "values": [value for _, value in tried]}
    rows = session.execute(_KNOWN, {"environment": environment, **values})
    return {tried[row.kind, row.value] for row in rows}


def _twins(key: Key) -> list[Key]:
    kind, value = key
    sibling = phones.sibling(value) if kind == AddressKind.PHONE else None
    return [key] if sibling is None else [key, (kind, sibling)]
