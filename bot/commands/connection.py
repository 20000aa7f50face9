import rich_click as click
from sqlalchemy import func, select

from bot.commands import console
from bot.connections import connections
from bot.connections.connections import ConnectionFieldError
from bot.models.connection import Connection, Number
from bot.providers.registry import PROVIDERS


@click.group("connection", panel=console.SET_UP)
def connection() -> None:
    """Accounts at a provider: add, list."""


@connection.command("add")
@click.argument("slug")
@click.option("--provider", type=click.Choice(sorted(PROVIDERS)), default="cloud", show_default=True)
@click.option(
    "--account-id", required=True, help="The account as the provider names it (WhatsApp Business Account id)."
)
@click.option("--base-url", required=True, help="Where the provider's API is: https://graph.facebook.com/v25.0")
@click.option(
    "--secret",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="One secret; NAME=- reads it from standard input, where `ps` and the shell's history do not see it.",
)
@console.json_option
def add(slug: str, provider: str, account_id: str, base_url: str, given: tuple[str, ...], *, as_json: bool) -> None:
    """Add an account at a provider; SLUG becomes the last part of its webhook address.

    Secrets that --secret does not give are taken from BACKCHAT_SECRET_<NAME> or asked for.
    """
    secrets = console.secret_values(PROVIDERS[provider].secret_names, given)
    settings = console.the_runtime().settings
    with console.session(ConnectionFieldError) as session:
        made = connections.add(
            session,
            settings.secret_key,
            slug=slug,
            provider=provider,
            account_id=account_id,
            base_url=base_url,
            secrets=secrets,
        )
        told = {"id": made.id, "slug": made.slug, "webhook": connections.webhook_url(made.slug, settings)}
    console.show(told, as_json)
    if not as_json:
        console.say(f"\nGive the provider that webhook address, then: backchat number add {slug} …")


@connection.command("list")
@console.json_option
def list_(*, as_json: bool) -> None:
    """List the connections with their webhook addresses."""
    settings = console.the_runtime().settings
    query = select(Connection, func.count(Number.id)).outerjoin(Number).group_by(Connection.id).order_by(Connection.id)
    with console.session() as session:
        rows = [
            {
                "slug": found.slug,
                "provider": found.provider,
                "account_id": found.account_id,
                "base_url": found.base_url,
                "numbers": numbers,
                "webhook": connections.webhook_url(found.slug, settings),
                "created_at": found.created_at,
            }
            for found, numbers in session.execute(query)
        ]
    console.show(rows, as_json, "No connection yet: backchat connection add --help")


COMMANDS: tuple[click.Command, ...] = (connection,)
