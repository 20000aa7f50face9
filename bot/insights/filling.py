"""A generation is filled while messages come and go: the days of people in portions, then all totals at once.

Whoever counts shares a lock; a portion has it alone for a moment. Before, the triggers count its people not at all,
and after, for good; so everybody is counted once, whatever happens meanwhile.
"""

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.conversations.threads import SILENT_KINDS
from bot.insights import facts, spans
from bot.insights.folding import AUTHORS, COARSE
from bot.insights.generations import EVERYBODY
from bot.models.insights import InsightGeneration

# Less than a deadlock takes to be noticed, so that it is never somebody else who is broken off. Compiling a portion's
# statements would take longer than they do.
_PATIENCE = text("SET LOCAL lock_timeout = '300ms'; SET LOCAL jit = off")
# Nobody has looked yet at how many days there are now, and the best way through them depends on it.
_AMPLY = text("SET LOCAL work_mem = '128MB'; SET LOCAL jit = off; ANALYZE active_day")
_ALONE = text("SELECT pg_advisory_xact_lock(4242008), pg_advisory_xact_lock(4242007)")

_NEXT = text("""
    SELECT CASE count(*) WHEN :people THEN max(id) END
      FROM (SELECT id FROM person WHERE id > :first ORDER BY id LIMIT :people) p
""")

_WRITTEN = f"m.direction = 'in' AND m.kind NOT IN ({', '.join(repr(kind) for kind in sorted(SILENT_KINDS))})"

# In the order of the index it goes into; the number that is left out is any of them.
_ACTIVE = text(f"""
    INSERT INTO active_day (generation, person_id, number_id, day)
    SELECT :id, person_id, coalesce(number_id, 0), day
      FROM (SELECT m.person_id, m.number_id, (m.occurred_at AT TIME ZONE :zone)::date AS day FROM message m
             WHERE m.person_id > :first AND m.person_id <= :last AND {_WRITTEN}) w
     GROUP BY GROUPING SETS ((person_id, day, number_id), (person_id, day))
""")  # noqa: S608 (put together from constants)

_PLACE = text("""
    INSERT INTO active_person (person_id, country)
    SELECT p.id, country_of_person(p.id)
      FROM (SELECT DISTINCT person_id AS id FROM active_day
             WHERE generation = :id AND person_id > :first AND person_id <= :last) p
     WHERE NOT EXISTS (SELECT FROM active_person a WHERE a.person_id = p.id)
        ON CONFLICT DO NOTHING
""")

# One statement sees one snapshot: in it the messages are all that the deltas tell, and what comes later is told by
# later deltas. So totals are counted at the end, each row is written once, and nobody waits.
_MESSAGES = text(f"""
    WITH told AS (DELETE FROM message_delta WHERE generation = :id),
    facts AS MATERIALIZED (
        SELECT m.environment, m.number_id, coalesce(m.author_kind, '') AS author_kind,
               coalesce(CASE m.author_kind WHEN 'broadcast' THEN m.broadcast_id WHEN 'stack' THEN m.journey_id
                                           WHEN 'coach' THEN m.operator_id WHEN 'reminder' THEN m.reminder_id
                                           WHEN 'api' THEN m.token_id END, 0) AS author_id,
               date_trunc('hour', CASE m.direction WHEN 'in' THEN m.occurred_at
                   ELSE coalesce(m.accepted_at, m.failed_at, m.occurred_at) END AT TIME ZONE :zone) AS at,
               count(*) FILTER (WHERE m.direction = 'in') AS received,
               count(m.accepted_at) AS sent,
               count(m.accepted_at) FILTER (WHERE m.delivery_level >= 2) AS delivered,
               count(m.accepted_at) FILTER (WHERE m.delivery_level >= 3) AS read,
               count(*) FILTER (WHERE m.state = 'failed') AS failed,
               count(*) FILTER (WHERE m.state = 'failed' AND m.accepted_at IS NULL) AS refused,
               0 AS replied
          FROM message m
         WHERE (({_WRITTEN}) OR m.accepted_at IS NOT NULL OR m.state = 'failed')
         GROUP BY 1, 2, 3, 4, 5
        UNION ALL
        SELECT environment, number_id, author_kind, author_id, date_trunc('hour', sent_at AT TIME ZONE :zone),
               0, 0, 0, 0, 0, 0, count(*)
          FROM message_reply GROUP BY 1, 2, 3, 4, 5),
    hours AS (
        INSERT INTO message_hour (generation, environment, number_id, day, hour, received, sent)
        SELECT :id, environment, number_id, at::date, extract(hour FROM at), sum(received), sum(sent) FROM facts
         GROUP BY 2, 3, 4, 5 HAVING sum(received) + sum(sent) > 0)
    INSERT INTO message_day (generation, environment, number_id, level, day, author_kind, author_id,
                             received, sent, delivered, read, failed, refused, replied)
    SELECT :id, environment, number_id, l.level, at::date, author_kind, l.author_id, sum(received), sum(sent),
           sum(delivered), sum(read), sum(failed), sum(refused), sum(replied)
      FROM facts d {AUTHORS} GROUP BY 2, 3, 4, 5, 6, 7
""")  # noqa: S608 (put together from constants)

