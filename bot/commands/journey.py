import sys
from pathlib import Path
from typing import Any

import rich_click as click
from click.exceptions import Exit
from sqlalchemy import func, select

from bot.commands import console
from bot.journeys import language, loading
from bot.journeys.source import JourneyError
from bot.models.journey import Journey, JourneyRun

STDIN = "-"
files_argument = click.argument("files", metavar="FILE…", nargs=-1, required=True)


@click.group("journey", panel=console.TALK)
def journey() -> None:
    """The stack's automated journeys: check, load, list, retire."""


@journey.command("check")
@files_argument
@console.json_option
def check(files: tuple[str, ...], *, as_json: bool) -> None:
    """Say what is wrong with each FILE (- is standard input), by file and line; changes nothing."""
    told = [_checked(name) for name in files]
    if as_json:
        console.show(told, as_json=True)
    for each in () if as_json else told:
        problems = each["problems"]
        for problem in problems:
            console.say(f"{each['file']}:{problem['line']}: {problem['text']}")
        if not problems:
            console.say(f"{each['file']}: the journey {each['journey']} is fine.")
    if any(each["problems"] for each in told):
        raise Exit(1)


@journey.command("load")
@files_argument
@console.environment_option(required=True)
@console.json_option
def load(files: tuple[str, ...], environment: str, *, as_json: bool) -> None:
    """Check each FILE and make it the active version of its journey; all of them or, if one is wrong, none."""
    with console.session(JourneyError) as session:
        loaded = [loading.load(session, environment, _read(name), name) for name in files]
        told = [
            {"id": each.id, "journey": each.name, "version": each.version, "environment": each.environment}
            for each in loaded
        ]
    console.show(told, as_json)


@journey.command("list")
@console.environment_option(required=False)
@click.option("--all", "with_old", is_flag=True, help="Also versions and journeys that nothing starts any more.")
@console.json_option
def list_(environment: str | None, *, with_old: bool, as_json: bool) -> None:
    """List the journeys and how many people are in each just now."""
    waiting = func.count(JourneyRun.id).filter(JourneyRun.state == "waiting")
    query = (
        select(Journey, waiting)
        .outerjoin(JourneyRun, JourneyRun.journey_id == Journey.id)
        .group_by(Journey.id)
        .order_by(Journey.environment, Journey.name, Journey.version)
    )
    if environment is not None:
        query = query.where(Journey.environment == environment)
    if not with_old:
        query = query.where(Journey.active)
    with console.session() as session:
        rows = [
            {
                "environment": found.environment,
                "journey": found.name,
                "version": found.version,
                "active": found.active,
                "waiting": people,
                "created_at": found.created_at,
            }
            for found, people in session.execute(query)
        ]
    console.show(rows, as_json, "No journey yet: backchat journey load --help")


@journey.command("retire")
@click.argument("name")
@console.environment_option(required=True)
@console.json_option
def retire(name: str, environment: str, *, as_json: bool) -> None:
    """Let nothing start the journey NAME any more; whoever is in it may finish."""
    with console.session() as session:
        if not loading.retire(session, environment, name):
            console.fail(f"There is no active journey {name!r} in {environment}: `backchat journey list` shows all.")
    console.show({"journey": name, "environment": environment, "active": False}, as_json)


def _checked(name: str) -> dict[str, Any]:
    try:
        spec = language.check(_read(name), name)
    except JourneyError as error:
        problems = [{"line": each.line, "text": each.text} for each in error.problems]
        return {"file": name, "journey": None, "problems": problems}
    return {"file": name, "journey": spec["journey"], "problems": []}


def _read(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        console.fail(f"{name} cannot be read: {error.strerror}.")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        console.fail(f"{name}:{line}: This is not UTF-8. Save the file as UTF-8.")


COMMANDS: tuple[click.Command, ...] = (journey,)
