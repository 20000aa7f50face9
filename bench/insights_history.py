"""What Insights is measured on: people who write and are written to, their conversations, wishes, clicks and goals.

Made in bulk with a fixed seed, a portion of people at a time.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.goals import links
from bot.models.words import PropertyType
from bot.people import properties
from bot.team.audit import COMMAND
from tests import factories as make
from tests.goals.aims import attribute, event, keyword, make_goal, step
from tests.harness.house import House

EACH = 20
"""Messages of a person, both ways in turn; to each ten of them an episode."""
DAYS = 400
GOALS = 6
COACHES = 30
PORTION = 25_000
_JOURNEY = {
    "start": {"first_message": False, "keywords": ["lesson"]},
    "steps": [{"say": "Hello."}, {"say": "Done."}],
}

_COUNTRIES = ("20", "20", "20", "55", "55", "91", "91", "91", "49", "1416", "1212", "27", "254", "62", "62", "44", "33")

# Whoever came early says as much as whoever came late: all of it lies between a person's first day and today.
_MAKE = text("""
    WITH seeded AS MATERIALIZED (SELECT setseed(:seed)),
    people AS (
        INSERT INTO person (environment, distinct_id, first_name)
        SELECT 'live', 'insights-' || n, 'Name' FROM seeded, generate_series(CAST(:first AS int), CAST(:last AS int)) n
        RETURNING id),
    placed AS (
        SELECT id, row_number() OVER (ORDER BY id) AS n, now() - random() * :days * interval '1 day' AS joined
          FROM people),
    addresses AS (
        INSERT INTO address (environment, person_id, kind, value)
        SELECT 'live', id, 'phone', '+' || (CAST(:countries AS text[]))[(1 + n % :countries_count)::int]
                                    || lpad(id::text, 8, '0')
          FROM placed)
    INSERT INTO message (environment, number_id, person_id, direction, kind, occurred_at, author_kind, journey_id,
                         operator_id, token_id, broadcast_id, state, accepted_at, delivery_level, provider_message_id)
    SELECT 'live', (CAST(:numbers AS bigint[]))[(1 + p.n % 2)::int], p.id,
           CASE kind WHEN '' THEN 'in' ELSE 'out' END, 'text', at, nullif(kind, ''),
           CASE kind WHEN 'stack' THEN 1 + which % 20 END,
           CASE kind WHEN 'coach' THEN 1 + which % 30 END, CASE kind WHEN 'api' THEN 1 + which % 5 END,
           CASE kind WHEN 'broadcast' THEN extract(epoch FROM at)::bigint / 172800 END,
           CASE kind WHEN '' THEN 'received' ELSE 'accepted' END, CASE kind WHEN '' THEN NULL ELSE at END,
           CASE kind WHEN '' THEN 0 ELSE which % 4 END, 'wamid.insights.' || p.id || '.' || k
      FROM placed p CROSS JOIN generate_series(1, CAST(:each AS int)) k
     CROSS JOIN LATERAL (SELECT p.joined + random() * (now() - p.joined) AS at, (1000 * random())::int AS which,
                                CASE WHEN k % 2 = 1 THEN ''
                                     ELSE (ARRAY['stack', 'stack', 'stack', 'coach', 'api', 'broadcast'])
                                          [(1 + (p.n + k / 2) % 6)::int] END AS kind) m
""")


# A person's time is cut into as many pieces as there are episodes: in each somebody opens, and most often answers and
# closes. Half are answered within 8 minutes, some after days.
_TALK = text("""
    WITH seeded AS MATERIALIZED (SELECT setseed(:seed)),
    threads AS (
        INSERT INTO conversation (environment, person_id, number_id, state, last_message_at, last_inbound_at,
                                  waiting_since)
        SELECT 'live', person_id, number_id, CASE WHEN person_id % 25 = 0 THEN 'open' ELSE 'closed' END,
               max(occurred_at), max(occurred_at), CASE WHEN person_id % 50 = 0 THEN max(occurred_at) END
          FROM seeded, message WHERE person_id BETWEEN :first AND :last GROUP BY person_id, number_id
        RETURNING id, person_id, number_id, state),
    pieces AS (
        SELECT t.id, t.number_id, k > 1 AS reopens, t.state = 'open' AND k = many AS is_open,
               random() AS which, random() AS took,
               b.at + (now() - b.at) * (k - 1 + random() / 2) / many AS opened_at,
               b.at + (now() - b.at) * k / many AS ends_at
          FROM threads t
          JOIN (SELECT person_id, min(occurred_at) AS at FROM message
                 WHERE person_id BETWEEN :first AND :last GROUP BY 1) b USING (person_id)
         CROSS JOIN LATERAL (SELECT 2 + t.person_id % 2 AS many) m
         CROSS JOIN LATERAL generate_series(1, m.many) k)
    INSERT INTO episode (conversation_id, opened_at, opened_by, first_reply_at, first_reply_operator_id, closed_at,
                         closed_by_operator_id, closed_by_rule, closed_without_reply, number_id, reopens)
    SELECT id, opened_at, CASE WHEN which < 0.9 THEN 'person' ELSE 'coach' END,
           CASE WHEN which < 0.7 THEN least(opened_at + interval '1 second' * exp(2 + 8 * took), now()) END,
           CASE WHEN which < 0.6 THEN (CAST(:coaches AS bigint[]))[1 + id % :coaches_count] END,
           CASE WHEN NOT is_open THEN least(opened_at + interval '1 minute' * exp(9 * took), ends_at) END,
           CASE WHEN NOT is_open AND which < 0.8 THEN (CAST(:coaches AS bigint[]))[1 + id % :coaches_count] END,
           NOT is_open AND which >= 0.8, CASE WHEN NOT is_open THEN which >= 0.7 END,
           number_id, reopens
      FROM pieces ORDER BY id, opened_at
