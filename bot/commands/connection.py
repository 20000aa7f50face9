import re
import secrets
from datetime import timedelta

import rich_click as click
from sqlalchemy import func, select

from bot.commands import console
from bot.connections import connections, resealing, rotation
from bot.connections.connections import ConnectionFieldError
from bot.connections.resealing import ResealError
from bot.connections.secrets import SealError
from bot.models.connection import Connection, Number
from bot.providers.registry import PROVIDERS


class Length(click.ParamType[timedelta]):
    """A length of time: 90m, 12h, 7d, 0."""

    name = "length"

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        said = re.fullmatch(r"(\d{1,4})([mhd])|0", value)
        if said is None:
            self.fail(f"{value!r} is no length of time: say 90m, 12h, 7d or 0.", param, ctx)
        return timedelta(**{{"m": "minutes", "h": "hours", "d": "days"}[said[2] or "d"]: int(said[1] or 0)})


@click.group("connection", panel=console.SET_UP)
def connection() -> None:
    """Accounts at a provider: add, list, secret."""


@connection.command("add")
@click.argument("slug")
@click.option("--provider", type=click.Choice(sorted(PROVIDERS)), default="cloud", show_default=True)
@click.option(
    "--account-id", required=True, help="The account as the provider names it (WhatsApp Business Account id)."
)
@click.option("--base-url", help="Where the provider's API is, if it is not where everybody's is.")
@click.option(
    "--secret",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="One secret; NAME=- reads it from standard input, where `ps` and the shell's history do not see it.",
)
@console.json_option
def add(
    slug: str, provider: str, account_id: str, base_url: str | None, given: tuple[str, ...], *, as_json: bool
) -> None:
    """Add an account at a provider; SLUG becomes the last part of its webhook address.

    Secrets that --secret does not give are taken from BACKCHAT_SECRET_<NAME> or asked for. One that is ours to choose
    is made up and shown this once.
    """
    ours = PROVIDERS[provider].chosen_secrets
    values = console.secret_values(PROVIDERS[provider].secret_names, given, ours)
    made_up = {name: secrets.token_hex(24) for name in ours if name not in values}
    base_url = base_url or PROVIDERS[provider].default_base_url
    if base_url is None:
        console.fail(f"The API of {PROVIDERS[provider].title} is not in one place for everybody: give --base-url.")
    settings = console.the_runtime().settings
    with console.session(ConnectionFieldError) as session:
        made = connections.add(
            session,
            settings.secret_key,
            slug=slug,
            provider=provider,
            account_id=account_id,
            base_url=base_url,
            secrets=values | made_up,
        )
        told = {"id": made.id, "slug": made.slug, "webhook": connections.webhook_url(made.slug, settings)}
    console.show(told | made_up, as_json)
    if not as_json:
        what = " and ".join(["that webhook address", *(f"that {name}, shown this once" for name in made_up)])
        console.say(f"\nGive the provider {what}, then: backchat number add {slug} …")


@connection.command("secret")
@click.argument("slug")
@click.argument("given", nargs=-1, metavar="[NAME=VALUE]…")
@click.option(
    "--keep-old",
    "keep_for",
    type=Length(),
    default="7d",
    show_default=True,
    help="How long webhooks may still be signed with the secret before: 90m, 12h, 7d, or 0.",
)
@click.option("--drop-old", is_flag=True, help="Accept no secret from before any more.")
@console.json_option
def secret(slug: str, given: tuple[str, ...], keep_for: timedelta, *, drop_old: bool, as_json: bool) -> None:
    """Replace secrets of a connection; NAME=- reads one from standard input.

    The ones before are accepted from the provider for a while, so that no webhook is refused meanwhile.
    """
    if not given and not drop_old:
        raise click.UsageError("Name what to replace as NAME=VALUE or NAME=-, or say --drop-old.")
    values = console.given_secrets(given, "A secret")
    secret_key = console.the_runtime().settings.secret_key
    with console.session(ConnectionFieldError, SealError) as session:
        found = connections.by_slug(session, slug)
        if found is None:
            console.fail(f"There is no connection {slug!r}: see `backchat connection list`.")
        if drop_old:
            rotation.drop_former(session, found)
            keep_for = timedelta(0)
        kept = rotation.replace(session, secret_key, found, values, keep_for)
    accepted = {f"former_{name}_until": one.until for name, one in kept.items()}
    console.show({"replaced": sorted(values)} | accepted, as_json)


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


@connection.command("reseal")
@console.json_option
def reseal(*, as_json: bool) -> None:
    """Seal with BACKCHAT_SECRET_KEY what was sealed with one of BACKCHAT_FORMER_SECRET_KEYS; all or nothing."""
    settings = console.the_runtime().settings
    with console.session(ResealError) as session:
        done = resealing.reseal(session, settings.secret_key, settings.former_secret_keys)
    console.show({"resealed": done}, as_json)


COMMANDS: tuple[click.Command, ...] = (connection,)
