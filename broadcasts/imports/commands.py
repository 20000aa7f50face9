"""`backchat import` and `imports`."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import rich_click as click
from sqlalchemy.orm import Session

from bot.commands import console
from bot.models.words import Environment, ImportState
from broadcasts.imports import imports, keeping, preview
from broadcasts.imports.imports import ImportRefusedError, Listed
from broadcasts.imports.reading.dialects import DIALECTS
from broadcasts.imports.wording import MOVING

_OUTPUT = click.option(
    "--output", type=click.File("wb"), default="-", help="Where to write it; standard output if left out."
)
_WAIT = click.option("--wait", is_flag=True, help="Come back when the worker has done all it can without you.")


@click.command("import", panel=console.BROADCAST)
@click.argument("file", type=click.File("rb"))
@click.option("--segment", required=True, help="The segment its people join; made if it is not there.")
@click.option(
    "--dialect",
    type=click.Choice(list(DIALECTS)),
    default="auto",
    show_default=True,
    help="Which columns, and how numbers are written.",
)
@click.option("--country", help="Two letters: whose code completes the numbers that lack one.")
@click.option("--erase-blanks", is_flag=True, help="An empty cell empties the field; otherwise it leaves it alone.")
@click.option("--yes/--preview", default=True, help="Take it in, or only say what would change.  [default: yes]")
@_WAIT
@console.environment_option(required=True)
@console.json_option
def import_(
    file: BinaryIO,
    segment: str,
    dialect: str,
    country: str | None,
    environment: str,
    *,
    erase_blanks: bool,
    yes: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Take the people of FILE (CSV, TSV or XLSX) in and make them a segment.

    auto: common names for columns in any order, numbers with or without plus.
    sendbird: columns user_id and phone_number (with plus sign), any others become attributes.
    metahumans: user.username, user.phone_no (digits), user.email, user.first_name, user.last_name, user.title,
    user.account, then columns of your own.
    """
    if not file.seekable():
        console.fail("The file must be a real one, not a pipe: save it first.")
    with console.session(ImportRefusedError) as session:
        run = imports.start(
            session,
            environment=environment,
            segment_name=segment,
            dialect_name=dialect,
            country=country,
            erases_blanks=erase_blanks,
            confirmed=yes,
            file_name=Path(getattr(file, "name", "")).name,
            source=file,
        )
    console.the_runtime().ring("bulk")
    _tell(run.id, wait=wait, as_json=as_json)


@click.group("imports", panel=console.BROADCAST)
def history() -> None:
    """Lists that were taken in: list, show, confirm, cancel, undo, comments, next."""


@history.command("list")
@console.environment_option(required=False)
@console.json_option
def list_imports(environment: str | None, *, as_json: bool) -> None:
    """The newest imports first."""
    with console.session() as session:
        wanted = [environment] if environment else list(Environment)
        found = [listed for each in wanted for listed in imports.history(session, each)]
        rows = [_as_row(listed) for listed in sorted(found, key=lambda listed: -listed.run.id)]
    console.show(rows, as_json, "No import yet: backchat import --help")


@history.command("show")
@click.argument("id_", metavar="ID", type=int)
@_WAIT
@console.json_option
def show(id_: int, *, wait: bool, as_json: bool) -> None:
    """How far the import ID has got, what it changes, and what is wrong with the other rows."""
    _tell(id_, wait=wait, as_json=as_json)


@history.command("confirm")
@click.argument("id_", metavar="ID", type=int)
@_WAIT
@console.json_option
def confirm(id_: int, *, wait: bool, as_json: bool) -> None:
    """Take in the import ID, which waits after its preview."""
    _change(id_, lambda session: imports.confirm(session, id_, None), wait=wait, as_json=as_json)


@history.command("cancel")
@click.argument("id_", metavar="ID", type=int)
@console.json_option
def cancel(id_: int, *, as_json: bool) -> None:
    """Stop the import ID; whoever it has taken in stays until it is undone."""
    _change(id_, lambda session: imports.cancel(session, id_), wait=False, as_json=as_json)


@history.command("undo")
@click.argument("id_", metavar="ID", type=int)
@_WAIT
@console.json_option
def undo(id_: int, *, wait: bool, as_json: bool) -> None:
    """Put back what the import ID changed; what somebody changed since is left alone."""
    _change(id_, lambda session: imports.undo(session, id_, None), wait=wait, as_json=as_json)


@history.command("comments")
@click.argument("id_", metavar="ID", type=int)
@_OUTPUT
def comments(id_: int, output: BinaryIO) -> None:
    """The rows of the import ID that were kept out, as a CSV whose last column says why."""
    output.writelines(imports.comments(console.the_runtime().transaction, _with_file(id_)))


@history.command("next")
@click.argument("id_", metavar="ID", type=int)
@_OUTPUT
def next_file(id_: int, output: BinaryIO) -> None:
    """The rows of the import ID above the limit, as the next file to import."""
    output.writelines(imports.rest(console.the_runtime().transaction, _with_file(id_)))


def _change(id_: int, change: Callable[[Session], object], *, wait: bool, as_json: bool) -> None:
    _one(id_)
    with console.session(ImportRefusedError) as session:
        change(session)
    console.the_runtime().ring("bulk")
    _tell(id_, wait=wait, as_json=as_json)


def _tell(id_: int, *, wait: bool, as_json: bool) -> None:
    told = _as_row(_one(id_))
    while wait and told["state"] in MOVING:
        time.sleep(0.3)
        told = _as_row(_one(id_))
    console.show(told, as_json)
    if told["state"] == ImportState.FAILED:
        console.fail(str(told["problem"]))
    if not as_json:
        _advise(told)


def _advise(told: dict[str, Any]) -> None:
    """What is wrong with the rows that stay out, and what comes next."""
    with console.session() as session:
        for each in preview.classes(session, told["id"]):
            console.say(f"\n{each.kind.label}: {each.rows:,} rows. {each.kind.remedy}")
    if told["state"] == ImportState.READY:
        console.say(f"\nNothing has changed yet: backchat imports confirm {told['id']}")
    elif told["state"] in MOVING:
        console.say(f"\nThe bulk worker is at it: backchat imports show {told['id']} --wait")


def _one(id_: int) -> Listed:
    with console.session() as session:
        listed = imports.one(session, id_)
    if listed is None:
        console.fail(f"There is no import {id_}: `backchat imports list` shows all.")
    return listed


def _with_file(id_: int) -> Listed:
    listed = _one(id_)
    return listed if listed.has_file else console.fail(keeping.GONE)


def _as_row(listed: Listed) -> dict[str, Any]:
    run = listed.run
    return {
        "id": run.id,
        "environment": run.environment,
        "segment": listed.segment.name,
        "file": listed.file.name,
        "state": run.state,
        "total": run.total,
        "will_create": run.will_create,
        "will_update": run.will_update,
        "will_keep": run.will_keep,
        "will_fail": run.will_fail,
        "created": run.created,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "failed": run.failed,
        "superseded": run.superseded,
        "excess": run.excess,
        "problem": run.problem,
    }


COMMANDS: tuple[click.Command, ...] = (import_, history)
