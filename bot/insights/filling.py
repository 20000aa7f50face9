"""A generation is filled person by person, in portions, while messages come and go.

Whoever counts shares a lock; a portion has it alone for a moment. Before, the triggers count its people not at all,
and after, for good; so everybody is counted once, whatever happens meanwhile.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.conversations.threads import SILENT_KINDS
from bot.insights.folding import AUTHORS, LEVELS, NEVER
from bot.insights.generations import EVERYBODY
from bot.models.insights import InsightGeneration

# Less than a deadlock takes to be noticed, so that it is never somebody else who is broken off. Compiling a portion's
# statements would take longer than they do.
_PATIENCE = text("SET LOCAL lock_timeout = '300ms'; SET LOCAL jit = off")
_ALONE = text("SELECT pg_advisory_xact_lock(4242008), pg_advisory_xact_lock(4242007)")

_NEXT = text("""
    SELECT CASE count(*) WHEN :people THEN max(id) END
      FROM (SELECT id FROM person WHERE id > :first ORDER BY id LIMIT :people) p
""")

_WRITTEN = f"m.direction = 'in' AND m.kind NOT IN ({', '.join(repr(kind) for kind in sorted(SILENT_KINDS))})"

_FACTS = f"""
    facts AS MATERIALIZED (
        SELECT m.environment, m.number_id, coalesce(m.author_kind, '') AS author_kind,
               coalesce(CASE m.author_kind WHEN 'stack' THEN m.journey_id WHEN 'coach' THEN m.operator_id
                                           WHEN 'reminder' THEN m.reminder_id WHEN 'api' THEN m.token_id
                                           WHEN 'broadcast' THEN m.broadcast_id END, 0) AS author_id,
               date_trunc('hour', CASE m.direction WHEN 'in' THEN m.occurred_at
                   ELSE coalesce(m.accepted_at, m.failed_at, m.occurred_at) END AT TIME ZONE :zone) AS at,
               count(*) FILTER (WHERE m.direction = 'in') AS received,
               count(m.accepted_at) AS sent,
               count(m.accepted_at) FILTER (WHERE m.delivery_level >= 2) AS delivered,
               count(m.accepted_at) FILTER (WHERE m.delivery_level >= 3) AS read,
               count(*) FILTER (WHERE m.state = 'failed') AS failed,
               count(*) FILTER (WHERE m.state = 'failed' AND m.accepted_at IS NULL) AS refused
          FROM message m
         WHERE m.person_id > :first AND m.person_id <= :last
           AND (({_WRITTEN}) OR m.accepted_at IS NOT NULL OR m.state = 'failed')
         GROUP BY 1, 2, 3, 4, 5)
"""  # noqa: S608 (put together from constants)

_MESSAGES = text(f"""
    WITH {_FACTS},
    hours AS (
        INSERT INTO message_hour AS t (generation, environment, number_id, day, hour, received, sent)
        SELECT :id, environment, number_id, at::date, extract(hour FROM at), sum(received), sum(sent) FROM facts
         GROUP BY 2, 3, 4, 5 HAVING sum(received) + sum(sent) > 0
        ON CONFLICT (generation, environment, number_id, day, hour) DO UPDATE
           SET received = t.received + excluded.received, sent = t.sent + excluded.sent),
    days AS (
        INSERT INTO message_day AS t (generation, environment, number_id, level, day, author_kind, author_id,
                                      received, sent, delivered, read, failed, refused)
        SELECT :id, environment, number_id, l.level, at::date, author_kind, l.author_id, sum(received), sum(sent),
               sum(delivered), sum(read), sum(failed), sum(refused)
          FROM facts d {AUTHORS} GROUP BY 2, 3, 4, 5, 6, 7
        ON CONFLICT (generation, environment, number_id, level, day, author_kind, author_id) DO UPDATE
           SET received = t.received + excluded.received, sent = t.sent + excluded.sent,
               delivered = t.delivered + excluded.delivered, read = t.read + excluded.read,
               failed = t.failed + excluded.failed, refused = t.refused + excluded.refused)
    SELECT coalesce(sum(received + sent + refused), 0) FROM facts
""")  # noqa: S608 (put together from constants)

_PLACE = text(f"""
    INSERT INTO active_person (person_id, country)
    SELECT p.id, country_of_person(p.id) FROM person p
     WHERE p.id > :first AND p.id <= :last AND EXISTS (SELECT FROM message m WHERE m.person_id = p.id AND {_WRITTEN})
        ON CONFLICT DO NOTHING
""")  # noqa: S608 (put together from constants)

_ACTIVE = text(f"""
    INSERT INTO active_day (generation, person_id, number_id, day)
    SELECT DISTINCT :id, m.person_id, n.number_id, (m.occurred_at AT TIME ZONE :zone)::date
      FROM message m CROSS JOIN LATERAL (VALUES (0), (m.number_id)) n(number_id)
     WHERE m.person_id > :first AND m.person_id <= :last AND {_WRITTEN}
     ORDER BY 2, 3, 4
""")  # noqa: S608 (put together from constants)

# One statement sees one snapshot: in it the days hold all that the deltas tell, and what comes later is told by later
# deltas. So the gaps are counted at the end, without anybody waiting, instead of upserting most of them per portion.
_GAPS = text(f"""
    WITH told AS (DELETE FROM active_delta WHERE generation = :id),
    days AS (
        SELECT person_id, number_id, day,
               coalesce(lag(day) OVER (PARTITION BY person_id, number_id ORDER BY day), '-infinity'::date) AS previous
          FROM active_day WHERE generation = :id)
    INSERT INTO active_gap (generation, environment, number_id, level, previous, day, country, people)
    SELECT :id, p.environment, d.number_id, l.level, l.previous, d.day, a.country, count(*)
      FROM days d JOIN active_person a USING (person_id) JOIN person p ON p.id = d.person_id {LEVELS}
     WHERE {NEVER} GROUP BY 2, 3, 4, 5, 6, 7
""")  # noqa: S608 (put together from constants)


@dataclass(frozen=True, slots=True)
class Portion:
    messages: int
    is_last: bool


def fill(session: Session, generation: InsightGeneration, people: int) -> Portion | None:
    """Count the next so many people; None while others would have to wait, and somebody has to roll back."""
    session.execute(_PATIENCE)
    try:
        session.execute(_ALONE)
    except OperationalError:
        return None
    session.refresh(generation, with_for_update=True)
    first = generation.filled_to
    if first == EVERYBODY:
        return Portion(0, is_last=True)
    last = session.scalar(_NEXT, {"first": first, "people": people}) or EVERYBODY
    given: dict[str, Any] = {"id": generation.id, "zone": generation.time_zone, "first": first, "last": last}
    counted = int(session.scalar(_MESSAGES, given) or 0)
    session.execute(_PLACE, given)
    session.execute(_ACTIVE, given)
    session.execute(update(InsightGeneration).where(InsightGeneration.id == generation.id).values(filled_to=last))
    return Portion(counted, is_last=last == EVERYBODY)


def finish(session: Session, generation_id: int) -> None:
    """Once everybody is filled in: from the commit on the generation's deltas are folded, and it can be read."""
    session.execute(_GAPS, {"id": generation_id})
    session.execute(update(InsightGeneration).where(InsightGeneration.id == generation_id).values(filled_at=func.now()))


def share(session: Session, generation: InsightGeneration) -> float:
    """How far it has come, from 0 to 1, by the ids of people."""
    newest = session.scalar(text("SELECT max(id) FROM person")) or 0
    return min(1.0, generation.filled_to / newest) if newest else 1.0
