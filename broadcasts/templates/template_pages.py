"""Pages: one template with its preview, its history and who sends it; asking the provider anew; deleting it."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.connections import template_history
from bot.connections.secrets import SealError
from bot.connections.template_history import By
from bot.dashboard import access
from bot.language import _
from bot.messages.templates import preview_of, slots_of
from bot.models.broadcast import Template
from bot.models.connection import Connection
from bot.models.team import Operator
from bot.providers.registry import PROVIDERS
from broadcasts.labels import BROADCAST, QUALITY, TEMPLATE
from broadcasts.templates import fetching, making, refreshing, shown, templates, unpausing, uses
from broadcasts.templates.languages import name_of
from broadcasts.templates.pages import pages as pages
from broadcasts.templates.states import meaning_of
from broadcasts.templates.templates import APPROVED, TemplateError


@pages.get("/templates/<int:template_id>")
def show(template_id: int) -> ResponseReturnValue:
    """`?part=state` is how it stands alone, for the page's script."""
    return _page(template_id, name="_template_state.html" if request.args.get("part") == "state" else "template.html")


@pages.post("/templates/<int:template_id>/refresh")
def refresh(template_id: int) -> ResponseReturnValue:
    rt = runtime.current()
    with rt.transaction() as tx:
        found(tx, template_id)
    problem = refreshing.refresh(rt, template_id)
    if problem is not None:
        return _page(template_id, problem), 502
    flash(_("It is as the provider has it now."))
    return redirect(url_for("templates.show", template_id=template_id), 303)


@pages.post("/templates/<int:template_id>/unpause")
def unpause(template_id: int) -> ResponseReturnValue:
    rt = runtime.current()
    with rt.transaction() as tx:
        found(tx, template_id)
    try:
        unpausing.unpause(rt, template_id, me())
    except (TemplateError, SealError) as error:
        return _page(template_id, str(error)), 502 if getattr(error, "is_unsure", False) else 422
    with rt.transaction() as tx:
        waiting = unpausing.still_paused(tx, template_id, access.environment())
    flash(_("WhatsApp has taken the pause back: it can be sent again."))
    if waiting:
        flash(_("Still paused, until somebody resumes them: %(names)s.", names=", ".join(waiting)))
    return redirect(url_for("templates.show", template_id=template_id), 303)


@pages.post("/templates/<int:template_id>/delete")
def delete(template_id: int) -> ResponseReturnValue:
    """Its name has to be typed: what is deleted cannot be had back for 30 days."""
    rt = runtime.current()
    with rt.transaction() as tx:
        name = found(tx, template_id).name
    if request.form.get("confirm", "").strip() != name:
        return _page(template_id, _("Type the template's name, %(name)s, to delete it.", name=name)), 422
    try:
        uses.delete(rt, template_id, me())
    except (TemplateError, SealError) as error:
        return _page(template_id, str(error)), 422
    flash(_("%(name)s is deleted.", name=name))
    return redirect(url_for("templates.index"), 303)


def found(tx: Session, template_id: int) -> Template:
    """Of a connection of the shown environment."""
    template = tx.get(Template, template_id, populate_existing=True)
    if template is None or template.connection_id not in {each.id for each in _known(tx)}:
        abort(404)
    return template


def me() -> By:
    return By(operator_id=access.operator().id)


def _known(tx: Session) -> list[Connection]:
    return list(shown.connections(tx, access.environment()))


def _page(template_id: int, problem: str | None = None, name: str = "template.html") -> str:
    with runtime.current().transaction() as tx:
        template = found(tx, template_id)
        connection = tx.get_one(Connection, template.connection_id)
        maker = making.maker_of(connection)
        used = [each for each in uses.of(tx, template_id) if each.environment == access.environment()]
        history = template_history.of(tx, template_id)
        slots = slots_of(template.components) if templates.is_shaped(template.components) else ()
        texts = {slot.name: slot.example for slot in slots if slot.example and slot.name.partition(".")[2].isalnum()}
        return render_template(
            f"broadcasts/{name}",
            line=shown.line(template, connection),
            template=template,
            connection=connection,
            provider=PROVIDERS[connection.provider].title,
            slots=slots,
            text=preview_of(templates.frozen(template), _readable(texts)),
            meaning=meaning_of(template.status),
            history=history,
            names={
                each.operator_id: tx.get_one(Operator, each.operator_id).name for each in history if each.operator_id
            },
            used=used,
            languages=shown.of_name(tx, template),
            language=name_of,
            statuses=TEMPLATE,
            qualities=QUALITY,
            labels=BROADCAST,
            can_edit=_can_edit(template, maker),
            can_unpause=unpausing.can_unpause(template, connection),
            can_make=maker is not None,
            can_list=fetching.can_list(connection),
            can_send=template.status == APPROVED and not shown.line(template, connection).is_stuck,
            problem=problem,
        )


def _readable(texts: dict[str, str]) -> dict[str, str]:
    """Without the handles of files, which nobody can read."""
    return {
        name: text for name, text in texts.items() if name not in {"header.image", "header.video", "header.document"}
    }


def _can_edit(template: Template, maker: object) -> bool:
    if template.status == making.UNSUBMITTED:
        return maker is not None
    is_known = template.provider_template_id is not None
    return is_known and bool(getattr(maker, "edits", False)) and template.status in making.EDITABLE
