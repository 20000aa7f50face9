"""Attributes that texts ask for and nobody has: mistyped as a rule, and a default would hide it from everybody."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot.language import _
from bot.messages import personalise
from bot.messages.personalise import PlaceholderError
from bot.models.person import Person
from bot.people import links, properties
from bot.people.values import OWN_NAMES

_LOOKED_AT: Final = 20_000
"""People, the newest: journeys give attributes that nobody declared."""


def of(session: Session, environment: str, texts: Iterable[str]) -> Mapping[str, str]:
    """Name → what to say about it, of each attribute that nobody is known to have."""
    asked = sorted({name for text in texts for name in read(text)})
    known = {*OWN_NAMES, *properties.custom(session, environment), *links.names(session, environment)}
    suspects = [name for name in asked if not _is_among(name, known)]
    return {name: _say(name, known) for name in suspects if not _somebody_has(session, environment, name)}


def read(text: str) -> Iterable[str]:
    """The attributes that stand in it."""
    try:
        return personalise.placeholders(text)
    except PlaceholderError:
        return ()  # said at its place already


def _is_among(name: str, known: set[str]) -> bool:
    """`office.no` may be the no of an office."""
    return name in known or any(name[:at] in known for at, letter in enumerate(name) if letter == ".")


def _somebody_has(session: Session, environment: str, name: str) -> bool:
    mine = Person.environment == environment
    newest = select(Person.attributes).where(mine).order_by(Person.id.desc()).limit(_LOOKED_AT).subquery()
    held = newest.c.attributes.has_key(name.partition(".")[0]) | newest.c.attributes.has_key(name)
    return bool(session.scalar(select(exists(select(newest).where(held)))))


def _say(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, 1)
    if near:
        return _("Nobody has %(name)s. Did you mean %(near)s?", name=name, near=near[0])
    return _("Nobody has %(name)s yet: everybody would get the default, or without one nothing.", name=name)
