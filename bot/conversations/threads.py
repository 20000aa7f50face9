"""The thread of a person and a number: an inbound message opens or reopens it, a coach closes and may reopen it.

What the business writes elsewhere, in the phone app, makes a thread known, so that it can be read and opened; it leaves
it closed, for the list of open threads is the list of people who wait for an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import live
from bot.models.connection import Number

SILENT_KINDS = frozenset({"reaction", "system", "ephemeral", "request_welcome"})
"""Kept in the thread, but nothing that somebody wrote: they neither open it nor start a journey, nor are unread."""


@dataclass(frozen=True, slots=True)
class Received:
    """An inbound message that was stored just now, by its event time."""

    person_id: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """An echo that was stored just now: what the business wrote elsewhere, by its event time."""

    number: Number
    person_id: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class ThreadChange:
    """`first_ever`: nothing had ever come in from this person on this number."""

    conversation_id: int
    opened: bool
    reopened: bool
    first_ever: bool


_HUMANS = "('coach', 'app', 'api')"

_TOLD = """
    told AS (
        SELECT person_id, min(at) AS first_at, max(at) AS last_at, count(*) AS messages
          FROM unnest(CAST(:people AS bigint[]), CAST(:times AS timestamptz[])) AS t(person_id, at)
         GROUP BY person_id)
"""

# The rows are held before they are changed, in one order, so that a coach who closes just now goes before or after.
_HOLD = text("""
    SELECT person_id, state, last_inbound_at FROM conversation
     WHERE number_id = :number_id AND person_id = ANY(CAST(:people AS bigint[]))
     ORDER BY id FOR UPDATE
""")

# What a human has answered by the time it is heard of waits for nobody. WhatsApp tells whole seconds.
_OPEN = text(f"""
    WITH {_TOLD}
    INSERT INTO conversation
        (environment, person_id, number_id, state, last_message_at, last_inbound_at, unread_count, waiting_since)
    SELECT :environment, person_id, :number_id, 'open', last_at, last_at, messages,
           CASE WHEN NOT EXISTS (
               SELECT FROM message m
                WHERE m.person_id = told.person_id AND m.number_id = :number_id
                  AND m.occurred_at >= told.last_at + interval '1 second' AND m.author_kind IN {_HUMANS})
           THEN least(first_at, now()) END
      FROM told ORDER BY person_id
    ON CONFLICT (person_id, number_id) DO UPDATE
       SET state = 'open',
           last_message_at = greatest(conversation.last_message_at, excluded.last_message_at),
           last_inbound_at = greatest(conversation.last_inbound_at, excluded.last_inbound_at),
           unread_count = conversation.unread_count + excluded.unread_count,
           waiting_since = least(conversation.waiting_since, excluded.waiting_since)
    RETURNING id, person_id
""")  # noqa: S608 (put together from constants)

# An episode never begins before the one before it ended, however late its message was heard of.
_BEGIN = text(f"""
    WITH {_TOLD}
    INSERT INTO episode (conversation_id, opened_at, opened_by, number_id, reopens)
    SELECT c.id, greatest(least(told.first_at, now()), before.ended_at), 'person', c.number_id,
           before.ended_at IS NOT NULL
      FROM told JOIN conversation c ON c.person_id = told.person_id AND c.number_id = :number_id
     CROSS JOIN LATERAL (SELECT max(e.closed_at) AS ended_at FROM episode e WHERE e.conversation_id = c.id) before
     ORDER BY c.id
    ON CONFLICT (conversation_id) WHERE closed_at IS NULL DO NOTHING
    RETURNING conversation_id
""")  # noqa: S608 (put together from constants)

_KNOW = text("""
    INSERT INTO conversation (environment, person_id, number_id, state, last_message_at)
    SELECT environment, person_id, number_id, 'closed', max(at)
      FROM unnest(CAST(:environments AS text[]), CAST(:people AS bigint[]), CAST(:numbers AS bigint[]),
                  CAST(:times AS timestamptz[])) AS t(environment, person_id, number_id, at)
     GROUP BY environment, person_id, number_id
     ORDER BY number_id, person_id
    ON CONFLICT (person_id, number_id) DO UPDATE
       SET last_message_at = greatest(conversation.last_message_at, excluded.last_message_at)
