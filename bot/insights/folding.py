"""Deltas become totals. Readers add up both, so that it does not matter when; one process at a time does it."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.insights import facts, generations, spans

AT_ONCE: Final = 20_000

_TAKEN = """
    taken AS MATERIALIZED (
        DELETE FROM {table} WHERE id IN (
            SELECT id FROM {table} WHERE generation NOT IN (SELECT id FROM insight_generation WHERE filled_at IS NULL)
             ORDER BY id LIMIT :at_once) RETURNING *),
    kept AS (SELECT * FROM taken WHERE generation IN (SELECT id FROM insight_generation))
"""

AUTHORS: Final = "CROSS JOIN LATERAL (VALUES (0, 0), (1, d.author_id)) AS l(level, author_id)"
"""A kind's messages, and those of each of its authors."""

_MESSAGES = text(f"""
    WITH {_TAKEN.format(table="message_delta")},
    hours AS (
        INSERT INTO message_hour AS t (generation, environment, number_id, day, hour, received, sent)
        SELECT generation, environment, number_id, day, hour, sum(received), sum(sent) FROM kept
         GROUP BY 1, 2, 3, 4, 5 HAVING sum(received) <> 0 OR sum(sent) <> 0
        ON CONFLICT (generation, environment, number_id, day, hour) DO UPDATE
           SET received = t.received + excluded.received, sent = t.sent + excluded.sent),
    days AS (
        INSERT INTO message_day AS t (generation, environment, number_id, level, day, author_kind, author_id,
                                      received, sent, delivered, read, failed, refused, replied)
        SELECT generation, environment, number_id, l.level, day, author_kind, l.author_id, sum(received), sum(sent),
               sum(delivered), sum(read), sum(failed), sum(refused), sum(replied)
          FROM kept d {AUTHORS} GROUP BY 1, 2, 3, 4, 5, 6, 7
        ON CONFLICT (generation, environment, number_id, level, day, author_kind, author_id) DO UPDATE
           SET received = t.received + excluded.received, sent = t.sent + excluded.sent,
               delivered = t.delivered + excluded.delivered, read = t.read + excluded.read,
               failed = t.failed + excluded.failed, refused = t.refused + excluded.refused,
               replied = t.replied + excluded.replied)
    SELECT count(*) FROM taken
""")  # noqa: S608 (put together from constants)

COARSE: Final = "(0, '-infinity'::date), (1, date_trunc('week', d.previous)::date)"
"""The levels at which many gaps are one."""
LEVELS: Final = f"CROSS JOIN LATERAL (VALUES {COARSE}, (2, d.previous)) AS l(level, previous)"
"""A gap at each level it counts at; the last one only where there is a day before (`NEVER`)."""
NEVER: Final = "(l.level < 2 OR d.previous > '-infinity')"

_ACTIVE = text(f"""
    WITH {_TAKEN.format(table="active_delta")},
    gaps AS (
        INSERT INTO active_gap AS t (generation, environment, number_id, level, previous, day, country, people)
        SELECT d.generation, d.environment, d.number_id, l.level, l.previous, d.day, d.country, sum(d.people)
          FROM kept d {LEVELS} WHERE {NEVER} GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(d.people) <> 0
        ON CONFLICT (generation, environment, number_id, level, previous, day, country) DO UPDATE
           SET people = t.people + excluded.people)
    SELECT count(*) FROM taken
""")  # noqa: S608 (put together from constants)

_FACTS = text(f"""
    WITH {_TAKEN.format(table="fact_delta")},
    days AS (
        INSERT INTO fact_day AS t (generation, environment, number_id, fact, day, many)
        SELECT generation, environment, number_id, fact, day, sum(many) FROM kept GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (generation, environment, number_id, fact, day) DO UPDATE SET many = t.many + excluded.many),
    steps AS (
        INSERT INTO response_step AS t (generation, environment, number_id, level, day, step, many)
        SELECT generation, environment, number_id, l.level, l.day, response_step(seconds), sum(many)
          FROM kept d {facts.SPANS} WHERE fact = 'answered' GROUP BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (generation, environment, number_id, level, day, step) DO UPDATE
           SET many = t.many + excluded.many),
    times AS (
        INSERT INTO response_time AS t (generation, environment, number_id, level, step, day, seconds, many)
        SELECT generation, environment, number_id, l.level, response_step(seconds), l.day, seconds, sum(many)
          FROM kept d {facts.SPANS} WHERE fact = 'answered' GROUP BY 1, 2, 3, 4, 5, 6, 7
        ON CONFLICT (generation, environment, number_id, level, step, day, seconds) DO UPDATE
           SET many = t.many + excluded.many)
    SELECT count(*) FROM taken
""")  # noqa: S608 (put together from constants)

_PLACE = "b.since_level, e.until_level, b.since, e.until"
_PLACED = "since_level, until_level, since, until"
_GOALS = text(f"""
    WITH {_TAKEN.format(table="goal_span_delta")},
    spans AS (
        INSERT INTO goal_span AS t (generation, goal_id, number_id, part, behaviour_id, step, {_PLACED}, people)
        SELECT generation, goal_id, number_id, part, behaviour_id, {spans.STEP}, {_PLACE}, sum(people)
          FROM kept d {spans.LEVELS} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 HAVING sum(people) <> 0
        ON CONFLICT (generation, goal_id, number_id, {_PLACED}, part, behaviour_id, step) DO UPDATE
           SET people = t.people + excluded.people),
    authors AS (
        INSERT INTO goal_span_author AS t (generation, goal_id, number_id, part, behaviour_id, author_kind, author_id,
                                           author_step, {_PLACED}, people)
        SELECT generation, goal_id, number_id, part, behaviour_id, author_kind, author_id, author_step, {_PLACE},
               sum(people)
          FROM kept d {spans.LEVELS} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 HAVING sum(people) <> 0
        ON CONFLICT (generation, goal_id, part, behaviour_id, number_id, {_PLACED}, author_kind, author_id, author_step)
           DO UPDATE SET people = t.people + excluded.people),
    times AS (
        INSERT INTO goal_span_time AS t (generation, goal_id, number_id, step, seconds, {_PLACED}, people)
        SELECT generation, goal_id, number_id, {spans.STEP}, seconds, {_PLACE}, sum(people)
          FROM kept d {spans.LEVELS} WHERE seconds IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
        HAVING sum(people) <> 0
        ON CONFLICT (generation, goal_id, number_id, step, {_PLACED}, seconds) DO UPDATE
           SET people = t.people + excluded.people)
    SELECT count(*) FROM taken
""")  # noqa: S608 (put together from constants)


def fold(session: Session, at_once: int = AT_ONCE) -> int:
    """Add up to so many deltas of each kind to the totals; how many there were, 0 also while somebody else does it."""
    if not session.scalar(generations.LOCK):
        return 0
    return sum(session.scalar(step, {"at_once": at_once}) or 0 for step in (_MESSAGES, _ACTIVE, _FACTS, _GOALS))
