"""Where a message comes from besides its author: forwarded, from an ad, about a product, an answer to another."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.dashboard import kinds
from bot.language import _, later, translated
from bot.models.message import Message
from bot.models.words import Direction

_LENGTH = 160
GONE = later("A message that is not here")


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that is answered; without an id it is none of this thread."""

    id: int | None
    by_us: bool
    text: str


def quotes(session: Session, messages: Collection[Message]) -> Mapping[str, Quote]:
    """What is answered, by the provider's id, in one question to the database; all are of one thread."""
    wanted = {message.reply_to_provider_message_id for message in messages} - {None}
    if not wanted:
        return {}
    thread = next(iter(messages))
    found = session.scalars(
        select(Message).where(
            Message.number_id == thread.number_id,
            Message.person_id == thread.person_id,
            Message.provider_message_id.in_(wanted),
        )
    )
    known = {message.provider_message_id: _quote(message) for message in found}
    return {id_: known.get(id_, Quote(None, by_us=False, text=translated(GONE))) for id_ in wanted if id_}


def notes(content: Mapping[str, Any] | None) -> tuple[str, ...]:
    """In words, as they stand above a message."""
    return tuple(_notes(content or {}))


def _quote(message: Message) -> Quote:
    by_us = message.direction == Direction.OUT
    if message.revoked_at is not None:
        return Quote(message.id, by_us, translated(kinds.DELETED))
    words = kinds.summary(message.kind, message.content, message.body, is_outbound=by_us)
    return Quote(message.id, by_us, words[:_LENGTH])


def _notes(content: Mapping[str, Any]) -> Iterator[str]:
    context, referral = content.get("context"), content.get("referral")
    if isinstance(context, dict):
        if context.get("frequently_forwarded"):
            yield _("Forwarded many times")
        elif context.get("forwarded"):
            yield _("Forwarded")
        product = context.get("referred_product")
        if isinstance(product, dict):
            yield _("About the product %(id)s", id=str(product.get("product_retailer_id", "?"))[:_LENGTH])
    if isinstance(referral, dict):
        where = _("a post") if referral.get("source_type") == "post" else _("an ad")
        told = next((referral[key] for key in ("headline", "body", "source_url") if referral.get(key)), None)
        yield (
            _("Came from %(where)s: %(words)s", where=where, words=str(told)[:_LENGTH])
            if told
            else _("Came from %(where)s", where=where)
        )
