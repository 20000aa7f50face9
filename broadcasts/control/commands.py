"""Commands for a broadcast on its way and afterwards: what the buttons of its page do."""

from collections.abc import Callable
from typing import Any, Final

import rich_click as click
from sqlalchemy.orm import Session

from bot.commands import console
from broadcasts import broadcasts
from broadcasts.broadcasts import BroadcastError
from broadcasts.control import copying, lifecycle, pace, retrying, stopping
from broadcasts.results import ledger
from broadcasts.transitions import NOBODY

HERE: Final = "from the command line"

_id = click.argument("id_", metavar="ID", type=int)
_why = click.option("--why", help="For the timeline.")


def tell(id_: int) -> dict[str, Any]:
    """How it stands."""
    with console.session(BroadcastError) as session:
        found = broadcasts.get(session, id_)
        counts = ledger.counts(session, id_)
    told = {"id": found.id, "environment": found.environment, "name": found.name, "state": found.state}
    return told | {"reason": found.reason} | counts.as_dict()


@click.command("pause")
@_id
@_why
@console.json_option
def pause(id_: int, why: str | None, *, as_json: bool) -> None:
    """Stop sending; returns when nothing is on its way any more."""
    _stop(stopping.pause, id_, why, as_json=as_json)


@click.command("resume")
@_id
@_why
@console.json_option
def resume(id_: int, why: str | None, *, as_json: bool) -> None:
    """Go on with a paused broadcast."""
    _change(id_, lambda session: lifecycle.resume(session, id_, NOBODY, why or HERE), as_json=as_json)


@click.command("cancel")
@_id
@_why
@console.json_option
def cancel(id_: int, why: str | None, *, as_json: bool) -> None:
    """End it for good: whoever still waits is not written to."""
    _stop(stopping.cancel, id_, why, as_json=as_json)


@click.command("unschedule")
@_id
@_why
@console.json_option
def unschedule(id_: int, why: str | None, *, as_json: bool) -> None:
    """Make one that waits for its time a draft again."""
    _change(id_, lambda session: lifecycle.unschedule(session, id_, NOBODY, why or HERE), as_json=as_json)


@click.command("pace")
@_id
@click.argument("per_s", metavar="[PER_S]", type=int, required=False)
@_why
@console.json_option
def change_pace(id_: int, per_s: int | None, why: str | None, *, as_json: bool) -> None:
    """Send PER_S messages a second at most, also on the way; without it as fast as its number may."""

    def change(session: Session) -> None:
        pace.change(session, broadcasts.get(session, id_).id, per_s, NOBODY, why or HERE)

    _change(id_, change, as_json=as_json)


@click.command("retry")
@_id
@_why
@click.option("--people", type=int, metavar="N", help="How many they are: asked for above a threshold.")
@console.json_option
def retry(id_: int, why: str | None, people: int | None, *, as_json: bool) -> None:
    """Send once more to those it failed for where that makes sense, by a broadcast of its own."""
    with console.session(BroadcastError) as session:
        found = broadcasts.get(session, id_)
        made = retrying.retry(session, found.id, NOBODY, why or HERE, confirmed=people).id
    console.the_runtime().ring("bulk")
    console.show(tell(made), as_json)


@click.command("duplicate")
@_id
@_why
@console.json_option
def duplicate(id_: int, why: str | None, *, as_json: bool) -> None:
    """Make a draft like it."""
    with console.session(BroadcastError) as session:
        made = copying.duplicate(session, id_, NOBODY, why or HERE).id
    console.show(tell(made), as_json)


def _change(id_: int, change: Callable[[Session], None], *, as_json: bool) -> None:
    with console.session(BroadcastError) as session:
        change(session)
    for name in ("bulk", "send"):
        console.the_runtime().ring(name)
    console.show(tell(id_), as_json)


def _stop(change: Any, id_: int, why: str | None, *, as_json: bool) -> None:  # noqa: ANN401 (pause or cancel)
    try:
        change(console.the_runtime(), id_, NOBODY, why or HERE)
    except BroadcastError as error:
        console.fail(str(error))
    told = tell(id_)
    console.show(told, as_json)
    if told["in_flight"]:
        click.echo(f"{told['in_flight']} were still on their way after {stopping.DRAIN_S:.0f} seconds.", err=True)


COMMANDS: Final[tuple[click.Command, ...]] = (pause, resume, cancel, unschedule, change_pace, retry, duplicate)
