"""`backchat segment`."""

import rich_click as click

from bot.commands import console
from bot.models.words import Environment
from broadcasts.segments import segments
from broadcasts.segments.segments import SegmentError


@click.group("segment", panel=console.BROADCAST)
def segment() -> None:
    """Segments: list, show."""


@segment.command("list")
@console.environment_option(required=False)
@console.json_option
def list_segments(environment: str | None, *, as_json: bool) -> None:
    """All segments with how many people each holds."""
    with console.session() as session:
        rows = [
            {
                "id": listed.segment.id,
                "environment": listed.segment.environment,
                "name": listed.segment.name,
                "people": listed.people,
                "created_at": listed.segment.created_at,
            }
            for each in ([environment] if environment else list(Environment))
            for listed in segments.every(session, each)
        ]
    console.show(rows, as_json, "No segment yet: backchat import --help")


@segment.command("show")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many people.")
@console.environment_option(required=True)
@console.json_option
def show_segment(name: str, limit: int, environment: str, *, as_json: bool) -> None:
    """A sample of the people in the segment NAME."""
    with console.session(SegmentError) as session:
        found = segments.named(session, environment, name)
        rows = [
            {"distinct_id": person.distinct_id, "nickname": person.nickname, "first_name": person.first_name}
            | {"last_name": person.last_name, "country": person.country}
            for person in segments.members(session, found.id, limit=limit)
        ]
    console.show(rows, as_json, "Nobody is in it.")


COMMANDS: tuple[click.Command, ...] = (segment,)