""")
_WISH = text("""
    INSERT INTO consent_event (environment, person_id, category, value, source, occurred_at)
    SELECT 'live', p.id, 'marketing', w.value, 'word', now() - random() * :days * interval '1 day'
      FROM (SELECT setseed(:seed)) s, person p
     CROSS JOIN LATERAL (VALUES ('resume', p.id % 8 = 0), ('stop', p.id % 20 = 0)) w(value, is_said)
     WHERE p.id BETWEEN :first AND :last AND w.is_said
""")
# Of each goal some begin, most of them on one day, and fewer get on from one behaviour to the next.
_DO = text("""
    INSERT INTO behaviour_day (behaviour_id, person_id, day, environment, at, number_id, author_kind, author_id)
    SELECT b.id, p.id, (f.at AT TIME ZONE 'UTC')::date, 'live', f.at, (CAST(:numbers AS bigint[]))[1 + p.id % 2],
           (ARRAY['stack', 'coach', 'broadcast', ''])[1 + p.id % 4], CASE p.id % 4 WHEN 3 THEN 0 ELSE 1 + p.id % 20 END
      FROM person p CROSS JOIN behaviour b CROSS JOIN LATERAL generate_series(0, (p.id % 3 = 0)::int) again
     CROSS JOIN LATERAL (SELECT (hashint8extended(p.id, b.goal_id) & 65535) / 65536.0 AS began,
                                (hashint8extended(p.id, b.id) & 255) / 256.0 AS later) h
     CROSS JOIN LATERAL (SELECT least(now() - interval '1 day' * (:days * began - (b.position + 9 * again) * later * 3),
                                      now()) AS at) f
     WHERE p.id BETWEEN :first AND :last AND (p.id + 17 * b.goal_id) % 36 = 0
       AND (p.id / 36) % 10 < 10 - 2 * b.position
    ON CONFLICT DO NOTHING
""")
_CLICK = text("""
    INSERT INTO link_click (environment, link_id, person_id, at, is_preview)
    SELECT 'live', l.id, p.id, now() - random() * :days * interval '1 day', p.id % 3 = 0
      FROM (SELECT setseed(:seed)) s, person p CROSS JOIN tracked_link l
     WHERE p.id BETWEEN :first AND :last AND p.id % 10 = 0
""")


def set_up(session: Session) -> list[int]:
    """Goals with behaviours of each kind, and coaches; the ids of these."""
    journey = make.make_journey(session, spec=_JOURNEY)
    properties.declare(session, "live", {"grade": PropertyType.NUMBER}, None)
    links.create(session, "live", "course", "https://example.org/course", COMMAND)
    follow = {"name": "followed", "kind": "link", "condition": {"link": "course"}}
    for n in range(GOALS):
        begins = keyword("good morning" if n == 1 else f"lesson {n}", "bonjour") if n % 2 else step(journey.name, 1)
        make_goal(session, begins, event(f"done {n}"), follow, attribute("grade", ">=", 5), name=f"Goal {n}")
    return [make.make_operator(session, "coach").id for _ in range(COACHES)]


def make_people(house: House, numbers: list[int], coaches: Sequence[int], first: int, last: int) -> None:
    """Without triggers and checks: it is all of a piece, and is counted afterwards."""
    given: dict[str, Any] = {"days": DAYS, "numbers": numbers, "each": EACH, "countries": list(_COUNTRIES)}
    given |= {"countries_count": len(_COUNTRIES), "coaches": list(coaches), "coaches_count": len(coaches)}
    for at in range(first, last + 1, PORTION):
        with house.rt.transaction() as session:
            session.execute(text("SET LOCAL session_replication_role = replica; SET LOCAL jit = off"))
            values = {**given, "first": at, "last": min(at + PORTION - 1, last), "seed": at % 1009 / 1009}
            newest = session.scalar(text("SELECT coalesce(max(id), 0) FROM person"))
            _run(session, _MAKE, values)
            values |= {"first": newest + 1, "last": session.scalar(text("SELECT max(id) FROM person"))}
            for statement in (_TALK, _WISH, _DO, _CLICK):
                _run(session, statement, values)
    tables = "person, address, message, conversation, episode, consent_event, behaviour_day, link_click"
    with house.rt.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM (ANALYZE) {tables}"))


def _run(session: Session, statement: Any, values: dict[str, Any]) -> None:  # noqa: ANN401 (a statement)
    session.execute(statement, {name: values[name] for name in statement.compile().params})
