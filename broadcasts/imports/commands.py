"""`backchat import` and `imports`."""

import time
from pathlib import Path
from typing import Any, BinaryIO

import rich_click as click

from bot.commands import console
from bot.models.words import Environment, ImportState
from broadcasts.imports import imports
from broadcasts.imports.dialects import DIALECTS
from broadcasts.imports.imports import ImportRefusedError, Listed

_ENDED = frozenset({ImportState.FINISHED, ImportState.FAILED, ImportState.CANCELLED})


@click.command("import", panel=console.BROADCAST)
@click.argument("file", type=click.File("rb"))
@click.option("--segment", required=True, help="The segment its people join; made if it is not there.")
@click.option(
    "--dialect", type=click.Choice(list(DIALECTS)), default="sendbird", show_default=True, help="Which columns."
)
@click.option("--country", help="Two letters: whose code completes the numbers of a metahumans list.")
@click.option("--wait", is_flag=True, help="Come back when the list has been taken in.")
@console.environment_option(required=True)
@console.json_option
def import_(
    file: BinaryIO, segment: str, dialect: str, country: str | None, environment: str, *, wait: bool, as_json: bool
) -> None:
    """Take the people of the CSV FILE in and make them a segment.

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
            file_name=Path(getattr(file, "name", "")).name,
            source=file,
        )
    console.the_runtime().ring("bulk")
    told = _wait(run.id) if wait else _tell(run.id)
    console.show(told, as_json)
    if told["state"] == ImportState.FAILED:
        console.fail(str(told["problem"]))
    if not as_json and not wait:
        console.say("")
        console.say(f"The bulk worker takes it in: backchat imports show {run.id}")


@click.group("imports", panel=console.BROADCAST)
def history() -> None:
    """Lists that were taken in: list, show, comments."""


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
@console.json_option
def show(id_: int, *, as_json: bool) -> None:
    """How far the import ID has got, and how many rows were kept out."""
    console.show(_tell(id_), as_json)


@history.command("comments")
@click.argument("id_", metavar="ID", type=int)
@click.option("--output", type=click.File("wb"), default="-", help="Where to write it; standard output if left out.")
def comments(id_: int, output: BinaryIO) -> None:
    """The rows of the import ID that were kept out, as a CSV whose last column says why."""
    with console.session() as session:
        listed = imports.one(session, id_)
    if listed is None:
        console.fail(f"There is no import {id_}: `backchat imports list` shows all.")
    output.writelines(imports.comments(console.the_runtime().transaction, listed))


def _tell(run_id: int) -> dict[str, Any]:
    with console.session() as session:
        listed = imports.one(session, run_id)
    if listed is None:
        console.fail(f"There is no import {run_id}: `backchat imports list` shows all.")
    return _as_row(listed)


def _wait(run_id: int) -> dict[str, Any]:
    told = _tell(run_id)
    while told["state"] not in _ENDED:
        time.sleep(0.3)
        told = _tell(run_id)
    return told


def _as_row(listed: Listed) -> dict[str, Any]:
    run = listed.run
    return {
        "id": run.id,
        "environment": run.environment,
        "segment": listed.segment.name,
        "file": listed.file.name,
        "state": run.state,
        "total": run.total,
        "created": run.created,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "failed": run.failed,
        "problem": run.problem,
    }


COMMANDS: tuple[click.Command, ...] = (import_, history)
