"""A template on its way to the provider: checked, written down, submitted, and what became of it.

It is written down before the provider is asked, so that nothing typed is lost. To submit it again is safe whatever
happened: a name and language exist once there, and one that is there with the same words is the one that was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.connections import listing, news, template_history
from bot.connections.connections import account_of
from bot.connections.listing import ListingError
from bot.connections.template_history import By
from bot.language import _, later, translated
from bot.messages import consequences
from bot.messages.components import buttons_of, word
from bot.models.broadcast import Template
from bot.models.connection import Connection
from bot.providers.base import Account, HttpRequest, TemplateMaker, TemplateReceipt, TemplateRefusedError
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime
from broadcasts.templates import checks, codes, refreshing, templates
from broadcasts.templates.checks import Document, Problem
from broadcasts.templates.templates import TemplateError

UNSUBMITTED: Final = "UNSUBMITTED"
PENDING: Final = "PENDING"
PAUSED: Final = "PAUSED"
EDITABLE: Final = frozenset({"APPROVED", "REJECTED", "PAUSED"})
"""Statuses in which a provider takes another wording (Meta, "Edit a template")."""
UNSURE: Final = later("It is not known whether it got there. Submit it again: it is never made twice.")


class ProblemsError(TemplateError):
    """What keeps a template from being made, each with its place."""

    def __init__(self, problems: Sequence[Problem], *, template_id: int | None = None, is_unsure: bool = False) -> None:
        super().__init__("\n".join(problem.text for problem in problems))
        self.problems = list(problems)
        self.template_id = template_id
        """The row in which it is kept all the same."""
        self.is_unsure = is_unsure
        """The provider may have it after all."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What the provider is asked with; `told_at` is the newest that a webhook had said by then."""

    connection: Connection
    account: Account
    template: Template
    told_at: datetime | None


def maker_of(connection: Connection) -> TemplateMaker | None:
    known = PROVIDERS[connection.provider].templates
    return known.maker if known else None


def demand_maker(connection: Connection) -> TemplateMaker:
    """Raises ProblemsError."""
    maker = maker_of(connection)
    if maker is None:
        title = PROVIDERS[connection.provider].title
        raise ProblemsError(
            [Problem("connection", _("Templates of %(title)s are made there: choose another connection.", title=title))]
        )
    return maker


def write_down(session: Session, connection: Connection, document: Document, by: By) -> Template:
    """As not submitted yet; raises ProblemsError with everything that the provider would refuse."""
    document = codes.with_words(document)
    found = checks.of_document(document, by_link=demand_maker(connection).samples_by_link)
    known = session.scalar(
        select(Template)
        .where(
            Template.connection_id == connection.id,
            Template.name == document["name"],
            Template.language == document["language"],
        )
        .with_for_update()
    )
    if known is not None and known.status not in {UNSUBMITTED, templates.GONE}:
        text = _(
            "There is one already in %(language)s, %(status)s: choose another name, or edit that one.",
            language=known.language,
            status=known.status.lower(),
        )
        found.append(Problem("name", text))
    if found:
        raise ProblemsError(found)
    fresh = {"status": UNSUBMITTED, "reason": None, "quality": None, "provider_template_id": None}
    template = templates.store(session, connection, templates.values_of(document) | fresh)
    template_history.note(session, connection.id, template_history.HERE, template.id, by)
    return template


def submit(rt: Runtime, template_id: int, by: By) -> None:
    """Have the provider take it, if it has not yet; raises ProblemsError and SealError."""
    order = _order(rt, template_id)
    if order.template.status != UNSUBMITTED:
        return
    maker = demand_maker(order.connection)
    try:
        receipt = _ask(maker, order, maker.create(order.account, _document(order.template)))
    except TemplateRefusedError as error:
        if error.is_there and _is_ours(rt, order):
            return
        _refuse(rt, order, str(error), by)
        raise ProblemsError([Problem(error.place or "", str(error))], template_id=template_id) from error
    except ListingError as error:
        _refuse(rt, order, f"{error} {UNSURE}", by)
        problem = Problem("", f"{error} {translated(UNSURE)}")
        raise ProblemsError([problem], template_id=template_id, is_unsure=True) from error
    _take(rt, order, receipt, {}, by)


