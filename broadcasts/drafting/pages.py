"""Pages: a broadcast is composed, and changed while it is a draft."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting import drafts
from broadcasts.drafting.choices import choices
from broadcasts.drafting.draft_pages import pages as pages
from broadcasts.drafting.drafts import Wanted


@pages.get("/broadcasts/new")
def new() -> ResponseReturnValue:
    """First what and to whom, then, once a template is chosen, a text for each of its slots."""
    with runtime.current().transaction() as tx:
        return render_template("broadcasts/broadcast_form.html", **choices(tx, access.environment(), request.args))


@pages.post("/broadcasts")
def create() -> ResponseReturnValue:
    form, rt = request.form, runtime.current()
    texts = {name.removeprefix("slot."): words for name, words in form.items() if name.startswith("slot.")}
    number_id, template_id, segment_id = (form.get(name, 0, int) for name in ("number", "template", "segment"))
    try:
        with rt.transaction() as tx:
            wanted = Wanted(
                name=form.get("name", ""),
                number_id=number_id,
                template_id=template_id,
                segment_ids=[segment_id],
                slots=texts,
                topic_id=form.get("topic", 0, int) if form.get("topic") else None,
            )
            made = drafts.create(tx, access.environment(), wanted)
    except BroadcastError as error:
        with rt.transaction() as tx:
            shown = choices(tx, access.environment(), form, texts) | {"problems": str(error).splitlines()}
        return render_template("broadcasts/broadcast_form.html", **shown), 422
    return redirect(url_for("broadcasts.show", broadcast_id=made.id), 303)
