"""Everything counted anew beside what is there: what differs is told, then the new takes the old one's place."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from bot.insights import comparing, filling, generations, jobs
from bot.runtime import Runtime

_LOCK = text("SELECT pg_advisory_xact_lock(4242009)")
_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_LONG_S = 86_400.0
_BRIEFLY = text("SET LOCAL lock_timeout = '60s'")
_IDLE = text("SET LOCAL idle_in_transaction_session_timeout = 0")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    differences: Sequence[str] | None
    """None: there was nothing to compare with, or it has the days of another zone."""


def rebuild(rt: Runtime, *, only_check: bool = False) -> Rebuilt:
    """Safe while messages come and go; with `only_check` what is there stays. One at a time."""
    zone = rt.settings.time_zone
    with rt.sessions() as keeper, keeper.begin():
        keeper.execute(_BRIEFLY)
        keeper.execute(_IDLE)
        keeper.execute(_LOCK)
        with rt.transaction() as session:
            current = generations.current(session)
            generations.drop_unfinished(session)
            made = generations.begin(session, zone)
        while not jobs.fill(rt, made.id, _LONG_S):
            pass
        with rt.transaction() as session:
            filling.finish(session, made.id)
        found = None
        if current is not None and current.time_zone == zone:
            found = _compare(rt, current.id, made.id)
        with rt.transaction() as session:
            if only_check:
                generations.drop(session, made.id)
            else:
                generations.put_in_place(session, made.id)
    _tidy(rt)
    return Rebuilt(found)


def _compare(rt: Runtime, old: int, new: int) -> Sequence[str]:
    with rt.sessions() as session, session.begin():
        session.execute(_SNAPSHOT)
        return list(comparing.differences(session, old, new))


def _tidy(rt: Runtime) -> None:
    while True:
        with rt.transaction() as session:
            if not generations.tidy(session):
                return
