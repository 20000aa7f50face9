"""How far the tables have got, as programs are told by the command and by the API."""

from bot.insights.bigquery import problems
from bot.insights.bigquery.runs import Status
from bot.settings import Settings


def told(settings: Settings, found: Status) -> dict[str, object]:
    """`rows` of the last that arrived; `goes_on` is None where it is at once."""
    problem = found.under_way and found.under_way.problem
    return {
        "destination": found.destination,
        "people": settings.bigquery_people,
        "last_arrived": found.last and found.last.finished_at,
        "rows": found.last and found.last.rows,
        "under_way_since": found.under_way and found.under_way.started_at,
        "is_asked": found.is_asked,
        "error": problems.sentence(problem) if problem else None,
        "goes_on": found.next_at,
    }
