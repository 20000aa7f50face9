"""What every command shares: how it reaches the database, how it shows what it found, how it says no."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import click
import orjson
from rich.cells import cell_len
from rich_click import RichHelpConfiguration
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from bot import logs, runtime
from bot.models.words import Environment
from bot.runtime import Runtime
from bot.settings import SettingsError, load

Command = TypeVar("Command", bound=Callable[..., Any])

RUN = "Run"
SET_UP = "Set up"
TALK = "Talk"
BROADCAST = "Broadcast"
PANELS = (RUN, SET_UP, TALK, BROADCAST)
"""The headings of `backchat --help`; a command names its own with `@click.group("…", panel=console.TALK)`."""

STYLE = RichHelpConfiguration(theme="default-slim", style_errors_panel_box="BLANK")


def json_option(command: Command) -> Command:
    """`--json`, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(command)


def environment_option(*, required: bool) -> Callable[[Command], Command]:
    """`--environment live|test`; never guessed where something is made, a filter where something is listed."""
    said = "Which environment it belongs to, for good." if required else "Only this environment."
    return click.option(
        "--environment", type=click.Choice([word.value for word in Environment]), required=required, help=said
    )


def the_runtime() -> Runtime:
    """The runtime of this process, built from the environment when a command first needs it."""
    try:
        return runtime.current()
    except runtime.NoRuntimeError:
        try:
            return runtime.build(load(), name="command", pool_size=2)
        except SettingsError as error:
            fail(str(error))


@contextmanager
def session(*refusals: type[Exception]) -> Iterator[Session]:
    """One transaction; a rule's refusal of one of these types becomes the command's one sentence and exit code 1."""
    rt = the_runtime()
    try:
        with rt.transaction() as opened:
            yield opened
    except refusals as error:
        fail(str(error))
    except OperationalError:
        where = rt.engine.url.render_as_string(hide_password=True)
        fail(f"The database does not answer: start it, or correct DATABASE_URL (now {where}).")
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != "42P01":  # undefined_table
            raise
        fail("The database has no tables of ours yet: run `backchat db upgrade`.")


def fail(sentence: str) -> NoReturn:
    """End the command with exit code 1 and this sentence (or these, a line each) on standard error."""
    for line in sentence.split("\n"):
        click.echo(logs.escape(line), err=True)
    raise click.exceptions.Exit(1)


def say(sentence: str) -> None:
    click.echo(logs.escape(sentence))


def show(found: Mapping[str, Any] | Sequence[Mapping[str, Any]], as_json: bool, empty: str = "None yet.") -> None:
    """Print one thing as `name  value` lines or several as a table; with `as_json` the same, as one JSON text."""
    if as_json:
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    elif isinstance(found, Mapping):
        _show_table([(name.replace("_", " "), value) for name, value in found.items()])
    elif found:
        _show_table([[name.replace("_", " ").upper() for name in found[0]], *(row.values() for row in found)])
    else:
        say(empty)


def secret_line(question: str, *, twice: bool = False) -> str:
    """A secret from the terminal without showing it, or else the next line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(question, hide_input=True, confirmation_prompt=twice))
    line = sys.stdin.readline().strip("\r\n")
    if not line:
        fail(f"{question}: nothing on standard input; pipe it in, one line each.")
    return line


def given_secrets(given: Sequence[str], what: str = "--secret") -> dict[str, str]:
    """The secrets of `name=value`, or `name=-`, which reads a line of standard input."""
    values = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not sign:
            raise click.UsageError(f"{what} must be name=value or name=- and not {name!r}.")
        values[name] = secret_line(name) if value == "-" else value
    return values


def secret_values(names: Sequence[str], given: Sequence[str], optional: Sequence[str] = ()) -> dict[str, str]:
    """Each named secret: as given, from BACKCHAT_SECRET_<NAME>, or from a question, which `optional` ones are not."""
    values = given_secrets(given)
    for name in names:
        variable = f"BACKCHAT_SECRET_{name.upper()}"
        if name not in values and variable in os.environ:
            values[name] = os.environ[variable]
        elif name not in values and name not in optional and sys.stdin.isatty():
            values[name] = secret_line(name)
    return values


def _show_table(rows: Sequence[Sequence[Any] | Any]) -> None:
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value) or "-"
    return str(logs.escape(str(value)))
