"""Events as a provider's parser would hand them on, and a number to tell them to, on a session that is rolled back."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.providers.events import (
    Echo,
    Event,
    IdentityChange,
    InboundMessage,
    MediaRef,
    MessageEdit,
    MessageRevoke,
    ReactionChange,
    Sender,
    StatusUpdate,
)
from tests import factories
from webhooks import apply
from webhooks.apply import Applied, Item

PHONE = "201000000001"
AMINA = Sender(phone=PHONE, name="Amina")
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

_serial = itertools.count(1)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@dataclass
class Desk:
    """One business number that is told events."""

    session: Session
    number: Number

    def tell(self, *events: Event, alone: bool = False) -> Applied:
        """All in one batch."""
        items = [Item(1, self.number.connection_id, event) for event in events]
        return apply.apply(self.session, items, alone=alone)

    def rows(self, query: str, **values: Any) -> list[Any]:
        self.session.flush()
        return [tuple(row) for row in self.session.execute(text(query), values)]

    def ask(self, query: str, **values: Any) -> Any:
        [(value,)] = self.rows(query, **values)
        return value


def open_desk(session: Session) -> Desk:
    return Desk(session, factories.make_number(session))


def text_part(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


def message(
    body: str | None = "hello", *, id_: str = "", sender: Sender = AMINA, s: float = 0, **more: Any
) -> InboundMessage:
    more = {"kind": "text", "content": text_part(body or "")} | more
    return InboundMessage(
        pointer="",
        number_id="",
        message_id=id_ or f"in.{next(_serial)}",
        sender=sender,
        body=body,
        occurred_at=at(s),
        **more,
    )


def echo(body: str = "from the phone", *, id_: str = "", to: Sender = AMINA, s: float = 0, **more: Any) -> Echo:
    more = {"author": "app", "kind": "text", "content": text_part(body)} | more
    return Echo(
        pointer="",
        number_id="",
        message_id=id_ or f"echo.{next(_serial)}",
        recipient=to,
        body=body,
        occurred_at=at(s),
        **more,
    )


def edit(target: str, body: str, *, id_: str = "", sender: Sender | None = AMINA, s: float = 0) -> MessageEdit:
    return MessageEdit("", "", id_ or f"edit.{next(_serial)}", sender, target, "text", body, text_part(body), at(s))


def revoke(target: str, *, id_: str = "", sender: Sender | None = AMINA, s: float = 0) -> MessageRevoke:
    return MessageRevoke("", "", id_ or f"revoke.{next(_serial)}", sender, target, at(s))


def reaction(target: str, emoji: str | None, *, sender: Sender = AMINA, s: float = 0) -> ReactionChange:
    return ReactionChange("", "", f"react.{next(_serial)}", sender, target, emoji, at(s))


def move(
    old: Sender, *, phone: str | None = None, user_id: str | None = None, id_: str = "", s: float = 0
) -> IdentityChange:
    return IdentityChange("", "", id_, old, phone, user_id, "They moved", at(s))


def status(target: str, word: str, *, s: float = 0, **more: Any) -> StatusUpdate:
    return StatusUpdate("", "", target, word, at(s), **more)


def photo(id_: str | None = "media.1", url: str | None = None) -> MediaRef:
    return MediaRef(id_, url, "image/jpeg", None, "cat.jpg")
