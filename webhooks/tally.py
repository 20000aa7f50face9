"""How often something came that we do not know, or that has no effect: a field, a type, a status word; by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot.language import later
from bot.models.connection import Connection
from bot.models.webhook import WebhookTally

DAYS = 30
SHOWN = 50
MEANINGS: Mapping[str, str] = {
    "notice": later("field without effect here"),
    "type": later("type of message we do not know"),
    "status": later("status word we do not know"),
    "mark": later("status with a mark like ours"),
}

# Sorted, so that two workers with the same words wait for each other in one order.
_ADD = text("""
    INSERT INTO webhook_tally AS t (day, connection_id, kind, word, count)
    SELECT (now() AT TIME ZONE 'UTC')::date, w.connection_id, w.kind, w.word, sum(w.count)
      FROM unnest(CAST(:connections AS bigint[]), CAST(:kinds AS text[]), CAST(:words AS text[]),
                  CAST(:counts AS bigint[])) AS w(connection_id, kind, word, count)
     GROUP BY w.connection_id, w.kind, w.word
     ORDER BY w.connection_id, w.kind, w.word
    ON CONFLICT (day, connection_id, kind, word) DO UPDATE SET count = t.count + excluded.count
""")


@dataclass(frozen=True, slots=True)
class Counted:
    connection: str
    kind: str
    word: str
    count: int


def add(session: Session, words: Mapping[tuple[int, str, str], int]) -> None:
    """(connection id, kind, word) → how often. The last thing of a transaction: others wait for these rows."""
    if words:
        connections, kinds, names = zip(*words, strict=True)
        clean = ["".join(sign for sign in name if sign.isprintable()) for name in names]
        given = {"connections": list(connections), "kinds": list(kinds), "words": clean}
        session.execute(_ADD, given | {"counts": list(words.values())})


def lately(session: Session, connection_id: int | None = None) -> Sequence[Counted]:
    """Of the last DAYS days, the most frequent first."""
    total = func.sum(WebhookTally.count)
    query = (
        select(Connection.slug, WebhookTally.kind, WebhookTally.word, total)
        .join(Connection, Connection.id == WebhookTally.connection_id)
        .where(WebhookTally.day > (datetime.now(UTC) - timedelta(days=DAYS)).date())
        .group_by(Connection.slug, WebhookTally.kind, WebhookTally.word)
        .order_by(total.desc(), WebhookTally.word)
        .limit(SHOWN)
    )
    if connection_id is not None:
        query = query.where(WebhookTally.connection_id == connection_id)
    return [Counted(slug, kind, word, int(count)) for slug, kind, word, count in session.execute(query)]
