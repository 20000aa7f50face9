"""The media pump: fetches the files of messages, a few at a time, and never more than half of them from one number."""

import asyncio
import time
from collections import Counter

import structlog
import uvloop
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, NoResultFound

from bot import ending, failpoints, queue, runtime
from bot.connections.connections import account_of
from bot.connections.secrets import SealError
from bot.media import claims, erasing, kinds, names, uploading
from bot.media.claims import Claimed, Result
from bot.media.fetching import Order, attempt
from bot.media.shelf import Shelf, clear_workbench, open_shelf
from bot.media.uploading import Upload
from bot.models.connection import Connection, Number
from bot.models.message import Media, Message
from bot.models.words import AuthorKind, MediaState
from bot.providers.events import MediaRef
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime

log = structlog.get_logger()

AT_ONCE = 8
PER_NUMBER = 4
"""One slow provider leaves room for the others."""
_LOOK_AGAIN_S = 0.2


def fetch_media() -> None:
    """RQ job. Any number of these may run at once, on any hosts; leases decide who fetches what."""
    rt = runtime.current()
    queue.answer(rt.redis, "media")
    end = time.monotonic() + rt.settings.pump_s
    shelf = open_shelf(rt.settings)
    clear_workbench(shelf)
    uvloop.run(_drain(rt, shelf, end))
    with rt.transaction() as session:
        has_more = claims.is_due(session)
    if has_more:
        rt.ring("media")


def sweep(rt: Runtime) -> None:
    """The clock's share: ring for what waits, and end what no worker survives."""
    with rt.transaction() as session:
        claims.give_up(session)
        uploading.fail_given_up(session)
        has_work = claims.is_due(session)
    if has_work:
        rt.ring("media")


async def _drain(rt: Runtime, shelf: Shelf, end: float) -> None:
    """Until nothing is due or the time is up; a worker that is told to end gives back what it has not finished."""
    busy: dict[asyncio.Task[None], int] = {}
    while not ending.is_told():
        while time.monotonic() < end and len(busy) < AT_ONCE:
            claimed = await asyncio.to_thread(_claim, rt, Counter(busy.values()))
            if claimed is None:
                break
            busy[asyncio.create_task(_work(rt, shelf, claimed))] = claimed.number_id
        if not busy:
            return
        done, _ = await asyncio.wait(busy, timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del busy[task]
            if error := task.exception():  # the database was away: the lease ends, and somebody takes the file up again
                log.warning("media.not_recorded", error=type(error).__name__)
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)


def _claim(rt: Runtime, busy: Counter[int]) -> Claimed | None:
    try:
        with rt.transaction() as session:
            return claims.claim(session, [number for number, count in busy.items() if count >= PER_NUMBER])
    except DBAPIError as error:
        log.warning("media.database", error=type(error.orig).__name__)
        return None


async def _work(rt: Runtime, shelf: Shelf, claimed: Claimed) -> None:
    """No transaction is open while the file comes."""
    failpoints.hit("MD1")
    try:
        result = await _fetched(rt, shelf, claimed)
    except asyncio.CancelledError:
        await asyncio.to_thread(_release, rt, claimed)
        raise
    failpoints.hit("MD2")
    await asyncio.to_thread(_record, rt, shelf, claimed, result)
    failpoints.hit("MD3")


async def _fetched(rt: Runtime, shelf: Shelf, claimed: Claimed) -> Result:
    try:
        order = await asyncio.to_thread(_order, rt, claimed)
    except SealError as error:  # the sentence is the operator's, and says nothing of the secret
        return Result(MediaState.WAITING, str(error))
    except NoResultFound:  # erased since it was claimed
        return Result(MediaState.REFUSED, erasing.ERASED)
    if isinstance(order, Upload):
        return await uploading.attempt(shelf, order)
    return await attempt(shelf, claimed.storage_key, order)


def _order(rt: Runtime, claimed: Claimed) -> Order | Upload:
    with rt.transaction() as session:
        media, kind, author, number_id, connection = session.execute(
            select(Media, Message.kind, Message.author_kind, Number.provider_number_id, Connection)
            .join(Message, Message.id == Media.message_id)
            .join(Number, Number.id == Media.number_id)
            .join(Connection, Connection.id == Number.connection_id)
            .where(Media.id == claimed.id)
        ).one()
        access, account = PROVIDERS[connection.provider].media, account_of(connection, rt.settings)
        if author == AuthorKind.COACH and (taker := uploading.taker(access)):
            return Upload(
                media_id=media.id,
                access=taker,
                account=account,
                provider_number_id=number_id,
                key=claimed.storage_key,
                name=names.safe_name(media.name, media.mime_type, media.id),
                mime_type=media.mime_type or kinds.UNKNOWN,
                size=media.size or 0,
                attempt=claimed.attempt,
            )
        return Order(
            media_id=media.id,
            access=access,
            account=account,
            provider_number_id=number_id,
            ref=MediaRef(media.provider_media_id, media.url, media.mime_type, media.sha256, media.name),
            most=kinds.most_bytes(kind, rt.settings.media_max_bytes),
        )


def _record(rt: Runtime, shelf: Shelf, claimed: Claimed, result: Result) -> None:
    """Write down what became of it; a file whose row was erased meanwhile goes at once."""
    with rt.transaction() as session:
        is_ours = claims.record(session, claimed, result)
        is_known = is_ours or claims.is_known(session, claimed)
        is_due = is_ours and uploading.conclude(session, claimed, result)
    if is_due:
        rt.ring("send")
    if not is_known:
        shelf.remove(claimed.storage_key)
    log.info("media.fetched", media=claimed.id, state=result.state, attempt=claimed.attempt)


def _release(rt: Runtime, claimed: Claimed) -> None:
    with rt.transaction() as session:
        claims.release(session, claimed)
