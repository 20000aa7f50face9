"""`backchat template`."""

from typing import Any, BinaryIO

import orjson
import rich_click as click

from bot.commands import console
from bot.connections import connections
from bot.messages.templates import slots_of
from bot.models.broadcast import Template
from broadcasts import templates
from broadcasts.templates import TemplateError


@click.group("template", panel=console.BROADCAST)
def template() -> None:
    """Message templates: add, list."""


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
        rows = [_row(each) for each in made]
    console.show(rows, as_json)


@template.command("list")
@click.option("--connection", help="Only those of this connection (its slug).")
@console.json_option
def list_templates(connection: str | None, *, as_json: bool) -> None:
    """List the templates with the slots a broadcast fills."""
    with console.session() as session:
        only = connections.by_slug(session, connection) if connection else None
        if connection and only is None:
            console.fail(f"There is no connection {connection}: `backchat connection list` shows all.")
        rows = [_row(each) for each in templates.every(session, only.id if only else None)]
    console.show(rows, as_json, "No template yet: backchat template add --help")


def _row(found: Template) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "language": found.language,
        "category": found.category,
        "status": found.status,
        "slots": [slot.name for slot in slots_of(found.components)],
    }


COMMANDS: tuple[click.Command, ...] = (template,)
