"""`backchat bigquery`: the tables of raw data, in Google's warehouse."""

from collections.abc import Mapping
from dataclasses import asdict

import rich_click as click

from bot.commands import console
from bot.insights.bigquery import runs, shapes
from bot.insights.bigquery.targets import Target, target_of
from bot.runtime import Runtime

_OFF = "Nothing goes to BigQuery: set BACKCHAT_BIGQUERY_PROJECT and BACKCHAT_BIGQUERY_DATASET (docs/bigquery.md)."


@click.group("bigquery", panel=console.RUN)
def bigquery() -> None:
    """Raw data in BigQuery: check, send, status."""


@bigquery.command("check")
@console.json_option
def check(*, as_json: bool) -> None:
    """Try each step without sending anything, and say plainly what is missing."""
    from bot.insights.bigquery import checking  # noqa: PLC0415 (Google's client takes two seconds)

    _, target = _ready()
    steps = [asdict(step) for step in checking.check(target)]
    console.show(steps, as_json)
    if not steps[-1]["is_well"]:
        raise SystemExit(1)


@bigquery.command("send")
@console.json_option
def send(*, as_json: bool) -> None:
    """Send now what has changed, or go on with what was begun, until all of it has arrived."""
    from bot.insights.bigquery import working  # noqa: PLC0415 (Google's client takes two seconds)

    rt, _ = _ready()
    if not working.go_on(rt, lambda: False, is_asked=True):
        console.fail("Somebody is sending already: see `backchat bigquery status`.")
    told = _told(rt)
    console.show(told, as_json)
    if told["error"]:
        raise SystemExit(1)


@bigquery.command("status")
@console.json_option
def status(*, as_json: bool) -> None:
    """The last time all tables arrived, how many rows, what is under way or in the way, and when it goes on."""
    console.show(_told(_ready()[0]), as_json)


def _ready() -> tuple[Runtime, Target]:
    with console.session():
        pass  # says it in a sentence if there is no database
    rt = console.the_runtime()
    target = target_of(rt.settings)
    if target is None:
        console.fail(_OFF)
    return rt, target


def _told(rt: Runtime) -> Mapping[str, object]:
    with console.session() as tx:
        found = runs.status(tx, rt.settings)
    if found is None:
        console.fail(_OFF)
    return shapes.told(rt.settings, found)


COMMANDS: tuple[click.Command, ...] = (bigquery,)
