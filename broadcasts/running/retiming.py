"""Whoever is in quiet hours by now, having waited too long for their message, waits for the end of these."""

from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot import runtime
from bot.models.broadcast import Broadcast
from bot.models.words import BroadcastState
from bot.people.zones import zone_of
from broadcasts.audience import making
from broadcasts.audience.quiet import QuietHours

CHUNK: Final = 5000

_OVERDUE = text("""
    SELECT m.id, coalesce(p.time_zone, '') AS time_zone, coalesce(p.country, '') AS country
      FROM message m JOIN person p ON p.id = m.person_id
     WHERE m.broadcast_id = :broadcast_id AND m.state = 'queued' AND m.quiet_at <= now()
     ORDER BY m.id LIMIT :limit FOR UPDATE OF m SKIP LOCKED
""")
_PUT_OFF = text("""
    UPDATE message m SET not_before = greatest(t.not_before, m.not_before), quiet_at = t.quiet_at
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(id bigint, not_before timestamptz, quiet_at timestamptz)
     WHERE m.id = t.id AND m.state = 'queued'
""")


def put_off(session: Session) -> int:
    """Of each running broadcast a chunk; how many people. Until then the sender leaves them alone by `quiet_at`."""
    now = session.scalars(select(func.now())).one()
    running = select(Broadcast).where(Broadcast.state == BroadcastState.RUNNING).order_by(Broadcast.id)
    return sum(_of_broadcast(session, each, now) for each in session.scalars(running).all())


def _of_broadcast(session: Session, broadcast: Broadcast, now: datetime) -> int:
    """Where the hours were lifted meanwhile, nobody waits for their end."""
    hours = making.quiet_hours(session, broadcast)
    found = session.execute(_OVERDUE, {"broadcast_id": broadcast.id, "limit": CHUNK}).all()
    clocks = {(each.time_zone, each.country) for each in found}
    times = {clock: _free(hours, *clock, now) for clock in clocks}
    rows = [{"id": each.id} | times[each.time_zone, each.country] for each in found]
    if rows:
        session.execute(_PUT_OFF, {"rows": orjson.dumps(rows).decode()})
    return len(rows)


def _free(hours: QuietHours | None, time_zone: str, country: str, now: datetime) -> dict[str, datetime | None]:
    if hours is None:
        return {"not_before": None, "quiet_at": None}
    begins, ends = hours.free(now, zone_of(time_zone, country, runtime.current().settings.time_zone))
    return {"not_before": begins, "quiet_at": ends}