""")

_CLOSE = text("""
    UPDATE conversation SET state = 'closed', unread_count = 0, waiting_since = NULL WHERE id = :id AND state = 'open'
    RETURNING environment
""")

_END = text("""
    UPDATE episode e
       SET closed_at = greatest(clock_timestamp(), e.opened_at),
           closed_by_operator_id = :operator_id,
           closed_without_reply = NOT EXISTS (
               SELECT FROM message m
                WHERE m.person_id = c.person_id AND m.number_id = c.number_id
                  AND m.author_kind IN ('coach', 'app') AND m.occurred_at >= e.opened_at)
      FROM conversation c
     WHERE c.id = :id AND e.conversation_id = c.id AND e.closed_at IS NULL
""")

_REOPEN = text("""
    WITH reopened AS (
        UPDATE conversation SET state = 'open' WHERE id = :id AND state = 'closed' RETURNING id, environment, number_id)
    INSERT INTO episode (conversation_id, opened_at, opened_by, opened_by_operator_id, number_id, reopens)
    SELECT id, clock_timestamp(), 'coach', :operator_id, number_id,
           EXISTS (SELECT FROM episode e WHERE e.conversation_id = reopened.id)
      FROM reopened
    RETURNING (SELECT environment FROM reopened)
""")


def receive(session: Session, number: Number, items: Sequence[Received]) -> dict[int, ThreadChange]:
    """Open or reopen the thread of everybody who wrote; changes by person id. One item per stored message."""
    if not items:
        return {}
    told = {"people": [item.person_id for item in items], "times": [item.occurred_at for item in items]}
    live.tell(session, live.inbox(number.environment))
    held = {row.person_id: row for row in session.execute(_HOLD, {"number_id": number.id, "people": told["people"]})}
    ids = {
        row.person_id: row.id
        for row in session.execute(_OPEN, {**told, "environment": number.environment, "number_id": number.id})
    }
    for conversation_id in ids.values():
        live.tell(session, live.thread(conversation_id))
    opening = [item for item in items if item.person_id not in held or held[item.person_id].state == "closed"]
    if opening:
        people, times = [item.person_id for item in opening], [item.occurred_at for item in opening]
        session.execute(_BEGIN, {"people": people, "times": times, "number_id": number.id})
    return {
        person_id: ThreadChange(
            conversation_id=conversation_id,
            opened=person_id not in held,
            reopened=person_id in held and held[person_id].state == "closed",
            first_ever=person_id not in held or held[person_id].last_inbound_at is None,
        )
        for person_id, conversation_id in ids.items()
    }


def write(session: Session, items: Sequence[Written]) -> None:
    """Make threads known, and newer, by what was written elsewhere; opens none and no 24-hour window."""
    if items:
        told: dict[str, list[Any]] = {
            "environments": [item.number.environment for item in items],
            "people": [item.person_id for item in items],
            "numbers": [item.number.id for item in items],
            "times": [item.occurred_at for item in items],
        }
        session.execute(_KNOW, told)
        for environment in sorted(set(told["environments"])):
            live.tell(session, live.inbox(environment))


def close(session: Session, conversation_id: int, operator_id: int) -> bool:
    """Close an open thread; False if it was closed already.

    Records whether anybody had written in this episode: a coach here, or somebody in the phone app.
    """
    environment = session.scalar(_CLOSE, {"id": conversation_id})
    if environment is None:
        return False
    session.execute(_END, {"id": conversation_id, "operator_id": operator_id})
    live.tell(session, live.inbox(environment))
    live.tell(session, live.thread(conversation_id))
    return True


def reopen(session: Session, conversation_id: int, operator_id: int) -> bool:
    """Open a closed thread again in a coach's name; False if it was open."""
    environment = session.scalar(_REOPEN, {"id": conversation_id, "operator_id": operator_id})
    if environment is not None:
        live.tell(session, live.inbox(environment))
        live.tell(session, live.thread(conversation_id))
    return environment is not None
