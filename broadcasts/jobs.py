"""The bulk pump (audiences, cancellations, templates, imports) and the sweep that finds what no doorbell announced."""

import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from bot import ending, queue, runtime
from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.models.words import BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts.imports import imports, pump
from broadcasts.running import materialising, retiming, schedule, settling, turning
from broadcasts.templates import fetching

log = structlog.get_logger()

_LATE = timedelta(days=2)
"""After a cancellation; no sender has a row of it for longer, and the older ones are not looked through for ever."""


def work() -> None:
    """RQ job. Any number of these may run at once, on any hosts; leases and row locks decide who does what."""
    rt = runtime.current()
    queue.answer(rt.redis, "bulk")
    until = time.monotonic() + rt.settings.pump_s
    while not _is_over(until) and (_prepare_audiences(rt, until) or fetching.work(rt) or _import(rt, until)):
        pass
    with rt.transaction() as session:
        has_more = is_due(session)
    if has_more:
        rt.ring("bulk")


def sweep(rt: Runtime) -> None:
    """Finish what has ended and ring for what waits; the clock calls this every few seconds."""
    changed = sum(_apart(rt, step) for step in (schedule.begin_due, turning.turn, settling.settle))
    with rt.transaction() as session:
        given_up = imports.give_up(session)
        has_work = is_due(session)
    if changed:
        log.info("broadcasts.settled", broadcasts=changed)
        rt.ring("send")
    if given_up:
        log.info("imports.given_up", imports=given_up)
    if has_work:
        rt.ring("bulk")


def _apart(rt: Runtime, step: Callable[[Session], int]) -> int:
    """In a transaction of its own, so that no clock holds one broadcast while it waits for another."""
    with rt.transaction() as session:
        return step(session)


def watch(rt: Runtime) -> None:
    """Stop by itself whatever goes wrong; the clock calls this every few seconds."""
    with rt.transaction() as session:
        stopped = turning.watch(session)
    if stopped:
        log.warning("broadcasts.stopped", broadcasts=stopped)


def keep_quiet(rt: Runtime) -> None:
    """Put off whoever is in quiet hours by now; the clock calls this every minute."""
    put_off = 1
    while put_off and not ending.is_told():
        with rt.transaction() as session:
            put_off = retiming.put_off(session)


def is_due(session: Session) -> bool:
    """Whether the bulk worker has anything to do."""
    return bool(_launched(session)) or bool(_cancelled(session)) or fetching.is_due(session) or pump.is_due(session)


def _launched(session: Session) -> list[int]:
    found = select(Broadcast.id).where(Broadcast.state == BroadcastState.MATERIALISING)
    return list(session.scalars(found.order_by(Broadcast.launched_at)))


def _cancelled(session: Session) -> list[int]:
    """Broadcasts that were cancelled and in which somebody still waits."""
    waiting = exists().where(Message.broadcast_id == Broadcast.id, Message.state == MessageState.QUEUED)
    of_late = Broadcast.finished_at > func.now() - _LATE
    found = select(Broadcast.id).where(Broadcast.state == BroadcastState.CANCELLED, of_late, waiting)
    return list(session.scalars(found))


def _prepare_audiences(rt: Runtime, until: float) -> bool:
    """Launched broadcasts get their messages, cancelled ones lose them. Whether there was anything to do."""
    with rt.transaction() as session:
        launched, cancelled = _launched(session), _cancelled(session)
    for broadcast_id in launched:
        _materialise(rt, broadcast_id, until)
    for broadcast_id in cancelled:
        cancel_waiting(rt, broadcast_id, until)
    return bool(launched or cancelled)


def _import(rt: Runtime, until: float) -> bool:
    """Go on with a list, but not while somebody waits for a launch."""

    def is_over() -> bool:
        with rt.transaction() as session:
            return _is_over(until) or bool(_launched(session))

    return pump.work(rt, is_over)


def _materialise(rt: Runtime, broadcast_id: int, until: float) -> None:
    has_more = True
    while has_more and not _is_over(until):
        with rt.transaction() as session:
            has_more = materialising.materialise(session, broadcast_id)
        rt.ring("send")  # after each chunk: nobody waits for the last


def cancel_waiting(rt: Runtime, broadcast_id: int, until: float) -> None:
    """Cancel what waits, chunk by chunk, until time.monotonic() is `until`."""
    cancelled = 1
    while cancelled and not _is_over(until):
        with rt.transaction() as session:
            cancelled = materialising.cancel_waiting(session, broadcast_id)


def _is_over(until: float) -> bool:
    return time.monotonic() > until or ending.is_told()
