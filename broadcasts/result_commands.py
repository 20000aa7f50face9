"""Commands that look: the preflight of a draft, and the people behind each number of a broadcast."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

import rich_click as click

from bot import sheets
from bot.commands import console
from bot.models.broadcast import Broadcast
from broadcasts import broadcasts
from broadcasts.api import preflight_shapes, shapes
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting.wanted import LETTERS
from broadcasts.results import recipients, table
from broadcasts.results.parts import PARTS, Asked


@click.command("preflight")
@click.argument("id_", metavar="ID", type=int)
@console.json_option
def preflight(id_: int, *, as_json: bool) -> None:
    """What there is to look at before its launch: who gets it, what it costs, when it is through, what stops it."""
    with console.session(BroadcastError) as session:
        told = preflight_shapes.of(session, broadcasts.get(session, id_))
    if as_json:
        console.show(told, as_json=True)
        return
    for text in told["blocks"]:
        console.say(f"In the way: {text}")
    for each in told["cautions"] or ():
        console.say(f"Look at it: {each['text']}")
    console.show(dict(_flat(told)), as_json=False)


@click.command("recipients")
@click.argument("id_", metavar="ID", type=int)
@click.option("--part", type=click.Choice(list(PARTS)), help="Only those behind this number; else everybody.")
@click.option("--reason", help="Only those with this reason, as its page has it.")
@click.option("--variant", type=click.Choice(list(LETTERS)), help="Only those who get this variant.")
@click.option("--csv", "output", type=click.File("wb"), help="Write all of them as CSV; - is standard output.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=recipients.PAGE, show_default=True)
@console.json_option
def list_recipients(
    id_: int,
    *,
    part: str | None,
    reason: str | None,
    variant: str | None,
    output: BinaryIO | None,
    limit: int,
    as_json: bool,
) -> None:
    """The people behind a number of the broadcast ID, and what became of the message of each."""
    asked = Asked(part, reason, None if variant is None else LETTERS.index(variant))
    with console.session(BroadcastError) as session:
        found = broadcasts.get(session, id_)
        page = recipients.load(session, id_, asked, recipients.cut(session, id_), size=limit)
    if output is not None:
        output.writelines(sheets.as_csv(_lines(found, asked)))
        return
    rows: list[dict[str, Any]] = [shapes.recipient(each, shapes.unmade_state(found)) for each in page.rows]
    if not as_json:
        rows = [{"person": row["person"]["distinct_id"], "to": row["to"], "state": row["state"]} for row in rows]
    console.show(rows, as_json, "Nobody.")


def _lines(broadcast: Broadcast, asked: Asked) -> Iterator[Sequence[str]]:
    yield table.HEADER
    for each in recipients.every(console.the_runtime().transaction, broadcast.id, asked):
        yield [_cell(value) for value in table.cells(broadcast, each)]


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return "" if value is None else str(value)


def _flat(told: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """The plain values of its parts."""
    for name in ("audience", "gaps", "cost", "tier", "timing"):
        for key, value in (told[name] or {}).items():
            if not isinstance(value, dict | list):
                yield f"{name}: {key.replace('_', ' ')}", value


COMMANDS: Final[tuple[click.Command, ...]] = (preflight, list_recipients)
