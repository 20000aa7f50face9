import rich_click as click
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from bot.commands import console
from bot.connections import connections, numbers
from bot.connections.numbers import NumberError
from bot.models.connection import Number


@click.group("number", panel=console.SET_UP)
def number() -> None:
    """Business numbers of a connection: add, list."""


@number.command("add")
@click.argument("connection")
@click.argument("phone")
@click.option("--provider-number-id", required=True, help="The provider's id of the number (phone_number_id).")
@click.option("--name", default="", help="How pages call it; its phone number if left out.")
@click.option("--pace", type=click.IntRange(min=1), default=80, show_default=True, help="Messages per second at most.")
@console.environment_option(required=True)
@console.json_option
def add(
    connection: str, phone: str, provider_number_id: str, name: str, pace: int, environment: str, *, as_json: bool
) -> None:
    """Add the number PHONE (+ and country code) to CONNECTION (its slug)."""
    with console.session(NumberError) as session:
        found = connections.by_slug(session, connection)
        if found is None:
            console.fail(f"There is no connection {connection}: `backchat connection list` shows all.")
        made = numbers.add(
            session,
            found,
            environment=environment,
            provider_number_id=provider_number_id,
            phone=phone,
            name=name,
            pace_per_s=pace,
        )
        told = {"id": made.id, "phone": made.phone, "name": made.name, "environment": made.environment}
    console.show(told, as_json)


@number.command("list")
@console.environment_option(required=False)
@console.json_option
def list_(environment: str | None, *, as_json: bool) -> None:
    """List the business numbers."""
    query = select(Number).options(joinedload(Number.connection)).order_by(Number.id)
    if environment is not None:
        query = query.where(Number.environment == environment)
    with console.session() as session:
        rows = [
            {
                "id": found.id,
                "environment": found.environment,
                "phone": found.phone,
                "name": found.name,
                "connection": found.connection.slug,
                "provider_number_id": found.provider_number_id,
                "pace_per_s": found.pace_per_s,
            }
            for found in session.scalars(query)
        ]
    console.show(rows, as_json, "No number yet: backchat number add --help")


COMMANDS: tuple[click.Command, ...] = (number,)
