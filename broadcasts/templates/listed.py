"""What a provider's list of templates says, made true: stored, sendable or not, and what it does not name is gone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, or_, select, text
from sqlalchemy.orm import Session

from bot.connections import listing, news, template_history
from bot.connections.listing import Document
from bot.messages import consequences
from bot.models.broadcast import Broadcast, BroadcastWording, Template
from bot.models.connection import Connection
from bot.models.words import BroadcastState
from broadcasts.templates import templates

_GONE = text("""
    UPDATE template SET status = 'DELETED', reason = NULL, updated_at = now()
     WHERE connection_id = :connection_id AND id <> ALL(:kept) AND status NOT IN ('DELETED', 'UNSUBMITTED')
       AND (CAST(:name AS text) IS NULL OR name = :name)
       AND created_at <= :began AND (told_at IS NULL OR told_at <= :began)
""")
_LONGEST = 600
"""Characters of a name or a language; what is longer is no template's."""


def keep(
    session: Session, connection: Connection, documents: Sequence[Document], began: datetime, name: str | None = None
) -> int:
    """How many were left out because nobody could ask for them: they have no name or no language.

    What a webhook told of a status since the fetch began is newer and stays. With a `name` the list is of that only.
    """
    read = [(_values(each), each) for each in documents]
    told = {(values["name"], values["language"]): (values, each) for values, each in read if values is not None}
    # Sorted as webhooks sort their news: both hold the rows in one order.
    kept = [_store(session, connection, values, document, began) for _, (values, document) in sorted(told.items())]
    session.execute(_GONE, {"connection_id": connection.id, "kept": kept, "began": began, "name": name})
    template_history.note(session, connection.id, template_history.LIST)
    _pause(session, connection.id)
    return sum(values is None for values, _ in read)


def _store(
    session: Session, connection: Connection, values: dict[str, Any], document: Document, began: datetime
) -> int:
    """The row's id. A webhook's words on why a status is as it is are better than none, while it stays so."""
    is_newer = Template.told_at > began
    reason = listing.reason_of(document)
    return templates.store(
        session,
        connection,
        values | {"reason": reason},
        status=case((is_newer, Template.status), else_=values["status"]),
        reason=case(
            (is_newer, Template.reason),
            (Template.status == values["status"], func.coalesce(reason, Template.reason)),
            else_=reason,
        ),
        quality=func.coalesce(values["quality"], Template.quality),
    ).id


def _values(document: Document) -> dict[str, Any] | None:
    values = templates.values_of({"status": news.UNKNOWN, **document})
    if not (0 < len(values["name"]) <= _LONGEST and 0 < len(values["language"]) <= _LONGEST):
        return None
    if not templates.is_shaped(values["components"]):
        values["components"] = []
    told = document.get("id")
    return values | {"provider_template_id": told and str(told), "quality": listing.quality_of(document)}


def _pause(session: Session, connection_id: int) -> None:
    """Broadcasts under way with a template that cannot be sent pause now, as they do for a webhook that tells it."""
    under_way = Broadcast.state.in_((BroadcastState.MATERIALISING, BroadcastState.RUNNING))
    wordings = select(BroadcastWording.template_id).join(Broadcast, Broadcast.id == BroadcastWording.broadcast_id)
    used = select(Template).where(
        Template.connection_id == connection_id,
        or_(
            Template.id.in_(select(Broadcast.template_id).where(under_way)),
            Template.id.in_(wordings.where(under_way)),
        ),
    )
    for each in session.scalars(used.order_by(Template.id), execution_options={"populate_existing": True}):
        if why := news.unsendable(each.name, each.language, each.status, each.reason):
            consequences.pause_for_template(session, each.id, why)
