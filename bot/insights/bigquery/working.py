"""One worker's turn: table after table, until all have arrived, something fails, or others wait."""

from collections.abc import Callable, Iterable
from contextlib import closing

import structlog

from bot.insights.bigquery import runs, targets
from bot.insights.bigquery.calls import Calls
from bot.insights.bigquery.places import OvertakenError
from bot.insights.bigquery.problems import ProblemError
from bot.insights.bigquery.sending import Sender
from bot.insights.bigquery.targets import Target
from bot.insights.export import reading
from bot.insights.export.shapes import Table
from bot.insights.export.tables import TABLES
from bot.models.bigquery import BigqueryRun
from bot.runtime import Runtime

log = structlog.get_logger()


def begin(rt: Runtime, target: Target) -> None:
    """With a mark of now: whatever is written from now on is the next run's, and perhaps this one's too."""
    with reading.snapshot(rt) as snap:
        mark = snap.mark
    with rt.transaction() as session:
        runs.begin(session, target.destination, mark.cluster, mark.oldest)


def go_on(
    rt: Runtime,
    is_over: Callable[[], bool],
    *,
    is_asked: bool = False,
    tables: Iterable[Table] = tuple(TABLES.values()),
) -> bool:
    """Whether there was anything to do; `is_asked`: even if it is not time."""
    target = targets.target_of(rt.settings)
    if target is None:
        return False
    with rt.transaction() as session:
        is_time = is_asked or runs.is_time(session, target.destination, rt.settings.bigquery_hours)
    if is_time:
        begin(rt, target)
    with rt.transaction() as session:
        run = runs.claim(session, target.destination, is_asked=is_asked)
    if run is None:
        return False
    try:
        _send(rt, target, run, is_over, tables)
    except ProblemError as problem:
        with rt.transaction() as session:
            runs.fail(session, run.id, problem)
        log.warning("bigquery.failed", run=run.id, problem=str(problem))
    except OvertakenError:
        log.info("bigquery.overtaken", run=run.id)
    return True


def _send(rt: Runtime, target: Target, run: BigqueryRun, is_over: Callable[[], bool], tables: Iterable[Table]) -> None:
    with closing(Calls(target)) as calls:
        sender = Sender(rt, calls, run.id, is_over)
        for table in tables:
            if not sender.send(table):
                with rt.transaction() as session:
                    runs.put_down(session, run.id)
                return
    with rt.transaction() as session:
        runs.finish(session, run.id, target.destination)
    log.info("bigquery.sent", run=run.id)
