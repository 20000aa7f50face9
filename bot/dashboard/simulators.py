"""The test phone: the page of a simulator, where a connection leads to one on this machine."""

from urllib.parse import urlsplit

from flask import g
from sqlalchemy import select

from bot import runtime
from bot.connections.connections import is_loopback
from bot.models.connection import Connection


def phone_link() -> str | None:
    """Address of the simulator's page, if any connection talks to this machine instead of Meta."""
    if "phone_link" not in g:
        with runtime.current().transaction() as tx:
            addresses = tx.scalars(select(Connection.base_url).order_by(Connection.id)).all()
        parts = [urlsplit(address) for address in addresses]
        g.phone_link = next((f"{p.scheme}://{p.netloc}/" for p in parts if is_loopback(p.hostname)), None)
    found: str | None = g.phone_link
    return found
