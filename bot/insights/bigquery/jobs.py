"""What the clock and a worker do, so that the tables reach BigQuery every so many hours."""

from collections.abc import Callable

from bot.insights.bigquery import runs
from bot.runtime import Runtime
from bot.settings import Settings


def sweep(rt: Runtime) -> None:
    """The clock's share: ring when it is time."""
    if is_wanted(rt.settings) and is_due(rt):
        rt.ring("export")


def work(rt: Runtime, is_over: Callable[[], bool]) -> bool:
    """Go on until something else has to be done; whether there was anything to do."""
    if not is_wanted(rt.settings) or not is_due(rt):
        return False
    # Google's client and Arrow take a while and much memory to load.
    from bot.insights.bigquery import working  # noqa: PLC0415

    return working.go_on(rt, is_over)


def is_wanted(settings: Settings) -> bool:
    return settings.bigquery_destination is not None


def is_due(rt: Runtime) -> bool:
    """Whether one has to begin, or waits to be gone on with."""
    destination = rt.settings.bigquery_destination or ""
    with rt.transaction() as session:
        is_time = runs.is_time(session, destination, rt.settings.bigquery_hours)
        return is_time or runs.is_due(session, destination)
