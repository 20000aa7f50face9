"""What the clock does for Insights: fold, and fill a generation where there is none yet or the zone has changed."""

import threading
import time

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.insights import filling, folding, generations
from bot.models.insights import InsightGeneration
from bot.runtime import Runtime

log = structlog.get_logger()

FILL_S = 0.5
"""Of one sweep: reminders wait for it."""
_PORTION_S = 0.2
_FEWEST, _MOST = 200, 20_000
_LOCK = text("SELECT pg_try_advisory_xact_lock(4242009)")
_WAIT = text("SELECT pg_advisory_xact_lock(4242009)")


def sweep(rt: Runtime) -> None:
    """Fold what has been counted; then, if need be, count a portion from zero."""
    with rt.transaction() as session:
        folding.fold(session)
    with rt.sessions() as keeper, keeper.begin():
        if keeper.scalar(_LOCK):  # else somebody rebuilds by hand
            _keep_filled(rt, FILL_S)
    with rt.transaction() as session:
        generations.tidy(session)


def _keep_filled(rt: Runtime, for_s: float) -> None:
    zone = rt.settings.time_zone
    with rt.transaction() as session:
        current = generations.current(session)
        if current is not None and current.time_zone == zone:
            generations.drop_unfinished(session)
            return
        found = generations.building(session, zone) or generations.begin(session, zone)
    if fill(rt, found.id, for_s):  # of many messages the totals take a while, for which reminders should not wait
        threading.Thread(target=_complete, args=(rt, found.id), daemon=True).start()


def _complete(rt: Runtime, generation_id: int) -> None:
    try:
        with rt.transaction() as session:
            session.execute(_WAIT)  # for the sweep, which is about to end
            if not filling.finish(session, generation_id):
                return
            generations.put_in_place(session, generation_id)
    except SQLAlchemyError as error:  # the next sweep comes back to it
        log.warning("insights.not_filled", error=type(error).__name__)
    else:
        log.info("insights.filled")


def fill(rt: Runtime, generation_id: int, for_s: float) -> bool:
    """Fill in portions of people for so long; whether everybody is in, so that the totals can be counted."""
    deadline, people = time.monotonic() + for_s, _FEWEST
    while time.monotonic() < deadline:
        began = time.monotonic()
        is_last = _portion(rt, generation_id, people)
        if is_last is None:
            continue
        if is_last:
            return True
        took = max(time.monotonic() - began, 0.001)
        people = round(max(_FEWEST, min(people * _PORTION_S / took, people * 4, _MOST)))
    return False


def _portion(rt: Runtime, generation_id: int, people: int) -> bool | None:
    with rt.sessions() as session:
        generation = session.get_one(InsightGeneration, generation_id)
        is_last = filling.fill(session, generation, people)
        if is_last is None:
            session.rollback()
        else:
            session.commit()
        return is_last
