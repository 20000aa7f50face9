"""Addresses of ours that know whom they were sent to: made without a row for each person, and read back."""

import base64
import binascii
import hmac
from collections.abc import Collection
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.models.goals import TrackedLink
from bot.models.person import Person

PREFIX: Final = "link:"
"""Of the names by which `<<link.NAME>>` is filled in: no attribute has a colon."""
ENDING: Final = ".token"
"""`<<link.NAME.token>>` is the end of the address alone, for a template's button that has the rest."""
PATH: Final = "/l/"
_ID, _SEAL = 6, 8
_LENGTH = 2 * _ID + _SEAL


def token(link: TrackedLink, person_id: int) -> str:
    """27 letters that say which link and whose, and cannot be made up."""
    ids = link.id.to_bytes(_ID) + person_id.to_bytes(_ID)
    return base64.urlsafe_b64encode(ids + _seal(link.key, ids)).rstrip(b"=").decode()


def read(given: str) -> tuple[int, int] | None:
    """(link id, person id) of what may be a token; `is_genuine` says whether it is one."""
    try:
        raw = base64.urlsafe_b64decode(given + "=")
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _LENGTH:
        return None
    return int.from_bytes(raw[:_ID]), int.from_bytes(raw[_ID : 2 * _ID])


def is_genuine(link: TrackedLink, given: str) -> bool:
    found = read(given)
    return found is not None and hmac.compare_digest(token(link, found[1]).encode(), given.encode())


def names(session: Session, environment: str) -> set[str]:
    """What texts may read, as a placeholder has it: link:course, link:course.token."""
    found = session.scalars(select(TrackedLink.name).where(TrackedLink.environment == environment))
    return {f"{PREFIX}{name}{ending}" for name in found for ending in ("", ENDING)}


def filled_in(
    session: Session, values: dict[int, dict[str, str]], wanted: Collection[str] | None
) -> dict[int, dict[str, str]]:
    """The values of people with their links beside them; as they are where no text asks for one."""
    if wanted is not None and not any(name.startswith(PREFIX) for name in wanted):
        return values
    links = session.scalars(select(TrackedLink)).all()
    if links and values:
        base = f"{runtime.current().settings.base_url.rstrip('/')}{PATH}"
        of = select(Person.id, Person.environment).where(Person.id.in_(values))
        for id_, environment in session.execute(of):
            tokens = {link.name: token(link, id_) for link in links if link.environment == environment}
            values[id_] |= {f"{PREFIX}{name}": base + told for name, told in tokens.items()}
            values[id_] |= {f"{PREFIX}{name}{ENDING}": told for name, told in tokens.items()}
    return values


def _seal(key: bytes, ids: bytes) -> bytes:
    return hmac.digest(key, ids, "sha256")[:_SEAL]