_GAPS = text(f"""
    WITH told AS (DELETE FROM active_delta WHERE generation = :id),
    days AS (
        SELECT person_id, number_id, day,
               coalesce(lag(day) OVER (PARTITION BY person_id, number_id ORDER BY day), '-infinity'::date) AS previous
          FROM active_day WHERE generation = :id),
    gaps AS MATERIALIZED (
        SELECT p.environment, d.number_id, d.previous, d.day, a.country, count(*) AS people
          FROM days d JOIN active_person a USING (person_id) JOIN person p ON p.id = d.person_id
         GROUP BY 1, 2, 3, 4, 5)
    INSERT INTO active_gap (generation, environment, number_id, level, previous, day, country, people)
    SELECT :id, d.environment, d.number_id, l.level, l.previous, d.day, d.country, sum(d.people)
      FROM gaps d CROSS JOIN LATERAL (VALUES {COARSE}) AS l(level, previous) GROUP BY 2, 3, 4, 5, 6, 7
     UNION ALL
    SELECT :id, environment, number_id, 2, previous, day, country, people FROM gaps WHERE previous > '-infinity'
     ORDER BY 3, 4, 5, 6
""")  # noqa: S608 (put together from constants)

_FACTS = text(f"""
    WITH told AS (DELETE FROM fact_delta WHERE generation = :id),
    facts AS MATERIALIZED ({facts.told()}),
    days AS (
        INSERT INTO fact_day (generation, environment, number_id, fact, day, many)
        SELECT :id, environment, number_id, fact, day, sum(many) FROM facts GROUP BY 2, 3, 4, 5 ORDER BY 2, 3, 4, 5),
    steps AS (
        INSERT INTO response_step (generation, environment, number_id, level, day, step, many)
        SELECT :id, environment, number_id, l.level, l.day, response_step(seconds), sum(many)
          FROM facts d {facts.SPANS} WHERE fact = 'answered' GROUP BY 2, 3, 4, 5, 6 ORDER BY 2, 3, 4, 5, 6)
    INSERT INTO response_time (generation, environment, number_id, level, step, day, seconds, many)
    SELECT :id, environment, number_id, l.level, response_step(seconds), l.day, seconds, sum(many)
      FROM facts d {facts.SPANS} WHERE fact = 'answered' GROUP BY 2, 3, 4, 5, 6, 7 ORDER BY 2, 3, 4, 5, 6, 7
""")  # noqa: S608 (put together from constants)

_GOALS = text(f"""
    WITH told_before AS (DELETE FROM goal_span_delta WHERE generation = :id),
    levelled AS MATERIALIZED (
        SELECT d.goal_id, d.number_id, d.part, d.behaviour_id, {spans.STEP} AS step, d.seconds, d.author_kind,
               d.author_id, d.author_step, b.since_level, e.until_level, b.since, e.until, sum(d.people) AS people
          FROM ({spans.TOLD}) d {spans.LEVELS} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13),
    counted AS (
        INSERT INTO goal_span (generation, goal_id, number_id, since_level, until_level, since, until, part,
                               behaviour_id, step, people)
        SELECT :id, goal_id, number_id, since_level, until_level, since, until, part, behaviour_id, step, sum(people)
          FROM levelled GROUP BY 2, 3, 4, 5, 6, 7, 8, 9, 10 HAVING sum(people) <> 0
         ORDER BY 2, 3, 4, 5, 6, 7, 8, 9, 10),
    authors AS (
        INSERT INTO goal_span_author (generation, goal_id, part, behaviour_id, number_id, since_level, until_level,
                                      since, until, author_kind, author_id, author_step, people)
        SELECT :id, goal_id, part, behaviour_id, number_id, since_level, until_level, since, until, author_kind,
               author_id, author_step, sum(people)
          FROM levelled GROUP BY 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 HAVING sum(people) <> 0
         ORDER BY 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    INSERT INTO goal_span_time (generation, goal_id, number_id, step, since_level, until_level, since, until, seconds,
                                people)
    SELECT :id, goal_id, number_id, step, since_level, until_level, since, until, seconds, sum(people)
      FROM levelled WHERE seconds IS NOT NULL GROUP BY 2, 3, 4, 5, 6, 7, 8, 9 HAVING sum(people) <> 0
     ORDER BY 2, 3, 4, 5, 6, 7, 8, 9
""")  # noqa: S608 (put together from constants)


def fill(session: Session, generation: InsightGeneration, people: int) -> bool | None:
    """Note the days of the next so many people; whether they were the last.

    None while others would have to wait, and somebody has to roll back.
    """
    session.execute(_PATIENCE)
    try:
        session.execute(_ALONE)
    except OperationalError:
        return None
    session.refresh(generation, with_for_update=True)
    first = generation.filled_to
    if first == EVERYBODY:
        return True
    last = session.scalar(_NEXT, {"first": first, "people": people}) or EVERYBODY
    given = {"id": generation.id, "first": first, "last": last}
    session.execute(_ACTIVE, {**given, "zone": generation.time_zone})
    session.execute(_PLACE, given)
    session.execute(update(InsightGeneration).where(InsightGeneration.id == generation.id).values(filled_to=last))
    return last == EVERYBODY


def finish(session: Session, generation_id: int) -> bool:
    """Once everybody is filled in: count the totals; False if that was done, or there is no such generation any more.

    From the commit on the generation's deltas are folded, and it can be read.
    """
    generation = session.get(InsightGeneration, generation_id, with_for_update=True)
    if generation is None or generation.filled_at is not None:
        return False
    session.execute(_AMPLY)
    session.execute(_MESSAGES, {"id": generation_id, "zone": generation.time_zone})
    session.execute(_GAPS, {"id": generation_id})
    session.execute(_FACTS, {"id": generation_id, "zone": generation.time_zone})
    session.execute(_GOALS, {"id": generation_id})
    generation.filled_at = session.scalars(select(func.now())).one()
    session.flush()
    return True


def share(session: Session, generation: InsightGeneration) -> float:
    """How far it has come, from 0 to 1, by the ids of people."""
    newest = session.scalar(text("SELECT max(id) FROM person")) or 0
    return min(1.0, generation.filled_to / newest) if newest else 1.0
