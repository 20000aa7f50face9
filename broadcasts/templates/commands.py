"""`backchat template`."""

from typing import Any, BinaryIO

import orjson
import rich_click as click
from sqlalchemy.orm import Session

from bot.commands import console
from bot.connections import connections
from bot.connections.connections import ConnectionFieldError
from bot.messages.templates import slots_of
from bot.models.broadcast import Template
from bot.models.connection import Connection
from broadcasts.templates import fetching, templates
from broadcasts.templates.templates import TemplateError


@click.group("template", panel=console.BROADCAST)
def template() -> None:
    """Message templates: fetch, add, list."""


@template.command("add")
@click.argument("connection")
@click.argument("file", type=click.File("rb"))
@console.json_option
def add_template(connection: str, file: BinaryIO, *, as_json: bool) -> None:
    """Take in the templates of a JSON FILE, as the Graph API lists them, for CONNECTION (its slug)."""
    try:
        content = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        console.fail(f"{file.name} is not JSON ({error}): write one template as the Graph API lists it.")
    with console.session(TemplateError) as session:
        found = connections.by_slug(session, connection)
        if found is None:
            console.fail(f"There is no connection {connection}: `backchat connection list` shows all.")
        made = [templates.add(session, found, document) for document in templates.documents_of(content)]
        rows = [_row(each, found) for each in made]
    console.show(rows, as_json)


@template.command("fetch")
@click.argument("connections_", metavar="[CONNECTION…]", nargs=-1)
@console.json_option
def fetch_templates(connections_: tuple[str, ...], *, as_json: bool) -> None:
    """Bring the templates up to date with the provider's list, of each CONNECTION (its slug) or of all."""
    rt = console.the_runtime()
    with console.session(ConnectionFieldError) as session:
        wanted = [connections.named(session, slug) for slug in connections_] or _listing(session)
    problems = [problem for each in wanted if (problem := fetching.fetch(rt, each.id))]
    with console.session() as session:
        rows = [_row(found, each) for each in wanted for found in templates.every(session, each.id)]
    console.show(rows, as_json, "The provider has no template yet.")
    if problems:
        console.fail("\n".join(problems))


@template.command("list")
@click.option("--connection", help="Only those of this connection (its slug).")
@console.json_option
def list_templates(connection: str | None, *, as_json: bool) -> None:
    """List the templates with the slots a broadcast fills."""
    with console.session(ConnectionFieldError) as session:
        wanted = [connections.named(session, connection)] if connection else connections.every(session)
        rows = [_row(found, each) for each in wanted for found in templates.every(session, each.id)]
    console.show(rows, as_json, "No template yet: backchat template fetch --help")


def _listing(session: Session) -> list[Connection]:
    found = [each for each in connections.every(session) if fetching.can_list(each)]
    if not found:
        console.fail("No connection's provider lists templates: add them from a file, with `backchat template add`.")
    return found


def _row(found: Template, connection: Connection) -> dict[str, Any]:
    return {
        "id": found.id,
        "connection": connection.slug,
        "name": found.name,
        "language": found.language,
        "category": found.category,
        "status": found.status,
        "quality": found.quality,
        "slots": [slot.name for slot in slots_of(found.components)],
        "reason": templates.reason(connection.provider, found),
    }


COMMANDS: tuple[click.Command, ...] = (template,)
