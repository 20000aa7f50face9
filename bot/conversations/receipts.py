"""Showing people that their message was read and that somebody types, where the inbox's policy says so.

The send pump tells their provider; ring "send" after the commit where something is due.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot.conversations.threads import SILENT_KINDS
from bot.models.connection import Connection, Number
from bot.models.conversation import Conversation
from bot.models.inbox import ReadReceipt
from bot.providers.registry import PROVIDERS

EVERYTHING = 2**63 - 1
"""Up to whichever message is the newest."""
TYPING_S = 20
"""WhatsApp shows the indicator for 25 seconds, so that one in so many keeps it there."""

_NEWEST = """
      FROM conversation c
      JOIN inbox_policy p ON p.environment = c.environment
      JOIN number n ON n.id = c.number_id
      JOIN connection k ON k.id = n.connection_id AND k.provider = ANY(CAST(:providers AS text[]))
     CROSS JOIN LATERAL (
           SELECT m.id FROM message m
            WHERE m.person_id = c.person_id AND m.number_id = c.number_id AND m.direction = 'in'
              AND m.kind <> ALL(CAST(:silent AS text[])) AND m.provider_message_id IS NOT NULL
              AND m.id <= :last AND m.occurred_at > now() - interval '30 days'
            ORDER BY m.occurred_at DESC, m.id DESC LIMIT 1) newest
     WHERE c.id = :id
"""

_READ = text(f"""
    INSERT INTO read_receipt (conversation_id, message_id, due_at)
    SELECT c.id, newest.id, clock_timestamp() {_NEWEST} AND p.tells <> 'nothing'
    ON CONFLICT (conversation_id) DO UPDATE
       SET message_id = excluded.message_id, due_at = excluded.due_at, attempt = 0
     WHERE read_receipt.message_id < excluded.message_id
    RETURNING message_id
""")  # noqa: S608 (put together from constants)

_TYPING = text(f"""
    INSERT INTO read_receipt (conversation_id, message_id, due_at, typing_at, is_typing)
    SELECT c.id, newest.id, clock_timestamp(), clock_timestamp(), true {_NEWEST}
       AND p.tells = 'typing' AND c.state = 'open' AND c.last_inbound_at > now() - interval '24 hours'
    ON CONFLICT (conversation_id) DO UPDATE
       SET message_id = greatest(read_receipt.message_id, excluded.message_id), due_at = excluded.due_at,
           typing_at = excluded.typing_at, is_typing = true, attempt = 0
     WHERE read_receipt.typing_at IS NULL OR read_receipt.typing_at < clock_timestamp() - :pause * interval '1 second'
    RETURNING message_id
""")  # noqa: S608 (put together from constants)


@dataclass(frozen=True, slots=True)
class Silent:
    """A number whose people cannot be shown anything, because its provider has no way to."""

    number: str
    provider: str


def read(session: Session, conversation_id: int, last_seen_id: int = EVERYTHING) -> bool:
    """A coach has read up to this message; whether there is something new to tell."""
    return session.scalar(_READ, _given(conversation_id, last_seen_id)) is not None


def typing(session: Session, conversation_id: int) -> bool:
    """A coach types; whether it is to be told, which it is once in TYPING_S."""
    given = _given(conversation_id, EVERYTHING) | {"pause": TYPING_S}
    return session.scalar(_TYPING, given) is not None


def silent(session: Session, environment: str) -> Sequence[Silent]:
    """By name."""
    found = session.execute(
        select(Number.name, Connection.provider)
        .join(Connection, Connection.id == Number.connection_id)
        .where(Number.environment == environment, Connection.provider.not_in(_TAKERS))
        .order_by(Number.name, Number.id)
    )
    return [Silent(name, PROVIDERS[provider].title) for name, provider in found]


def refused(session: Session, environment: str) -> tuple[int, str] | None:
    """How many conversations' last receipt a provider did not take, and why, of the latest; None if there is none."""
    found = session.execute(
        select(func.count().over(), ReadReceipt.problem)
        .join(Conversation, Conversation.id == ReadReceipt.conversation_id)
        .where(Conversation.environment == environment, ReadReceipt.problem.is_not(None))
        .order_by(ReadReceipt.message_id.desc())
        .limit(1)
    ).first()
    return None if found is None else (found[0], found[1] or "")


_TAKERS = sorted(name for name, provider in PROVIDERS.items() if provider.receipts is not None)


def _given(conversation_id: int, last: int) -> dict[str, object]:
    return {"id": conversation_id, "last": last, "providers": _TAKERS, "silent": sorted(SILENT_KINDS)}
