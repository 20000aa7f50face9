"""`backchat template`; what may be told wrong is refused with its place and remedy, as on the page."""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import orjson
import rich_click as click
from sqlalchemy.orm import Session

from bot.commands import console
from bot.connections import connections, template_history
from bot.connections.connections import ConnectionFieldError
from bot.connections.secrets import SealError
from bot.connections.template_history import By
from bot.messages.templates import preview_of, slots_of
from bot.models.broadcast import Template
from bot.models.connection import Connection
from broadcasts.templates import fetching, making, refreshing, templates, unpausing
from broadcasts.templates.templates import TemplateError


@click.group("template", panel=console.BROADCAST)
def template() -> None:
    """Message templates: fetch, create, refresh, unpause, show, list, add."""


@template.command("add")
@click.argument("connection")
@click.argument("file", type=click.File("rb"))
@console.json_option
def add_template(connection: str, file: BinaryIO, *, as_json: bool) -> None:
    """Take in the templates of a JSON FILE, as the Graph API lists them, for CONNECTION (its slug)."""
    documents = _documents(file)
    with console.session(TemplateError) as session:
        found = connections.by_slug(session, connection)
        if found is None:
            console.fail(f"There is no connection {connection}: `backchat connection list` shows all.")
        made = [templates.add(session, found, document) for document in documents]
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


@template.command("create")
@click.argument("connection")
@click.argument("file", type=click.File("rb"))
@console.json_option
def create_template(connection: str, file: BinaryIO, *, as_json: bool) -> None:
    """Submit the template of a JSON FILE, in the Graph API's shape, to the provider of CONNECTION (its slug)."""
    rt = console.the_runtime()
    [document] = _documents(file)[:1]
    if not templates.is_shaped(document.get("components")):
        console.fail('components must be a list such as [{"type": "BODY", "text": "Hello {{1}}!"}].')
    values = templates.values_of(document)
    with console.session(ConnectionFieldError, TemplateError) as session:
        made = making.write_down(session, connections.named(session, connection), values, By()).id
    try:
        making.submit(rt, made, By())
    except (TemplateError, SealError) as error:
        console.fail(str(error))
    _show(made, as_json)


@template.command("show")
@click.argument("template_id", metavar="ID", type=int)
@console.json_option
def show_template(template_id: int, *, as_json: bool) -> None:
    """Show the template with this ID (`template list` has them): what it says, its slots and what it was before."""
    _show(template_id, as_json)


@template.command("refresh")
@click.argument("template_id", metavar="ID", type=int)
@console.json_option
def refresh_template(template_id: int, *, as_json: bool) -> None:
    """Ask the provider for the template with this ID, in all its languages, now."""
    _demand(template_id)
    problem = refreshing.refresh(console.the_runtime(), template_id)
    if problem is not None:
        console.fail(problem)
    _show(template_id, as_json)


@template.command("unpause")
@click.argument("template_id", metavar="ID", type=int)
@console.json_option
def unpause_template(template_id: int, *, as_json: bool) -> None:
    """Have the provider take back the pause of the template with this ID; broadcasts stay paused until resumed."""
    _demand(template_id)
    try:
        unpausing.unpause(console.the_runtime(), template_id, By())
    except (TemplateError, SealError) as error:
        console.fail(str(error))
    _show(template_id, as_json)


def _show(template_id: int, as_json: bool) -> None:
    _demand(template_id)
    with console.session() as session:
        found = session.get_one(Template, template_id)
        row = _row(found, session.get_one(Connection, found.connection_id))
        text = preview_of(templates.frozen(found), {})
        row |= {"header": text.header, "body": text.body, "footer": text.footer, "buttons": list(text.buttons)}
        states = reversed(template_history.of(session, template_id))
        row["history"] = [f"{each.at:%Y-%m-%d %H:%M} {each.status}" for each in states]
    console.show(row, as_json)


def _demand(template_id: int) -> None:
    with console.session() as session:
        if not 0 < template_id < 2**63 or session.get(Template, template_id) is None:
            console.fail(f"There is no template {template_id}: `backchat template list` shows all.")


def _documents(file: BinaryIO) -> Sequence[Mapping[str, Any]]:
    try:
        return templates.documents_of(orjson.loads(file.read()))
    except orjson.JSONDecodeError as error:
        console.fail(f"{file.name} is not JSON ({error}): write one template as the Graph API lists it.")
    except TemplateError as error:
        console.fail(str(error))


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
