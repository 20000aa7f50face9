"""Tracked links: named, led to an address that the team chose, and followed by whomever they were sent to."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import distinct, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.goals import noticing
from bot.goals.noticing import Clicked
from bot.language import _
from bot.models.goals import LinkClick, TrackedLink
from bot.models.person import Person, PersonMerge
from bot.people import links
from bot.team import audit
from bot.team.audit import Action, By

MOST: Final = 200
LONGEST_TARGET: Final = 2_000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

# Whoever fetches a page to show what is behind a link says so, or is no browser.
_MACHINE = re.compile(
    r"whatsapp/|facebookexternalhit|facebot|bot\b|crawler|spider|preview|curl/|python-", re.IGNORECASE
)
_AHEAD: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


class LinkError(ValueError):
    """The link cannot be made or changed; `field` is name or target, the text says what would be right."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Listed:
    link: TrackedLink
    clicks: int
    people: int


def every(session: Session, environment: str) -> Sequence[TrackedLink]:
    return session.scalars(
        select(TrackedLink).where(TrackedLink.environment == environment).order_by(TrackedLink.name)
    ).all()


def counted(session: Session, environment: str) -> Sequence[Listed]:
    """With how often each was followed, and by how many people."""
    counts = (
        select(LinkClick.link_id, func.count(), func.count(distinct(LinkClick.person_id)))
        .where(LinkClick.environment == environment, ~LinkClick.is_preview)
        .group_by(LinkClick.link_id)
    )
    found = {id_: (clicks, people) for id_, clicks, people in session.execute(counts)}
    return [Listed(link, *found.get(link.id, (0, 0))) for link in every(session, environment)]


def create(session: Session, environment: str, name: object, target: object, by: By) -> TrackedLink:
    """Raises LinkError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == "token":
        raise LinkError("name", _("A name is of small letters, digits and _, a letter first, 40 characters at most."))
    address = _target(target)
    if len(every(session, environment)) >= MOST:
        raise LinkError("name", _("There are %(most)s links already, which is the most.", most=MOST))
    row = {"environment": environment, "name": name, "target": address, "key": secrets.token_bytes(32)}
    who = {"created_by_operator_id": by.operator_id, "created_by_token_id": by.token_id}
    made = session.scalar(insert(TrackedLink).values(row | who).on_conflict_do_nothing().returning(TrackedLink.id))
    if made is None:
        raise LinkError("name", _("There is a link %(name)s already: take another name.", name=name))
    audit.note(session, by, Action.LINK_MADE, f"link {made}", after={"name": name, "target": address})
    return session.get_one(TrackedLink, made)


def lead_to(session: Session, link: TrackedLink, target: object, by: By) -> None:
    """Also what was sent already leads there from now on; raises LinkError."""
    before, link.target = link.target, _target(target)
    session.flush()
    audit.note(
        session, by, Action.LINK_CHANGED, f"link {link.id}", before={"target": before}, after={"target": link.target}
    )


def follow(session: Session, token: str, headers: Mapping[str, str]) -> str | None:
    """Where it leads, written down as a click; None for what is no token of ours."""
    found, link = links.read(token), _genuine(session, token)
    if found is None or link is None:
        return None
    person_id = _stays(session, found[1], link.environment)
    if person_id is not None:
        at, is_preview = datetime.now(UTC), is_ahead(headers)
        session.add(
            LinkClick(environment=link.environment, link_id=link.id, person_id=person_id, at=at, is_preview=is_preview)
        )
        if not is_preview:
            noticing.clicked(session, link.environment, [Clicked(person_id, link.name, at)])
    return link.target


def where(session: Session, token: str) -> str | None:
    """The same without a click."""
    link = _genuine(session, token)
    return None if link is None else link.target


def _genuine(session: Session, token: str) -> TrackedLink | None:
    found = links.read(token)
    link = session.get(TrackedLink, found[0]) if found else None
    return link if link is not None and links.is_genuine(link, token) else None


def is_ahead(headers: Mapping[str, str]) -> bool:
    """Whether a machine looks what is behind a link, for a preview or ahead of a tap."""
    agent = headers.get("User-Agent", "")
    return not agent or bool(_MACHINE.search(agent)) or any(headers.get(name) for name in _AHEAD)


def _stays(session: Session, person_id: int, environment: str) -> int | None:
    """Whoever it was sent to, under whichever name they stay; None for somebody who was erased."""
    merged = session.scalar(select(PersonMerge.person_id).where(PersonMerge.gone_id == person_id).limit(1))
    of = select(Person.id).where(
        Person.id == (merged or person_id), Person.environment == environment, Person.erased_at.is_(None)
    )
    return session.scalar(of)


def _target(given: object) -> str:
    text = given.strip() if isinstance(given, str) else ""
    try:
        parts = urlsplit(text)
        is_fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username
    except ValueError:
        is_fine = False
    if not is_fine or len(text) > LONGEST_TARGET or not text.isascii() or not text.isprintable() or " " in text:
        raise LinkError("target", _("Give a whole address that begins with https://, without spaces and passwords."))
    return text
