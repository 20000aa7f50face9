"""`backchat segment`."""

import sys
from pathlib import Path
from typing import Any

import orjson
import rich_click as click

from bot.commands import console
from bot.models.words import Environment
from bot.people.rules import checking, counting, wording
from bot.people.rules.directory import Directory
from bot.people.rules.schema import RuleError, load
from broadcasts.segments import editing, export, segments, uses
from broadcasts.segments.segments import Listed, SegmentError

_REFUSALS = (SegmentError, RuleError)


@click.group("segment", panel=console.BROADCAST)
def segment() -> None:
    """Segments: list, show, create, count, export, delete."""


@segment.command("list")
@console.environment_option(required=False)
@console.json_option
def list_segments(environment: str | None, *, as_json: bool) -> None:
    """All segments with how many people each holds; those by rule are counted by `show`."""
    with console.session() as session:
        rows = [
            _summary(listed)
            for each in ([environment] if environment else list(Environment))
            for listed in segments.every(session, each)
        ]
    console.show(rows, as_json, "No segment yet: backchat import --help, backchat segment create --help")


@segment.command("show")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many people.")
@console.environment_option(required=True)
@console.json_option
def show_segment(name: str, limit: int, environment: str, *, as_json: bool) -> None:
    """What the segment NAME is, its rule in plain words, where it is used, and a sample of its people."""
    with console.session(*_REFUSALS) as session:
        found = segments.named(session, environment, name)
        told = _summary(Listed(found, segments.size(session, found, is_patient=True)))
        lines = wording.outline(Directory(session, environment), load(found.rule)) if found.rule else []
        used = [f"{use.kind} {use.name} ({use.state})" for use in uses.of(session, found)]
        rows = [
            {"distinct_id": person.distinct_id, "nickname": person.nickname, "first_name": person.first_name}
            | {"last_name": person.last_name, "country": person.country}
            for person in segments.members(session, found, limit=limit)
        ]
        rule = found.rule
    if as_json:
        console.show({**told, "rule": rule, "used_by": used, "sample": rows}, as_json=True)
        return
    console.show({**told, "used_by": used}, as_json=False)
    for line in lines:
        console.say("  " * line.depth + line.text)
    console.say("")
    console.show(rows, as_json=False, empty="Nobody is in it.")


@segment.command("create")
@click.argument("name")
@click.option("--rule", "file", type=click.File("rb"), required=True, help="A rule as JSON; - is standard input.")
@console.environment_option(required=True)
@console.json_option
def create_segment(name: str, file: Any, environment: str, *, as_json: bool) -> None:  # noqa: ANN401 (click's file)
    """Make the segment NAME of everybody whom a rule matches, now and later."""
    rule = _read(file)
    with console.session(*_REFUSALS) as session:
        made = editing.create_rule(session, environment, name, rule)
        told = _summary(Listed(made, segments.size(session, made)))
    console.show(told, as_json)


@segment.command("count")
@click.option("--rule", "file", type=click.File("rb"), required=True, help="A rule as JSON; - is standard input.")
@console.environment_option(required=True)
@console.json_option
def count_people(file: Any, environment: str, *, as_json: bool) -> None:  # noqa: ANN401 (click's file)
    """How many people a rule matches, without making a segment of it."""
    rule = _read(file)
    with console.session(*_REFUSALS) as session:
        found = counting.count(session, environment, checking.check(session, environment, rule), is_patient=True)
    console.show({"people": found.value, "is_exact": found.is_exact}, as_json)


@segment.command("export")
@click.argument("name")
@click.option("--to", "path", type=click.Path(dir_okay=False, path_type=Path), help="A file; else standard output.")
@console.environment_option(required=True)
def export_segment(name: str, path: Path | None, environment: str) -> None:
    """Its people as CSV, which a list can take in again."""
    with console.session(*_REFUSALS) as session:
        pieces = export.as_csv(session, segments.named(session, environment, name))
        with path.open("wb") if path else sys.stdout.buffer as target:
            for piece in pieces:
                target.write(piece)


@segment.command("delete")
@click.argument("name")
@console.environment_option(required=True)
def delete_segment(name: str, environment: str) -> None:
    """Delete the segment NAME, not its people; refused while something uses it."""
    with console.session(*_REFUSALS) as session:
        found = segments.named(session, environment, name)
        editing.delete(session, found)
    console.say(f"{found.name} is deleted; its people are as they were.")


def _read(file: Any) -> object:  # noqa: ANN401 (click's file)
    try:
        return orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        console.fail(f"The rule is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.")


def _summary(listed: Listed) -> dict[str, Any]:
    return {
        "id": listed.segment.id,
        "environment": listed.segment.environment,
        "name": listed.segment.name,
        "kind": listed.segment.kind,
        "people": None if listed.count is None else listed.count.value,
        "is_exact": None if listed.count is None else listed.count.is_exact,
        "created_at": listed.segment.created_at,
    }


COMMANDS: tuple[click.Command, ...] = (segment,)
