"""A connection's list of templates, from the wish for it to its end; docs/broadcasts.md.

No transaction is open while the provider is asked; what it says is stored in one.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import case, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from bot import ending
from bot.connections import listing
from bot.connections.connections import account_of
from bot.connections.listing import Document, ListingError, Order
from bot.connections.secrets import SealError
from bot.language import _
from bot.models.broadcast import TemplateFetch
from bot.models.connection import Connection
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime
from broadcasts.templates import listed

log = structlog.get_logger()

LEASE_S = 3 * listing.TOTAL_S
_LOOK_S = 0.2

_CLAIM = text("""
    UPDATE template_fetch SET lease_until = now() + make_interval(secs => :lease_s)
     WHERE connection_id = (
        SELECT connection_id FROM template_fetch
         WHERE wanted_at IS NOT NULL AND (lease_until IS NULL OR lease_until < now())
         ORDER BY wanted_at, connection_id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING connection_id
""").bindparams(lease_s=LEASE_S)

_IS_DUE = text("""
    SELECT EXISTS (SELECT 1 FROM template_fetch
                    WHERE wanted_at IS NOT NULL AND (lease_until IS NULL OR lease_until < now()))
""")


def can_list(connection: Connection) -> bool:
    return PROVIDERS[connection.provider].templates is not None


def ask(session: Session, connections: Iterable[Connection]) -> None:
    """Have the lists of those that have one fetched (ring "bulk" after the commit); asking twice is asking once."""
    for connection_id in sorted(each.id for each in connections if can_list(each)):
        _write(session, connection_id, {"wanted_at": func.now()})


def is_due(session: Session) -> bool:
    return bool(session.scalar(_IS_DUE))


def work(rt: Runtime) -> bool:
    """Fetch the list that has been wanted longest; whether there was one."""
    with rt.transaction() as session:
        connection_id = session.scalar(_CLAIM)
    if connection_id is None:
        return False
    problem = fetch(rt, connection_id)
    log.info("templates.fetched", connection=connection_id, has_problem=problem is not None)
    return True


def fetch(rt: Runtime, connection_id: int) -> str | None:
    """Bring the connection's templates up to date; what went wrong, in a sentence, if anything did."""
    with rt.transaction() as session:
        began = session.scalars(select(func.clock_timestamp())).one()
    try:
        documents = asyncio.run(_listed(_order(rt, connection_id)))
        if documents is None:  # told to end: the next worker begins anew
            with rt.transaction() as session:
                _write(session, connection_id, {"lease_until": None})
            return None
        problem = _keep(rt, connection_id, documents, began)
    except (ListingError, SealError) as error:
        problem = str(error)
        with rt.transaction() as session:
            _finish(session, connection_id, began, problem=problem)
    return problem


def _keep(rt: Runtime, connection_id: int, documents: list[Document], began: datetime) -> str | None:
    try:
        with rt.transaction() as session:
            connection = session.get_one(Connection, connection_id)
            left_out = listed.keep(session, connection, documents, began)
            problem = f"{left_out} of the list have no name or no language and were left out." if left_out else None
            _finish(session, connection_id, began, listed=len(documents), problem=problem)
    except DataError as error:
        kind = type(error.orig).__name__
        raise ListingError(f"The list of templates cannot be stored ({kind}): fetch again, and report it.") from None
    return problem


def _order(rt: Runtime, connection_id: int) -> Order:
    """Raises SealError and, of a provider without a list, ListingError."""
    with rt.transaction() as session:
        connection = session.get_one(Connection, connection_id)
        provider = PROVIDERS[connection.provider]
        if provider.templates is None:
            raise ListingError(
                _(
                    "%(title)s lists no templates: add those of the connection %(slug)s from a file, with "
                    "`backchat template add`.",
                    title=provider.title,
                    slug=connection.slug,
                )
            )
        return Order(connection.slug, provider.templates, account_of(connection, rt.settings))


async def _listed(order: Order) -> list[Document] | None:
    """None if this worker was told to end meanwhile."""
    fetching = asyncio.create_task(listing.fetch(order))
    while not fetching.done():
        if ending.is_told():
            fetching.cancel()
            return None
        await asyncio.wait({fetching}, timeout=_LOOK_S)
    return fetching.result()


def _finish(session: Session, connection_id: int, began: datetime, **told: Any) -> None:  # noqa: ANN401 (columns)
    """Who asked since it began still waits, for the next."""
    since = case((TemplateFetch.wanted_at > began, TemplateFetch.wanted_at), else_=None)
    values = {"problem": None, "finished_at": func.now(), "lease_until": None} | told
    _write(session, connection_id, values, wanted_at=since)


def _write(session: Session, connection_id: int, values: Mapping[str, Any], **kept: Any) -> None:  # noqa: ANN401 (columns)
    """`kept` are columns that only an existing row has a value for."""
    session.execute(
        insert(TemplateFetch)
        .values(connection_id=connection_id, **values)
        .on_conflict_do_update(index_elements=["connection_id"], set_={**values, **kept})
    )
