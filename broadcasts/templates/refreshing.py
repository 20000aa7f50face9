"""One template as the provider has it now; in all its languages, for it is asked for by its name."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from bot.connections import listing
from bot.connections.connections import account_of
from bot.connections.listing import Document, ListingError, Order
from bot.connections.secrets import SealError
from bot.language import _
from bot.models.broadcast import Template
from bot.models.connection import Connection
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime
from broadcasts.templates import listed as lists


def refresh(rt: Runtime, template_id: int) -> str | None:
    """What went wrong, in a sentence, if anything did."""
    with rt.transaction() as session:
        began = session.scalars(select(func.clock_timestamp())).one()
        template = session.get_one(Template, template_id)
        name, connection = template.name, session.get_one(Connection, template.connection_id)
    try:
        keep(rt, connection, name, listed(rt, connection, name), began)
    except (ListingError, SealError) as error:
        return str(error)
    return None


def listed(rt: Runtime, connection: Connection, name: str) -> list[Document]:
    """Those of this name; raises ListingError and SealError."""
    provider = PROVIDERS[connection.provider]
    if provider.templates is None:
        raise ListingError(_("%(title)s lists no templates: look at the provider's own pages.", title=provider.title))
    order = Order(connection.slug, provider.templates, account_of(connection, rt.settings), name, listing.CALL_S)
    return [each for each in asyncio.run(listing.fetch(order)) if each.get("name") == name]


def keep(
    rt: Runtime, connection: Connection, name: str, documents: Sequence[Document], began: datetime | None = None
) -> None:
    """What is not among them is gone; without `began`, what webhooks told counts for older."""
    with rt.transaction() as session:
        at = began or session.scalars(select(func.clock_timestamp())).one()
        lists.keep(session, session.get_one(Connection, connection.id), documents, at, name)
