"""What people want to get: each word of theirs is kept once, and the latest by its own time is in force."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.people import responses, suppressions

MARKETING: Final = "marketing"
STOP: Final = "stop"
RESUME: Final = "resume"

_TELL = text("""
    INSERT INTO consent_event
        (environment, person_id, category, value, source, detail, occurred_at, operator_id, token_id)
    SELECT p.environment, p.id, t.category, t.value, t.source, t.detail, t.occurred_at, t.operator_id, t.token_id
      FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS t(person_id bigint, category text, value text, source text, detail text, occurred_at timestamptz,
             operator_id bigint, token_id bigint)
      JOIN person p ON p.id = t.person_id
    ON CONFLICT DO NOTHING
    RETURNING person_id
""")

# A stop and a resume of the same second: whoever says stop is believed.
_SETTLE = text("""
    WITH held AS (
        SELECT id FROM person WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE),
    latest AS (
        SELECT DISTINCT ON (e.person_id) e.person_id, e.value, e.occurred_at
          FROM held JOIN consent_event e ON e.person_id = held.id
         WHERE e.category = 'marketing' AND e.value IN ('stop', 'resume')
         ORDER BY e.person_id, e.occurred_at DESC, e.value = 'stop' DESC)
    UPDATE person p
       SET marketing_opted_out_at = CASE WHEN l.value = 'stop' THEN l.occurred_at END, updated_at = now()
      FROM latest l
     WHERE p.id = l.person_id
       AND p.marketing_opted_out_at IS DISTINCT FROM CASE WHEN l.value = 'stop' THEN l.occurred_at END
""")


_COME_BACK = text("""
    WITH back AS (
        UPDATE person p SET answers_only = false
         WHERE p.id = ANY(:ids) AND p.answers_only
           AND (SELECT e.value FROM consent_event e
                 WHERE e.person_id = p.id AND e.category = 'marketing' AND e.value IN ('stop', 'resume')
                 ORDER BY e.occurred_at DESC, e.value = 'stop' DESC LIMIT 1) = 'resume'
        RETURNING p.id, p.environment)
    SELECT back.environment, a.kind, a.value FROM back JOIN address a ON a.person_id = back.id
""")


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody said they want; `value` is STOP, RESUME or a word of the provider's that changes nothing."""

    person_id: int
    category: str
    value: str
    source: str
    """webhook: they told WhatsApp. error: the provider refused a send for it. word: they wrote a stop word. Else of
    whom we know it."""
    occurred_at: datetime
    detail: str | None = None
    """In which words, or where it can be read: the evidence."""
    operator_id: int | None = None
    token_id: int | None = None


def tell(session: Session, words: Sequence[Word]) -> None:
    """Keep what is new and bring each person's opt-out up to date; order and repeats do not matter."""
    if not words:
        return
    rows = orjson.dumps([asdict(word) for word in words]).decode()
    told = sorted(set(session.scalars(_TELL, {"rows": rows})))
    if told:
        settle(session, told)
        stopped = {w.person_id: w.occurred_at for w in words if (w.category, w.value) == (MARKETING, STOP)}
        responses.opted_out(session, {person_id: stopped[person_id] for person_id in told if person_id in stopped})


def settle(session: Session, people: Sequence[int]) -> None:
    """Put in force what is latest in the ledger; whoever is not in it stays as they are.

    Who was erased and has come back of their own accord is as anybody from the moment they opt in.
    """
    session.execute(_SETTLE, {"ids": list(people)})
    back = session.execute(_COME_BACK, {"ids": list(people)}).all()
    for environment in {row.environment for row in back}:
        found = [(row.kind, row.value) for row in back if row.environment == environment]
        suppressions.lift(session, environment, found)
