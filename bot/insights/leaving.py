"""The export worker's pump: whatever leaves for analysts, one thing after another."""

from bot import ending, runtime
from bot.insights.bigquery import jobs as bigquery
from bot.insights.export import jobs as export
from bot.insights.export import orders
from bot.runtime import Runtime


def work() -> None:
    """RQ job: exports that somebody waits for, then BigQuery until another is asked for."""
    export.make_exports()
    rt = runtime.current()
    bigquery.work(rt, lambda: ending.is_told() or _is_asked(rt))
    if _is_asked(rt) or (bigquery.is_wanted(rt.settings) and bigquery.is_due(rt)):
        rt.ring("export")


def _is_asked(rt: Runtime) -> bool:
    with rt.transaction() as session:
        return orders.is_due(session)
