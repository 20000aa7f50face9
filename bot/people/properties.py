"""What can be known of a person: what everybody may have, and an environment's custom attributes with their types."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.language import _, later
from bot.models.person import Property, TableColumn
from bot.models.words import PropertyType
from bot.people.values import OWN_NAMES

MOST_PROPERTIES = 500
"""Custom properties of an environment."""
MOST_SHOWN_UNASKED = 8
"""Custom properties that have a column without anybody having asked for it: the oldest."""
LONGEST_NAME = 100

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class PropertyError(ValueError):
    """A property cannot be made or found; one sentence for each thing that is wrong."""


class Group(StrEnum):
    GENERAL = "general"
    CHANNEL = "channel"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """`is_kept` is False for what no list can set: what Backchat finds out by itself, and channels of others."""

    name: str
    label: str
    group: Group
    type: PropertyType
    example: str
    is_shown: bool = False
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """A property as the Properties List shows it."""

    name: str
    label: str
    group: Group
    type: PropertyType
    example: str | None
    is_shown: bool


def _general(name: str, label: str, example: str, **more: bool) -> BuiltIn:
    return BuiltIn(name, label, Group.GENERAL, PropertyType.TEXT, example, **more)


def _reached(name: str, label: str, example: str) -> BuiltIn:
    return BuiltIn(name, label, Group.CHANNEL, PropertyType.TEXT, example, is_shown=True)


def _channel(name: str, label: str, example: str) -> BuiltIn:
    return BuiltIn(name, label, Group.CHANNEL, PropertyType.TEXT, example, is_kept=False)


def _found_out(name: str, label: str, kind: PropertyType, example: str, *, is_shown: bool = False) -> BuiltIn:
    return BuiltIn(name, label, Group.GENERAL, kind, example, is_shown=is_shown, is_kept=False)


BUILT_IN: tuple[BuiltIn, ...] = (
    _found_out("display_name", later("Name"), PropertyType.TEXT, "Mona Hassan", is_shown=True),
    _general("distinct_id", later("Distinct ID"), "customer-7", is_shown=True),
    _found_out("id", later("User ID"), PropertyType.NUMBER, "311"),
    _general("nickname", later("Nickname"), "Mona"),
    _general("first_name", later("First name"), "Mona"),
    _general("last_name", later("Last name"), "Hassan"),
    _general("country", later("Country"), "EG", is_shown=True),
    _general("time_zone", later("Timezone"), "Africa/Cairo"),
    _general("language", later("Language"), "ar"),
    _found_out("enabled", later("Status"), PropertyType.BOOLEAN, "enabled", is_shown=True),
    _found_out("created_at", later("Created At"), PropertyType.DATETIME, "2026-01-31T12:00:00Z", is_shown=True),
    _found_out("updated_at", later("Updated At"), PropertyType.DATETIME, "2026-01-31T12:00:00Z"),
    _reached("phone", later("WhatsApp"), "+201012345678"),
    _reached("email", later("Email"), "mona@example.org"),
    _channel("sms", later("SMS"), "+201012345678"),
    _channel("push", later("Push"), "fcm:cX8…"),
    _channel("web_push", later("WebPush"), "https://push.example.org/…"),
    _channel("slack", later("Slack"), "U024BE7LH"),
    _channel("discord", later("Discord"), "80351110224678912"),
    _channel("teams", later("Teams"), "29:1-kqx…"),
    _channel("in_app", later("Inapp"), "inbox-7"),
)
"""Names of addresses are their kinds: `phone` is where WhatsApp reaches somebody."""

BY_NAME: Mapping[str, BuiltIn] = {each.name: each for each in BUILT_IN}

RESERVED = frozenset({*BY_NAME, *OWN_NAMES, "user", "user_id", "phone_number", "attributes"})
"""Names with a meaning of their own, in lists and in texts: no custom property may take them."""


def custom(session: Session, environment: str) -> dict[str, PropertyType]:
    """Name → type, the oldest first."""
    found = select(Property.name, Property.type).where(Property.environment == environment).order_by(Property.id)
    return {name: PropertyType(kind) for name, kind in session.execute(found)}


def declare(
    session: Session, environment: str, wanted: Mapping[str, PropertyType], operator_id: int | None = None
) -> None:
    """Make the properties that are not there yet; PropertyError, and none made, if one cannot be."""
    there = custom(session, environment)
    new = {name: kind for name, kind in wanted.items() if name not in there}
    problems = [*(_misnamed(name) for name in new), *_differing(environment, wanted, there)]
    if len(there) + len(new) > MOST_PROPERTIES:
        problems.append(
            f"{environment} has {len(there):,} properties and this would make {len(there) + len(new):,}: "
            f"{MOST_PROPERTIES:,} are the most."
        )
    if told := [problem for problem in problems if problem]:
        raise PropertyError(" ".join(told))
    if new:
        rows = [
            {"environment": environment, "name": name, "type": kind, "created_by_operator_id": operator_id}
            for name, kind in new.items()
        ]
        session.execute(insert(Property).values(rows).on_conflict_do_nothing())
        if told := _differing(environment, wanted, custom(session, environment)):  # somebody was quicker
            raise PropertyError(" ".join(told))


def make(session: Session, environment: str, name: str, kind: str, operator_id: int | None = None) -> None:
    """One that is not there yet, for whoever means to make one; raises PropertyError."""
    if kind not in set(PropertyType):
        raise PropertyError(
            _(
                "There is no type %(kind)s: choose one of %(propertytype)s.",
                kind=repr(kind[:20]),
                propertytype=", ".join(PropertyType),
            )
        )
    if name in custom(session, environment):
        raise PropertyError(
            _("There is a property %(name)s in %(environment)s already.", name=name, environment=environment)
        )
    declare(session, environment, {name: PropertyType(kind)}, operator_id)


def every(session: Session, environment: str) -> list[Listed]:
    """General ones, then channels, then custom ones by age."""
    chosen = _chosen(session, environment)
    built_in = (
        Listed(each.name, each.label, each.group, each.type, each.example, chosen.get(each.name, each.is_shown))
        for each in BUILT_IN
    )
    own = (
        Listed(name, name, Group.CUSTOM, kind, None, chosen.get(name, place < MOST_SHOWN_UNASKED))
        for place, (name, kind) in enumerate(custom(session, environment).items())
    )
    return [*built_in, *own]


def shown(session: Session, environment: str) -> list[Listed]:
    """Those with a column in the listing, in the order of the columns; who it is comes first, always."""
    return [each for each in every(session, environment) if each.is_shown or each.name == "display_name"]


def show(session: Session, environment: str, name: str, is_shown: bool) -> None:
    """Give a property a column in everybody's listing, or take it away."""
    if name not in BY_NAME and name not in custom(session, environment):
        raise PropertyError(
            _(
                "There is no property %(name)s in %(environment)s.",
                name=repr(name[:LONGEST_NAME]),
                environment=environment,
            )
        )
    chosen = insert(TableColumn).values(environment=environment, name=name, is_shown=is_shown)
    session.execute(
        chosen.on_conflict_do_update(index_elements=["environment", "name"], set_={"is_shown": is_shown}),
    )


def _chosen(session: Session, environment: str) -> dict[str, bool]:
    found = select(TableColumn.name, TableColumn.is_shown).where(TableColumn.environment == environment)
    return {row.name: row.is_shown for row in session.execute(found)}


def _misnamed(name: str) -> str | None:
    if not _NAME.fullmatch(name):
        return f"Property name {name[:80]!r}: only letters, digits, underscore, hyphen and period may stand there."
    if len(name) > LONGEST_NAME:
        return f"Property name {name[:40]}… has {len(name):,} characters: {LONGEST_NAME} are the most."
    if name.casefold() in RESERVED:
        return f"{name} has a meaning of its own: give the property another name."
    return None


def _differing(environment: str, wanted: Mapping[str, PropertyType], there: Mapping[str, PropertyType]) -> list[str]:
    return [
        f"{name} is of the type {there[name]} in {environment} and cannot be {kind} as well: "
        f"write {there[name]}, or take another name."
        for name, kind in wanted.items()
        if name in there and there[name] != kind
    ]
