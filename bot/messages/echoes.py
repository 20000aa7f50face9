"""An echo and a message of ours may turn out to be the same: ours stays, with all that was told of the echo."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.messages import changes

_MOVE_STATUSES = text("UPDATE status_event SET message_id = :ours WHERE message_id = :echo")
_MOVE_CHANGES = text("UPDATE message_change SET message_id = :ours WHERE message_id = :echo")
_DROP = text("DELETE FROM message WHERE id = :echo")

_FIND = text("""
    SELECT k.id AS ours, e.id AS echo
      FROM unnest(CAST(:provider_ids AS text[]), CAST(:ids AS bigint[])) AS k(provider_id, id)
      JOIN message e ON e.number_id = :number_id AND e.provider_message_id = k.provider_id AND e.id <> k.id
     WHERE e.evidence = 'echo'
     ORDER BY e.id
""")


def absorb(session: Session, pairs: Iterable[tuple[int, int]]) -> None:
    """Make (message of ours, echo) one message, ours; call it before ours takes the provider's id of the echo.

    Rare, so one at a time; statuses that move along are for the caller to merge.
    """
    for ours, echo in sorted(set(pairs)):
        for statement in (_MOVE_STATUSES, _MOVE_CHANGES, _DROP):
            session.execute(statement, {"ours": ours, "echo": echo})
        changes.merge(session, [ours])


def make_way(session: Session, number_id: int, taken: Iterable[tuple[int, str]]) -> None:
    """Absorb the echoes that overtook the provider's answer: (message of ours, the id the answer gave it)."""
    ids = dict(taken)
    if ids:
        given = {"number_id": number_id, "ids": list(ids), "provider_ids": list(ids.values())}
        absorb(session, [(row.ours, row.echo) for row in session.execute(_FIND, given)])
