from collections.abc import Sequence
from typing import Any

import rich_click as click
from sqlalchemy.orm import Session

from bot.commands import console
from bot.goals import noticing
from bot.models.person import Person
from bot.models.words import AddressKind, PropertyType
from bot.people import attributes, naming, profiles, properties, shapes
from bot.people.attributes import AttributeValueError
from bot.people.profiles import ProfileError
from bot.people.tellers import Teller

_HERE = Teller("command")
_COLUMNS = ("distinct_id", "nickname", "first_name", "last_name", "country", "time_zone", "language")


def profile_options(command: Any) -> Any:  # noqa: ANN401 (a command in, the same with options out)
    """Decorator: what can be said of a person."""
    for option in (
        click.option("--type", "types", multiple=True, metavar="NAME=TYPE", help="Of an attribute nobody has yet."),
        click.option("--attribute", "given", multiple=True, metavar="NAME=VALUE", help="Written as in a list."),
        click.option("--address", "reach", multiple=True, metavar="KIND=VALUE", help="phone=+201012345678, email=…"),
        click.option("--language", help="Like en or pt_BR."),
        click.option("--time-zone", help="Like Africa/Cairo."),
        click.option("--country", help="Two letters, like EG."),
        click.option("--last-name"),
        click.option("--first-name"),
        click.option("--nickname"),
        click.option("--distinct-id", help="Theirs alone in the environment."),
    ):
        command = option(command)
    return command


@click.group("person", panel=console.BROADCAST)
def person() -> None:
    """One person, by user ID, distinct ID or phone number: show, add, set, enable, disable."""


@person.command("show")
@click.argument("who")
@console.environment_option(required=True)
@console.json_option
def show(who: str, environment: str, *, as_json: bool) -> None:
    """Show everything on WHO: 311 is a user ID, +201012345678 a phone number, any other word a distinct ID."""
    with console.session() as session:
        told = shapes.person(session, _named(session, environment, who))
    console.show(told, as_json)


@person.command("add")
@console.environment_option(required=True)
@profile_options
@console.json_option
def add(environment: str, *, as_json: bool, **options: Any) -> None:  # noqa: ANN401 (those of profile_options)
    """Add somebody, with a distinct ID or an address at least."""
    with console.session(ProfileError) as session:
        made = profiles.create(session, environment, _read(session, environment, options), _HERE)
        noticing.attributes_changed(session, environment, [made.id])
        told = shapes.person(session, made)
    console.show(told, as_json)


@person.command("set")
@click.argument("who")
@console.environment_option(required=True)
@profile_options
@console.json_option
def set_(who: str, environment: str, *, as_json: bool, **options: Any) -> None:  # noqa: ANN401 (as above)
    """Change what is named of WHO; a blank value takes it away, an address replaces those of its kind."""
    with console.session(ProfileError) as session:
        found = _named(session, environment, who)
        changed = profiles.change(session, found.id, _read(session, environment, options), _HERE)
        noticing.attributes_changed(session, environment, [changed.id])
        told = shapes.person(session, changed)
    console.show(told, as_json)


@person.command("enable")
@click.argument("who")
@console.environment_option(required=True)
@console.json_option
def enable(who: str, environment: str, *, as_json: bool) -> None:
    """Let messages go to WHO again."""
    _switch(environment, who, on=True, as_json=as_json)


@person.command("disable")
@click.argument("who")
@console.environment_option(required=True)
@console.json_option
def disable(who: str, environment: str, *, as_json: bool) -> None:
    """Send nothing more to WHO, whoever writes it."""
    _switch(environment, who, on=False, as_json=as_json)


def _switch(environment: str, who: str, *, on: bool, as_json: bool) -> None:
    with console.session(ProfileError) as session:
        found = profiles.change(session, _named(session, environment, who).id, {"enabled": on}, _HERE)
        told = {"id": found.id, "distinct_id": found.distinct_id, "enabled": found.enabled}
    console.show(told, as_json)


def _named(session: Session, environment: str, who: str) -> Person:
    found = naming.named(session, environment, who)
    if found is None:
        console.fail(f"Nobody in {environment} is known as {who}: give a user ID, a distinct ID or a phone number.")
    return found


def _read(session: Session, environment: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options as the API would have them in its body."""
    wanted: dict[str, Any] = {name: options[name] for name in _COLUMNS if options[name] is not None}
    types = {name: kind.upper() for name, kind in _pairs("--type", options["types"])}
    if reach := _pairs("--address", options["reach"]):
        kinds: dict[str, list[str]] = {}
        for kind, value in reach:
            kinds.setdefault(kind if kind in set(AddressKind) else kind.lower(), []).extend([value] if value else [])
        wanted["addresses"] = kinds
    known = properties.custom(session, environment)
    if given := _pairs("--attribute", options["given"]):
        wanted["attributes"] = {name: _value(known, types, name, text) for name, text in given}
    return wanted | ({"types": types} if types else {})


def _value(known: dict[str, PropertyType], types: dict[str, str], name: str, text: str) -> object:
    kind = types.get(name) or known.get(name)
    if not text or kind not in set(PropertyType):
        return text or None  # what is wrong with it is said with the rest
    try:
        return attributes.read(PropertyType(kind), text)
    except AttributeValueError as error:
        raise ProfileError({f"attributes.{name}": f"{name} {error}"}) from error


def _pairs(option: str, given: Sequence[str]) -> list[tuple[str, str]]:
    for pair in given:
        if "=" not in pair:
            raise click.UsageError(f"{option} must be NAME=VALUE and not {pair!r}.")
    return [(name.strip(), text.strip()) for name, _, text in (pair.partition("=") for pair in given)]


COMMANDS: tuple[click.Command, ...] = (person,)
