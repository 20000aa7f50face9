import rich_click as click

from bot.commands import console
from bot.models.words import Role
from bot.team import audit, operators, passwords, rights, single_sign_on
from bot.team.audit import COMMAND, Action
from bot.team.operators import OperatorError
from bot.team.passwords import PasswordError


@click.group("operator", panel=console.SET_UP)
def operator() -> None:
    """People who sign in: add, list, password, deactivate, forget-provider, passwords."""


generate_option = click.option(
    "--generate-password", "generate", is_flag=True, help="Make a random password and print it, this once."
)


@operator.command("add")
@click.argument("email")
@click.option("--name", required=True, help="How pages call them.")
@click.option("--role", type=click.Choice([word.value for word in Role]), required=True, help="What they may do.")
@generate_option
@console.json_option
def add(email: str, name: str, role: str, *, generate: bool, as_json: bool) -> None:
    """Add somebody who signs in with EMAIL; the password is asked for, or read from standard input."""
    password = _password(generate=generate)
    with console.session(OperatorError, PasswordError) as session:
        made = operators.add(session, email=email, name=name, role=role, password=password)
        told = {"id": made.id, "email": made.email, "name": made.name, "role": str(rights.of(made))}
        audit.note(session, COMMAND, Action.ADDED, f"operator {made.id}", after={"email": made.email, "role": role})
    console.show({**told, "password": password} if generate else told, as_json)


@operator.command("list")
@console.json_option
def list_(*, as_json: bool) -> None:
    """List everybody who signs in."""
    with console.session() as session:
        rows = [
            {
                "email": found.email,
                "name": found.name,
                "role": str(rights.of(found)),
                "second_factor": found.sealed_factor is not None,
                "active": found.active,
                "created_at": found.created_at,
            }
            for found in operators.everyone(session)
        ]
    console.show(rows, as_json, "Nobody yet: backchat operator add --help")


@operator.command("password")
@click.argument("email")
@generate_option
@console.json_option
def password_(email: str, *, generate: bool, as_json: bool) -> None:
    """Give EMAIL a new password and sign them out everywhere."""
    password = _password(generate=generate)
    with console.session(OperatorError, PasswordError) as session:
        found = operators.by_email(session, email)
        operators.set_password(session, found.id, password)
        audit.note(session, COMMAND, Action.PASSWORD_CHANGED, f"operator {found.id}")
        told = {"id": found.id, "email": found.email}
    console.show({**told, "password": password} if generate else told, as_json)


@operator.command("deactivate")
@click.argument("email")
@console.json_option
def deactivate(email: str, *, as_json: bool) -> None:
    """Stop EMAIL from signing in, at once; what they wrote stays theirs."""
    with console.session(OperatorError) as session:
        found = operators.by_email(session, email)
        operators.deactivate(session, found.id)
        audit.note(session, COMMAND, Action.DEACTIVATED, f"operator {found.id}")
        told = {"id": found.id, "email": found.email, "active": False}
    console.show(told, as_json)


@operator.command("forget-provider")
@click.argument("email")
@console.json_option
def forget_provider(email: str, *, as_json: bool) -> None:
    """Let whoever the identity provider next vouches for as EMAIL be them, as after an account was made anew there."""
    with console.session(OperatorError) as session:
        found = operators.by_email(session, email)
        single_sign_on.forget(session, found)
        audit.note(session, COMMAND, Action.PROVIDER_FORGOTTEN, f"operator {found.id}")
        told = {"id": found.id, "email": found.email}
    console.show(told, as_json)


@operator.command("passwords")
@click.argument("state", type=click.Choice(("on", "off")))
@console.json_option
def passwords_(state: str, *, as_json: bool) -> None:
    """Let people sign in by password again, or by the identity provider alone."""
    settings = console.the_runtime().settings
    with console.session(OperatorError) as session:
        before = not single_sign_on.takes_passwords(session, settings)
        single_sign_on.refuse_passwords(session, settings, refused=state == "off", is_proved=True)
        told = {"refuses_passwords": before}, {"refuses_passwords": state == "off"}
        audit.note(session, COMMAND, Action.TEAM_POLICY_CHANGED, "team", before=told[0], after=told[1])
    console.show({"passwords": state}, as_json)


def _password(*, generate: bool) -> str:
    return passwords.generate() if generate else console.secret_line("Password", twice=True)


COMMANDS: tuple[click.Command, ...] = (operator,)
