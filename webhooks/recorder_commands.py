"""`backchat webhooks record` and `replay`: real traffic as test cases, and test cases as traffic."""

from dataclasses import asdict, replace
from pathlib import Path

import rich_click as click
from click.exceptions import Exit
from sqlalchemy import select

from bot.commands import console
from bot.connections import connections
from bot.connections.connections import ConnectionFieldError
from bot.models.connection import Number
from webhooks import cases, recorder
from webhooks.cases import CaseError
from webhooks.recorder import RecorderError

_OK = 200
_ID = click.IntRange(1, 2**63 - 1)
_SOME = click.IntRange(1, 1000)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("record")
@click.argument("slug")
@click.option(
    "--event",
    "ids",
    type=click.IntRange(1, 2**63 - 1),
    multiple=True,
    metavar="ID",
    help="This event; may be given again.",
)
@click.option(
    "--last", type=click.IntRange(1, 1000), default=20, show_default=True, help="Without --event: so many, the newest."
)
@click.option(
    "--into",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("recorded"),
    show_default=True,
    help="A folder; the files go into one of the provider's name in it.",
)
@console.json_option
def record(slug: str, ids: tuple[int, ...], last: int, folder: Path, *, as_json: bool) -> None:
    """Save what the connection SLUG was sent as test cases, with names, numbers and texts replaced."""
    with console.session(ConnectionFieldError, RecorderError) as session:
        made = recorder.record(session, connections.named(session, slug), ids, last)
    try:
        paths = recorder.save(made, folder)
    except OSError as error:
        console.fail(f"Cannot write into {folder} ({error.strerror}): choose another folder with --into.")
    rows = [{"file": str(path), "events": len(case.events)} for path, case in zip(paths, made, strict=True)]
    console.show(rows, as_json, f"Nothing has come in by {slug} yet.")
    if rows and not as_json:
        console.say("\nLook the files through before you hand them on: what is replaced is what we know of.")


@click.command("replay")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE…"
)
@click.option("--connection", "slug", required=True, metavar="SLUG", help="Whose address and secrets to use.")
@click.option("--to", "base_url", metavar="URL", help="The running instance.  [default: BACKCHAT_BASE_URL]")
@click.option("--keep-times", is_flag=True, help="Leave the times as recorded: what is 8 days old is not applied.")
@console.json_option
def replay(files: tuple[Path, ...], slug: str, base_url: str | None, *, keep_times: bool, as_json: bool) -> None:
    """Send recorded cases to a running instance, signed anew and in order. Exit code 1 if one is not answered 200."""
    settings = console.the_runtime().settings
    if base_url:
        settings = replace(settings, base_url=base_url.rstrip("/"))
    with console.session(ConnectionFieldError) as session:
        connection = connections.named(session, slug)
        provider, account = connection.provider, connections.account_of(connection, settings)
        numbers = session.scalars(select(Number.provider_number_id).where(Number.connection_id == connection.id)).all()
    try:
        read = [cases.read(path) for path in files]
    except (CaseError, OSError) as error:
        console.fail(str(error))
    if strangers := [case for case in read if case.provider != provider]:
        console.fail(f"{strangers[0]} is a request of another provider: the connection {slug} is at {provider}.")
    number_id = numbers[0] if len(numbers) == 1 else None
    done = [recorder.replay(case, account, number_id, keep_times=keep_times) for case in read]
    console.show([asdict(each) for each in done], as_json)
    if any(each.status != _OK for each in done):
        raise Exit(1)
