from datetime import UTC, datetime, timedelta
from typing import Any

import rich_click as click

from bot.commands import console
from bot.models.team import ApiToken
from bot.team import audit, permissions, tokens
from bot.team.audit import COMMAND, Action
from bot.team.tokens import TokenError


@click.group("token", panel=console.SET_UP)
def token() -> None:
    """Keys for machines that use the API: create, list, rotate, revoke."""


@token.command("create")
@click.argument("name")
@console.environment_option(required=True)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in permissions.SCOPES]),
    help="What it may do; may be repeated. Without it: everything.",
)
@click.option("--days", type=click.IntRange(1, 3650), help="Refuse it after so many days.")
@console.json_option
def create(name: str, environment: str, scopes: tuple[str, ...], days: int | None, *, as_json: bool) -> None:
    """Make a token called NAME; its secret is printed now and cannot be shown again."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    with console.session(TokenError) as session:
        made, secret = tokens.create(session, environment, name, scopes=scopes or None, expires_at=expires_at)
        audit.note(session, COMMAND, Action.TOKEN_MADE, f"token {made.id}", after=_terms(made))
        told = {"id": made.id, **_terms(made), "secret": secret}
    console.show(told, as_json)
    if not as_json:
        console.say("\nKeep the secret now: only its hash is stored.")


@token.command("list")
@console.environment_option(required=False)
@console.json_option
def list_(environment: str | None, *, as_json: bool) -> None:
    """List the tokens, never their secrets."""
    with console.session() as session:
        rows = [
            {
                "environment": found.environment,
                "name": found.name,
                "scopes": found.scopes or "all",
                "created_at": found.created_at,
                "last_used_at": found.last_used_at,
                "expires_at": found.expires_at,
                "revoked_at": found.revoked_at,
            }
            for found in tokens.every(session)
            if environment in {None, found.environment}
        ]
    console.show(rows, as_json, "No token yet: backchat token create --help")


@token.command("rotate")
@click.argument("name")
@console.environment_option(required=True)
@click.option("--hours", default=24, show_default=True, help="How much longer the present secret is taken.")
@console.json_option
def rotate(name: str, environment: str, hours: int, *, as_json: bool) -> None:
    """Give the token NAME a new secret, printed now; the present one is taken for some time longer."""
    with console.session(TokenError) as session:
        found = tokens.by_name(session, environment, name)
        made, secret = tokens.rotate(session, found.id, timedelta(hours=hours))
        audit.note(session, COMMAND, Action.TOKEN_ROTATED, f"token {made.id}", after={"name": made.name})
        told = {"id": made.id, "name": made.name, "former_until": made.former_until, "secret": secret}
    console.show(told, as_json)


@token.command("revoke")
@click.argument("name")
@console.environment_option(required=True)
@console.json_option
def revoke(name: str, environment: str, *, as_json: bool) -> None:
    """Refuse the token NAME from now on, for good."""
    with console.session(TokenError) as session:
        found = tokens.revoke(session, environment, name)
        audit.note(session, COMMAND, Action.TOKEN_REVOKED, f"token {found.id}", after={"name": found.name})
        told = {"id": found.id, "name": found.name, "environment": environment, "revoked_at": found.revoked_at}
    console.show(told, as_json)


def _terms(found: ApiToken) -> dict[str, Any]:
    return {
        "name": found.name,
        "environment": found.environment,
        "scopes": found.scopes or "all",
        "expires_at": found.expires_at and found.expires_at.isoformat(),
    }


COMMANDS: tuple[click.Command, ...] = (token,)