def edit(rt: Runtime, template_id: int, document: Document, by: By) -> None:
    """Give the provider another wording of what it has; it is reviewed anew. Raises ProblemsError and SealError."""
    order, document = _order(rt, template_id), codes.with_words(document)
    maker = demand_maker(order.connection)
    found = [*_in_the_way(maker, order.template), *checks.of_document(document, by_link=maker.samples_by_link)]
    if found:
        raise ProblemsError(found)
    request = maker.edit(order.account, str(order.template.provider_template_id), codes.asked(document))
    try:
        receipt = _ask(maker, order, request)
    except TemplateRefusedError as error:
        raise ProblemsError([Problem(error.place or "", str(error))]) from error
    except ListingError as error:
        text = _("%(error)s It is not known whether it got there: refresh the template, and look.", error=error)
        raise ProblemsError([Problem("", text)], is_unsure=True) from error
    _take(rt, order, receipt, {name: document[name] for name in ("category", "components")}, by)


def _in_the_way(maker: TemplateMaker, template: Template) -> list[Problem]:
    if not maker.edits:
        return [Problem("", _("This provider changes no templates: make another one under a new name."))]
    if template.status not in EDITABLE:
        return [
            Problem(
                "",
                _(
                    "It is %(status)s, and so cannot be edited: wait, or make another one.",
                    status=template.status.lower(),
                ),
            )
        ]
    if template.provider_template_id is None:
        return [Problem("", _("The provider's number of this template is not known: refresh it first."))]
    return []


def _order(rt: Runtime, template_id: int) -> _Order:
    with rt.transaction() as session:
        template = session.get_one(Template, template_id, populate_existing=True)
        connection = session.get_one(Connection, template.connection_id)
        return _Order(connection, account_of(connection, rt.settings), template, template.told_at)


def _ask(maker: TemplateMaker, order: _Order, request: HttpRequest) -> TemplateReceipt:
    return maker.receipt(*listing.call(order.connection.slug, request))


def _document(template: Template) -> dict[str, Any]:
    return codes.asked(templates.frozen(template))


def _take(rt: Runtime, order: _Order, receipt: TemplateReceipt, columns: dict[str, Any], by: By) -> None:
    """A webhook may have told the outcome before the provider's answer was read: then it stays.

    What is sent with a template pauses while an edit of it is reviewed.
    """
    with rt.transaction() as session:
        template = session.get_one(Template, order.template.id, with_for_update=True, populate_existing=True)
        for name, value in columns.items():
            setattr(template, name, value)
        template.provider_template_id = receipt.id or template.provider_template_id
        template.category = receipt.category or template.category
        if template.told_at == order.told_at:
            template.status, template.reason = receipt.status or PENDING, None
        if why := news.unsendable(template.name, template.language, template.status, template.reason):
            consequences.pause_for_template(session, template.id, why)
        template_history.note(session, template.connection_id, template_history.HERE, template.id, by)


def _refuse(rt: Runtime, order: _Order, reason: str, by: By) -> None:
    with rt.transaction() as session:
        template = session.get_one(Template, order.template.id, with_for_update=True, populate_existing=True)
        if template.status == UNSUBMITTED:
            template.reason = reason
            template_history.note(session, template.connection_id, template_history.HERE, template.id, by)


def _is_ours(rt: Runtime, order: _Order) -> bool:
    """Whether what is there says what was asked for: an earlier answer was lost. It is taken in then."""
    try:
        documents = refreshing.listed(rt, order.connection, order.template.name)
    except ListingError:
        return False
    same = (each for each in documents if str(each.get("language")) == order.template.language)
    there = next(same, None)
    is_code = there is not None and codes.is_of(there) and codes.is_of(templates.frozen(order.template))
    if there is None or not (is_code or _words(there.get("components")) == _words(order.template.components)):
        return False
    refreshing.keep(rt, order.connection, order.template.name, documents)
    return True


def _words(components: Any) -> list[tuple[str, ...]]:  # noqa: ANN401 (JSON of any shape)
    if not templates.is_shaped(components):
        return []
    texts = [(word(each, "type"), word(each, "format"), str(each.get("text") or "")) for each in components]
    return sorted([text for text in texts if text[0] != "BUTTONS"]) + [
        (word(button, "type"), str(button.get("text") or "")) for button in buttons_of(components)
    ]
