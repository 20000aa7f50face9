"""REST for programs: how far raw data has got in BigQuery, and having it sent at once; docs/api.md is its manual."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify

from bot import runtime
from bot.api import answers, refusals
from bot.api.access import authenticate, by
from bot.api.refusals import RefusalError
from bot.insights.bigquery import runs, shapes

api = refusals.blueprint("raw_data_api", __name__)


@api.get("/raw-data/bigquery")
def show() -> Response:
    _destination(authenticate().environment)
    return jsonify(_told())


@api.post("/raw-data/bigquery")
def send() -> Response:
    """As often as one likes: what waits goes on at once, and what has changed until then comes with it or after it."""
    token, rt = authenticate(), runtime.current()
    destination = _destination(token.environment)
    with rt.transaction() as session:
        runs.ask(session, destination, by(token))
    rt.ring("export")
    return answers.made(_told(), "raw-data/bigquery", 202)


def _destination(environment: str) -> str:
    settings = runtime.current().settings
    if settings.bigquery_destination is None or settings.bigquery_environment != environment:
        said = f"Nothing of {environment} goes to BigQuery: docs/bigquery.md says how it is set up."
        raise RefusalError(404, "no_bigquery", said)
    return settings.bigquery_destination


def _told() -> dict[str, Any]:
    rt = runtime.current()
    with rt.transaction() as session:
        found = runs.status(session, rt.settings)
        told = {} if found is None else shapes.told(rt.settings, found)
    return {name: v.astimezone(UTC).isoformat() if isinstance(v, datetime) else v for name, v in told.items()}
