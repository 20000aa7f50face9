"""The broadcasts that send a template, as their own wording or as one of their others, and deleting what none sends."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete as sql_delete
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from bot.connections import listing, template_history
from bot.connections.connections import account_of
from bot.connections.listing import ListingError
from bot.connections.template_history import By
from bot.language import _
from bot.models.broadcast import Broadcast, BroadcastWording, Template
from bot.models.connection import Connection
from bot.models.words import BroadcastState
from bot.providers.base import TemplateRefusedError
from bot.runtime import Runtime
from broadcasts.templates import making, templates
from broadcasts.templates.templates import TemplateError

MOST: Final = 50
_UNDER_WAY: Final = (BroadcastState.MATERIALISING, BroadcastState.RUNNING)
_OVER: Final = (BroadcastState.DRAFT, BroadcastState.FINISHED, BroadcastState.CANCELLED)


def of(session: Session, template_id: int) -> Sequence[Broadcast]:
    """The newest first, of both environments."""
    wording = exists().where(BroadcastWording.broadcast_id == Broadcast.id, BroadcastWording.template_id == template_id)
    found = select(Broadcast).where(or_(Broadcast.template_id == template_id, wording))
    return session.scalars(found.order_by(Broadcast.id.desc()).limit(MOST)).all()


def under_way(session: Session, template_id: int) -> Sequence[Broadcast]:
    """Those that pause when it can no longer be sent."""
    return [each for each in of(session, template_id) if each.state in _UNDER_WAY]


def delete(rt: Runtime, template_id: int, by: By) -> None:
    """In its one language, here and at the provider; raises TemplateError and SealError."""
    with rt.transaction() as session:
        template = session.get_one(Template, template_id, with_for_update=True)
        used = of(session, template_id)
        if busy := next((each for each in used if each.state not in _OVER), None):
            raise TemplateError(
                _("The broadcast %(name)s sends it: cancel that one first, or wait for its end.", name=busy.name)
            )
        if template.status == making.UNSUBMITTED:
            forget(session, template)
            return
        connection = session.get_one(Connection, template.connection_id)
        account = account_of(connection, rt.settings)
    maker = making.demand_maker(connection)
    request = maker.delete(account, template.name, template.provider_template_id)
    try:
        maker.receipt(*listing.call(connection.slug, request))
    except (ListingError, TemplateRefusedError) as error:
        raise TemplateError(
            _("%(error)s Refresh the template, and look whether it is still there.", error=error)
        ) from error
    with rt.transaction() as session:
        template = session.get_one(Template, template_id, with_for_update=True, populate_existing=True)
        template.status, template.reason = templates.GONE, None
        template_history.note(session, template.connection_id, template_history.HERE, template_id, by)


def forget(session: Session, template: Template) -> None:
    """One that the provider never had; a broadcast of old that names it keeps it as deleted."""
    if of(session, template.id):
        template.status, template.reason = templates.GONE, None
    else:
        session.execute(sql_delete(Template).where(Template.id == template.id))
