"""The export pump: makes what was asked for on the page, one after another, and deletes what is kept no longer."""

import structlog

from bot import ending, queue, runtime
from bot.insights.export import orders
from bot.media.shelf import ShelfError, open_shelf
from bot.models.export import RawExport
from bot.runtime import Runtime

log = structlog.get_logger()


def make_exports() -> None:
    """RQ job, of hours if need be: one snapshot cannot be gone on with by another job."""
    rt = runtime.current()
    queue.answer(rt.redis, "export")
    expire(rt)
    while not ending.is_told() and (claimed := _claim(rt)) is not None:
        # Arrow takes a while and much memory to load, and nobody else here needs it.
        from bot.insights.export import making  # noqa: PLC0415

        making.make(rt, claimed)


def sweep(rt: Runtime) -> None:
    """The clock's share: ring for what waits, and for what a dead worker has left."""
    with rt.transaction() as session:
        has_work = orders.is_due(session)
    if has_work:
        rt.ring("export")


def expire(rt: Runtime) -> None:
    """While the shelf is away the rows stay as they are, and it is tried again."""
    shelf = open_shelf(rt.settings)
    try:
        with rt.transaction() as session:
            for key in orders.expire(session):
                shelf.remove(key)
    except ShelfError as error:
        log.warning("export.not_deleted", problem=str(error))


def _claim(rt: Runtime) -> RawExport | None:
    with rt.transaction() as session:
        return orders.claim(session)
