"""`backchat export`: raw data as Parquet."""

import sys
from pathlib import Path

import rich_click as click

from bot.commands import console
from bot.insights.export.shapes import Progress
from bot.models.words import Environment


@click.command("export", panel=console.RUN)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--environment",
    type=click.Choice([word.value for word in Environment]),
    default=Environment.LIVE.value,
    show_default=True,
    help="Whose data.",
)
@click.option("--pseudonymised", is_flag=True, help="No names, numbers and texts; a keyed hash for each person.")
@click.option("--whole", is_flag=True, help="Everything, also where the folder holds an export to go on from.")
@console.json_option
def export(folder: Path, environment: str, *, pseudonymised: bool, whole: bool, as_json: bool) -> None:
    """Add an export to FOLDER: Parquet, a file for each table, of one moment.

    The first one is of everything, each later one of what changed since the one before. What is not complete is never
    seen in FOLDER. docs/raw-data.md says what the tables hold, and how to read them.
    """
    # Arrow takes a while to load: `backchat --help`, which looks at all commands, does without.
    from bot.insights.export import files, folders  # noqa: PLC0415
    from bot.insights.export.files import Wanted  # noqa: PLC0415
    from bot.insights.export.folders import ExportError  # noqa: PLC0415

    with console.session():
        pass  # says it in a sentence if there is no database
    wanted = Wanted(environment, is_pseudonymised=pseudonymised)
    try:
        made = folders.export(console.the_runtime(), folder, wanted, anew=whole, told=_tell)
    except ExportError as error:
        console.fail(str(error))
    place = folder / made.name
    if as_json:
        sizes = dict(files.sizes(place))
        console.show({"folder": str(place), "is_whole": made.is_whole, "rows": made.rows, "bytes": sizes}, as_json)
        return
    console.show(
        [{"table": name, "rows": made.rows.get(name, 1), "bytes": size} for name, size in files.sizes(place)], as_json
    )
    console.say(f"{'Everything' if made.is_whole else 'What changed'} is in {place}")


def _tell(progress: Progress) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{progress.table}, {progress.rows:,} rows of all tables so far", nl=False, err=True)


COMMANDS: tuple[click.Command, ...] = (export,)
