"""What a provider tells of its templates and our numbers; by their own time, so that late news undo nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypedDict

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.connections import template_history
from bot.language import Say, later
from bot.models.broadcast import Template
from bot.models.connection import Number
from bot.providers.events import NumberChange, TemplateChange

UNKNOWN = "UNKNOWN"
"""Category and status of a template we only heard of."""

KIND = "template"
"""How the kind of an alert of these begins."""

_UNSENDABLE = {
    "PAUSED": later("cannot be sent for now: WhatsApp paused it"),
    "DISABLED": later("cannot be sent any more: WhatsApp disabled it"),
    "REJECTED": later("was rejected"),
    "PENDING": later("cannot be sent for now: WhatsApp reviews it again"),
    "IN_APPEAL": later("cannot be sent for now: it is in appeal"),
    "LIMIT_EXCEEDED": later("cannot be sent any more: it was rejected, and may not be appealed again"),
    "ARCHIVED": later("cannot be sent for now: it is archived at the provider"),
    "PENDING_DELETION": later("is being deleted at the provider"),
    "DELETED": later("was deleted at the provider"),
}
"""Statuses in which a template is not sent, and what each means for whoever wants to send it."""

_EXPECTED = frozenset({"PENDING", "IN_APPEAL"})
"""Those that somebody asked for: what is under way stops, but nobody has to be alarmed."""


class Told(TypedDict):
    """Of a template."""

    name: str
    language: str
    status: str | None
    reason: str | None


def unsendable(name: str, language: str, status: str | None, reason: str | None, say: Say = str) -> str | None:
    """Why a template of this status is not sent, in a sentence; None if it is, or if the status says nothing."""
    if status not in _UNSENDABLE:
        return None
    told = {"name": name, "language": language, "state": say(_UNSENDABLE[status])}
    text = say(later("The template %(name)s (%(language)s) %(state)s.")) % told
    return f"{text} {reason}" if reason else text


def bad_news(name: str, language: str, status: str | None, reason: str | None, say: Say = str) -> str | None:
    """The same if somebody who planned a broadcast has to be told, whether one is under way or not."""
    return None if status in _EXPECTED else unsendable(name, language, status, reason, say)


def follow_template(session: Session, connection_id: int, change: TemplateChange) -> Template:
    """Bring the template up to date; one we do not know is made, without components, until the list is fetched."""
    session.execute(
        insert(Template)
        .values(
            connection_id=connection_id,
            name=change.name,
            language=change.language,
            category=change.category or UNKNOWN,
            status=change.status or UNKNOWN,
            components=[],
        )
        .on_conflict_do_nothing(index_elements=["connection_id", "name", "language"])
    )
    template = session.scalars(
        select(Template)
        .where(
            Template.connection_id == connection_id,
            Template.name == change.name,
            Template.language == change.language,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    template.provider_template_id = change.template_id or template.provider_template_id
    template.quality = change.quality or template.quality
    template.category = change.category or template.category
    if change.components:
        template.components = merged(template.components, change.components)
    if change.status and _is_news(template.told_at, change.occurred_at):
        template.status, template.reason = change.status, change.reason
        template.told_at = change.occurred_at or template.told_at
    elif change.reason and not change.status:
        template.reason = change.reason
    template_history.note(session, connection_id, template_history.WEBHOOK, template.id)
    return template


def merged(components: list[Any], told: Mapping[str, Any]) -> list[Any]:
    """Components with those told put in their place; what was not told of stays."""
    known = {str(each.get("type", "")).upper(): each for each in components if isinstance(each, dict)}
    for type_, members in told.items():
        known[type_] = {**known.get(type_, {}), "type": type_, **members}
    return list(known.values())


def follow_number(session: Session, connection_id: int, change: NumberChange) -> None:
    """Bring the number up to date, if it is one of this connection's; news that name none are about all of them."""
    numbers = session.scalars(
        select(Number).where(Number.connection_id == connection_id).order_by(Number.id).with_for_update()
    )
    for number in numbers:
        if _is_meant(number, change) and _is_news(number.told_at, change.occurred_at):
            number.quality = change.quality or number.quality
            number.tier = change.tier or number.tier
            number.throughput = change.throughput or number.throughput
            number.told_at = change.occurred_at or number.told_at


def _is_meant(number: Number, change: NumberChange) -> bool:
    if change.number_id is not None:
        return number.provider_number_id == change.number_id
    return change.display_number is None or number.phone.removeprefix("+") == change.display_number


def _is_news(known: datetime | None, told: datetime | None) -> bool:
    return known is None or (told or datetime.now(UTC)) >= known
