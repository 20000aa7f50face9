"""`backchat people` and `property`."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import rich_click as click
from sqlalchemy.orm import Session

from bot import sheets
from bot.commands import console
from bot.models.words import Environment, PropertyType
from bot.people import asking, finding, prevalence, properties, table
from bot.people.finding import REFUSALS, Finder
from bot.people.properties import PropertyError


def question(command: Any) -> Any:  # noqa: ANN401 (a command in, the same with options out)
    """Decorator: how people are searched, sorted and filtered, given to the command as `asked`."""
    for option in (
        click.option("--import", help="Whom an import made or changed, by its number."),
        click.option("--segment", help="Who is in a segment, by its number."),
        click.option("--country", help="Two letters, like EG."),
        click.option("--status", type=click.Choice(["enabled", "disabled"])),
        click.option("--sort", help="A property; with - in front the greatest first.  [default: -created_at]"),
    ):
        command = option(command)
    return command


@click.group("people", panel=console.BROADCAST)
def people() -> None:
    """Everybody: list, search, export."""


@people.command("list")
@console.environment_option(required=True)
@question
@click.option("--limit", type=click.IntRange(1, 10_000), default=finding.PAGE, show_default=True)
@console.json_option
def list_people(environment: str, limit: int, *, as_json: bool, **asked: str | None) -> None:
    """People with the columns of the listing, the newest first."""
    _show(environment, limit, asked, as_json=as_json)


@people.command("search")
@click.argument("words", nargs=-1, required=True)
@console.environment_option(required=True)
@question
@click.option("--limit", type=click.IntRange(1, 10_000), default=finding.PAGE, show_default=True)
@console.json_option
def search(words: tuple[str, ...], environment: str, limit: int, *, as_json: bool, **asked: str | None) -> None:
    """People by WORDS: a name, a phone number in any spelling, an e-mail address, an ID or any attribute."""
    _show(environment, limit, {**asked, "search": " ".join(words)}, as_json=as_json)


@people.command("export")
@click.argument("words", nargs=-1)
@console.environment_option(required=True)
@question
@click.option("--output", type=click.File("wb"), default="-", help="Where to write it; standard output if left out.")
def export(words: tuple[str, ...], environment: str, output: BinaryIO, **asked: str | None) -> None:
    """Everybody, or who is found by WORDS, as a CSV that an import takes in again."""
    with console.session(*REFUSALS) as session:
        finder = _finder(session, environment, {**asked, "search": " ".join(words)})
        output.writelines(sheets.as_csv(_rows(session, finder)))


@click.group("property", panel=console.BROADCAST)
def property_() -> None:
    """What can be known of people: list, add, show, hide."""


@property_.command("list")
@console.environment_option(required=True)
@console.json_option
def list_properties(environment: str, *, as_json: bool) -> None:
    """All properties, how many people have each, and which have a column in the listing."""
    with console.session() as session:
        measured = prevalence.measure(session, environment)
        rows = [
            {
                "name": each.name,
                "group": each.group,
                "type": each.type,
                "people": measured.of(each.name, is_custom=each.group == properties.Group.CUSTOM),
                "see_in_table": each.is_shown,
            }
            for each in properties.every(session, environment)
        ]
    console.show(rows, as_json)


@property_.command("add")
@click.argument("name")
@click.option("--type", "kind", type=click.Choice([kind.value for kind in PropertyType]), required=True)
@console.environment_option(required=True)
@console.json_option
def add(name: str, kind: str, environment: str, *, as_json: bool) -> None:
    """Make the property NAME; its type is for good."""
    with console.session(PropertyError) as session:
        properties.make(session, environment, name, kind)
    console.show({"name": name, "type": kind, "environment": environment}, as_json)


@property_.command("show")
@click.argument("name")
@console.environment_option(required=True)
@console.json_option
def show(name: str, environment: str, *, as_json: bool) -> None:
    """Give NAME a column in the listing."""
    _see(name, environment, is_shown=True, as_json=as_json)


@property_.command("hide")
@click.argument("name")
@console.environment_option(required=True)
@console.json_option
def hide(name: str, environment: str, *, as_json: bool) -> None:
    """Take the column of NAME away."""
    _see(name, environment, is_shown=False, as_json=as_json)


def _see(name: str, environment: str, *, is_shown: bool, as_json: bool) -> None:
    with console.session(PropertyError) as session:
        properties.show(session, environment, name, is_shown)
    console.show({"name": name, "environment": environment, "see_in_table": is_shown}, as_json)


def _finder(session: Session, environment: str, asked: dict[str, str | None]) -> Finder:
    return Finder(session, asking.read(environment, {name: value or "" for name, value in asked.items()}))


def _show(environment: str, limit: int, asked: dict[str, str | None], *, as_json: bool) -> None:
    with console.session(*REFUSALS) as session:
        found = _finder(session, environment, asked).page(limit=limit)
        columns = properties.shown(session, environment)
        rows = table.load(session, found.ids, columns)
    told = rows if as_json else [{each.name: table.shown(each, row[each.name]) for each in columns} for row in rows]
    console.show(told, as_json, "Nobody is found.")
    if found.has_after and not as_json:
        console.say(f"And more: --limit {limit * 10} shows them, or `backchat people export`.")


def _rows(session: Session, finder: Finder) -> Iterator[list[str]]:
    columns = properties.shown(session, Environment(finder.asked.environment))
    yield table.header(columns)
    for row in table.every(session, finder, columns):
        yield table.cells(columns, row)


COMMANDS: tuple[click.Command, ...] = (people, property_)
