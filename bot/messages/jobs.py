"""The send pump: drains what every number has due, then rings again if the time was up first."""

import asyncio
import gc
import os
import socket
import sys
import time
import uuid
from datetime import timedelta

import structlog
import uvloop
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload

from bot import ending, queue, runtime
from bot.connections.connections import account_of
from bot.connections.secrets import SealError
from bot.messages import changes, doubts, outbox, receipts, silence, statuses
from bot.messages.calls import Caller
from bot.messages.receipts import Receipts
from bot.messages.sender import Line, NumberSender
from bot.models.connection import Number
from bot.people import ledger
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime
from bot.settings import Settings

log = structlog.get_logger()

_SWITCH_S = 0.0005
"""The loop's thread is busy all the time; at Python's 5 ms each answer of the database would wait that long for it."""

_GARBAGE_AFTER = 10_000
"""Of a message's objects few are in a circle; to look for those every 700, as Python does, is a tenth of its cost."""

_LOOK_AGAIN_S = 0.2
"""While some number still sends, how often to look whether another has become due."""


def drain_outbox() -> None:
    """RQ job. Any number of these may run at once, on any hosts; the rows decide who sends what."""
    rt = runtime.current()
    queue.answer(rt.redis, "send")
    with rt.transaction() as session:
        if ledger.is_behind(session, rt.settings.erasure_ledger):
            log.warning("send.held", reason="the database is older than the ledger of erasures")
            return  # the sweep comes back to it
    end = time.monotonic() + rt.settings.pump_s
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(_GARBAGE_AFTER)
    uvloop.run(_drain(rt, end))
    if time.monotonic() < end and not ending.is_told():
        return  # what is due even so cannot be sent now, and the sweep comes back to it
    with rt.transaction() as session:
        unfinished = bool(outbox.due_numbers(session))
    if unfinished:
        rt.ring("send")


async def _drain(rt: Runtime, end: float) -> None:
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    busy: dict[int, asyncio.Task[None]] = {}

    def is_over() -> bool:
        return time.monotonic() > end or ending.is_told()

    async with Caller(rt.settings.provider_timeout_s) as caller:
        telling = Receipts(rt, caller)
        while True:
            busy = {number_id: task for number_id, task in busy.items() if not _has_ended(task)}
            if not is_over():
                for line in await asyncio.to_thread(_due_lines, rt, set(busy)):
                    sender = NumberSender(rt, caller, line, owner)
                    busy[line.number_id] = asyncio.create_task(sender.run(is_over))
            under_way = {*busy.values(), *telling.go_on()}
            if not under_way:
                return
            await asyncio.wait(under_way, timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)


def _has_ended(task: asyncio.Task[None]) -> bool:
    if not task.done():
        return False
    if error := task.exception():
        log.error("send.number_failed", error=repr(error))
    return True


def _due_lines(rt: Runtime, busy: set[int]) -> list[Line]:
    try:
        with rt.transaction() as session:
            wanted = set(outbox.due_numbers(session)) - busy
            numbers = session.scalars(
                select(Number).where(Number.id.in_(wanted)).options(joinedload(Number.connection))
            )
            return [line for number in numbers if (line := _line_of(number, rt.settings))]
    except DBAPIError as error:
        log.warning("send.database", error=type(error.orig).__name__)
        return []


def _line_of(number: Number, settings: Settings) -> Line | None:
    connection = number.connection
    try:
        account = account_of(connection, settings)
    except SealError as error:  # the other numbers go on
        log.error("send.no_account", number=number.id, error=str(error))  # noqa: TRY400 (the sentence says it all)
        return None
    return Line(number.id, number.provider_number_id, PROVIDERS[connection.provider], account, number.pace_per_s)


def sweep(rt: Runtime) -> None:
    """The clock's share: free what dead senders held, join late orphans, end doubt, and ring for whatever is due."""
    with rt.transaction() as session:
        outbox.sweep(session)
        statuses.adopt_late(session)
        changes.adopt_late(session)
        doubts.settle(session)
        silence.conclude(session, timedelta(seconds=rt.settings.silence_s))
        is_due = bool(outbox.due_numbers(session)) or receipts.is_due(session)
    if is_due:
        rt.ring("send")
