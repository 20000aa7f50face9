"""The test phone: the page of a simulator, where a connection leads to one on this machine."""

from urllib.parse import urlsplit

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.connections.connections import is_loopback
from bot.models.connection import Connection

_ADDRESSES = select(Connection.base_url).order_by(Connection.id)


def phone_link() -> str | None:
    """Address of the simulator's page, if any connection talks to this machine instead of Meta."""
    if "phone_link" not in g:
        with runtime.current().transaction() as tx:
            know_phone(tx)
    found: str | None = g.phone_link
    return found


def know_phone(session: Session) -> None:
    """For a page that is looking at the database anyway."""
    parts = [urlsplit(address) for address in session.scalars(_ADDRESSES)]
    g.phone_link = next((f"{p.scheme}://{p.netloc}/" for p in parts if is_loopback(p.hostname)), None)
