import rich_click as click
from sqlalchemy import select

from bot.commands import console
from bot.models.team import ApiToken
from bot.team import tokens
from bot.team.tokens import TokenError


@click.group("token", panel=console.SET_UP)
def token() -> None:
    """Keys for machines that use the API: create, list, revoke."""


@token.command("create")
@click.argument("name")
@console.environment_option(required=True)
@console.json_option
def create(name: str, environment: str, *, as_json: bool) -> None:
    """Make a token called NAME; its secret is printed now and cannot be shown again."""
    with console.session(TokenError) as session:
        made, secret = tokens.create(session, environment, name)
        told = {"id": made.id, "name": made.name, "environment": made.environment, "secret": secret}
    console.show(told, as_json)
    if not as_json:
        console.say("\nKeep the secret now: only its hash is stored.")


@token.command("list")
@console.environment_option(required=False)
@console.json_option
def list_(environment: str | None, *, as_json: bool) -> None:
    """List the tokens, never their secrets."""
    query = select(ApiToken).order_by(ApiToken.environment, ApiToken.name)
    if environment is not None:
        query = query.where(ApiToken.environment == environment)
    with console.session() as session:
        rows = [
            {
                "environment": found.environment,
                "name": found.name,
                "created_at": found.created_at,
                "last_used_at": found.last_used_at,
                "revoked_at": found.revoked_at,
            }
            for found in session.scalars(query)
        ]
    console.show(rows, as_json, "No token yet: backchat token create --help")


@token.command("revoke")
@click.argument("name")
@console.environment_option(required=True)
@console.json_option
def revoke(name: str, environment: str, *, as_json: bool) -> None:
    """Refuse the token NAME from now on, for good."""
    with console.session(TokenError) as session:
        found = tokens.revoke(session, environment, name)
        told = {"id": found.id, "name": found.name, "environment": environment, "revoked_at": found.revoked_at}
    console.show(told, as_json)


COMMANDS: tuple[click.Command, ...] = (token,)
