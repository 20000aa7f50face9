"""Having the provider take a template's pause back, before its time is over.

What paused because of it stays paused: whether those people are written to now is for a person to decide.
"""

from sqlalchemy.orm import Session

from bot.connections import listing, template_history
from bot.connections.connections import account_of
from bot.connections.listing import ListingError
from bot.connections.template_history import By
from bot.language import _
from bot.models.broadcast import Template
from bot.models.connection import Connection
from bot.models.words import BroadcastState
from bot.providers.base import TemplateRefusedError
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime
from broadcasts.templates import making, templates, uses
from broadcasts.templates.checks import Problem
from broadcasts.templates.making import PAUSED, ProblemsError


def can_unpause(template: Template, connection: Connection) -> bool:
    maker = making.maker_of(connection)
    is_known = template.provider_template_id is not None
    return is_known and template.status == PAUSED and maker is not None and maker.unpauses


def unpause(rt: Runtime, template_id: int, by: By) -> None:
    """Raises ProblemsError, which says whether the provider may have done it after all, and SealError."""
    with rt.transaction() as session:
        template = session.get_one(Template, template_id, populate_existing=True)
        connection = session.get_one(Connection, template.connection_id)
        if why := _in_the_way(template, connection):
            raise _refused(why)
        account, told_at = account_of(connection, rt.settings), template.told_at
    maker = making.demand_maker(connection)
    try:
        maker.unpaused(*listing.call(connection.slug, maker.unpause(account, str(template.provider_template_id))))
    except TemplateRefusedError as error:
        raise _refused(str(error)) from error
    except ListingError as error:
        text = _("%(error)s It is not known whether it got there: refresh the template, and look.", error=error)
        raise ProblemsError([Problem("", text)], is_unsure=True) from error
    with rt.transaction() as session:
        template = session.get_one(Template, template_id, with_for_update=True, populate_existing=True)
        if template.told_at == told_at:  # else a webhook has told the outcome, and perhaps another one
            template.status, template.reason = templates.APPROVED, None
        template_history.note(session, template.connection_id, template_history.HERE, template_id, by)


def still_paused(session: Session, template_id: int, environment: str) -> list[str]:
    """Names of the broadcasts with it that wait for somebody to resume them."""
    used = uses.of(session, template_id)
    return [each.name for each in used if each.environment == environment and each.state == BroadcastState.PAUSED]


def _in_the_way(template: Template, connection: Connection) -> str | None:
    maker, title = making.maker_of(connection), PROVIDERS[connection.provider].title
    if template.status != PAUSED:
        return _("It is %(status)s and not paused: refresh it, and look again.", status=template.status.lower())
    if maker is None or not maker.unpauses:
        return _(
            "%(title)s takes no pause back: wait until it is over, or unpause the template in the WhatsApp Manager.",
            title=title,
        )
    if template.provider_template_id is None:
        return _("The provider's number of this template is not known: refresh it first.")
    return None


def _refused(text: str) -> ProblemsError:
    return ProblemsError([Problem("", text)])
