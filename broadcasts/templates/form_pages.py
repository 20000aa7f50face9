"""Pages: a template typed in. Each button posts the form; with a script only the part that moves comes back."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.connections import numbers
from bot.connections.secrets import SealError
from bot.dashboard import access
from bot.language import _, translated
from bot.models.broadcast import Template
from bot.models.connection import Connection
from bot.runtime import Runtime
from broadcasts.templates import button_checks, codes, form, making, meanwhile, samples, shown, templates, uses
from broadcasts.templates.checks import Problem
from broadcasts.templates.form import Typed
from broadcasts.templates.languages import LANGUAGES
from broadcasts.templates.making import UNSUBMITTED, ProblemsError
from broadcasts.templates.meanwhile import ChangedError, Said
from broadcasts.templates.template_pages import found, me
from broadcasts.templates.template_pages import pages as pages


@pages.get("/templates/new")
def new() -> ResponseReturnValue:
    """Blank, or with `from`, like another one: for a further language, or under a new name."""
    with runtime.current().transaction() as tx:
        like = request.args.get("from", 0, int)
        typed = form.of_template(found(tx, like)) if 0 < like < 2**63 else Typed()
        if like:
            typed.sample = typed.sample_name = ""
        typed.connection_id = request.args.get("connection", typed.connection_id, int)
    return _page(typed)


@pages.post("/templates/look")
def look() -> ResponseReturnValue:
    """After a button of the form: the page anew, or for the script what of it moves."""
    typed = form.read(request.form)
    form.change(typed, request.form.get("do", ""))
    if request.form.get("part"):
        with runtime.current().transaction() as tx:
            return render_template("broadcasts/_template_parts.html", **_shown(tx, typed))
    edited = request.form.get("template", 0, int)
    return _page(typed, edited if 0 < edited < 2**63 else None, _take_sample(runtime.current(), typed))


@pages.post("/templates")
def create() -> ResponseReturnValue:
    return _save(None)


@pages.get("/templates/<int:template_id>/edit")
def edit(template_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        template = found(tx, template_id)
        problems = [Problem("", template.reason)] if template.reason else []
        typed = form.of_template(template)
    return _page(typed, template_id, problems)


@pages.post("/templates/<int:template_id>/edit")
def change(template_id: int) -> ResponseReturnValue:
    return _save(template_id)


def _save(template_id: int | None) -> ResponseReturnValue:
    """What is refused comes back as it was typed; what the provider refused is kept here as well."""
    rt, typed = runtime.current(), form.read(request.form)
    if problems := _take_sample(rt, typed):
        return _page(typed, template_id, problems), 422
    try:
        saved = _submit(rt, typed, template_id)
    except ChangedError as error:
        told = meanwhile.told(typed, error.standing)
        typed.version = error.standing.version
        return _page(typed, template_id, told=told), 409
    except ProblemsError as error:
        return _page(typed, error.template_id or template_id, error.problems), 502 if error.is_unsure else 422
    except SealError as error:
        return _page(typed, template_id, [Problem("connection", str(error))]), 422
    return redirect(url_for("templates.show", template_id=saved), 303)


def _submit(rt: Runtime, typed: Typed, template_id: int | None) -> int:
    document = form.document_of(typed)
    with rt.transaction() as tx:
        before = None if template_id is None else _unchanged(tx, template_id, typed.version)
        is_edit = before is not None and before.status != UNSUBMITTED
        if before is not None and is_edit:
            typed.connection_id = before.connection_id
            document |= {name: getattr(before, name) for name in ("name", "language", "parameter_format")}
        else:
            made = making.write_down(tx, _connection(tx, typed), document, me())
            if before is not None and before.id != made.id:
                uses.forget(tx, before)  # its former name
            template_id = made.id
    if template_id is None:
        raise ProblemsError([Problem("", _("There is no such template."))])
    if is_edit:
        making.edit(rt, template_id, document, me())
    else:
        making.submit(rt, template_id, me())
    return template_id


def _unchanged(tx: Session, template_id: int, version: str) -> Template:
    """Held until the commit; raises ChangedError unless it says what it said when the form was filled."""
    template = found(tx, template_id)
    tx.refresh(template, with_for_update=True)
    if version and version != templates.version_of(template):
        raise ChangedError(form.of_template(template))
    return template


def _connection(tx: Session, typed: Typed) -> Connection:
    known = {each.id: each for each in shown.connections(tx, access.environment())}
    if typed.connection_id not in known:
        raise ProblemsError([Problem("connection", _("Choose a connection of this environment."))])
    return known[typed.connection_id]


def _take_sample(rt: Runtime, typed: Typed) -> list[Problem]:
    """A browser sends a chosen file once only: so it goes to the provider now, whatever else has to be put right."""
    file = request.files.get("file")
    if file is None or not file.filename or typed.header_format not in samples.LARGEST:
        return []
    with rt.transaction() as tx:
        try:
            connection = _connection(tx, typed)
            maker = making.demand_maker(connection)
        except ProblemsError as error:
            return error.problems
    if maker.samples_by_link:
        return [Problem(samples.PLACE, _("This provider takes no upload: give the address of the file."))]
    sample = samples.read(typed.header_format, file.filename, file.stream.read(max(samples.LARGEST.values()) + 1))
    if isinstance(sample, Problem):
        return [sample]
    handle = samples.upload(rt, connection, maker, sample)
    if isinstance(handle, Problem):
        return [handle]
    typed.sample, typed.sample_name = handle, sample.name
    return []


def _page(
    typed: Typed,
    template_id: int | None = None,
    problems: list[Problem] | None = None,
    told: list[Said] | None = None,
) -> str:
    with runtime.current().transaction() as tx:
        template = None if template_id is None else found(tx, template_id)
        shown = _shown(tx, typed, template, problems or [])
        return render_template("broadcasts/template_form.html", meanwhile=told, **shown)


def _shown(
    tx: Session, typed: Typed, template: Template | None = None, problems: list[Problem] | None = None
) -> dict[str, Any]:
    makers = {each.id: (each, making.maker_of(each)) for each in shown.connections(tx, access.environment())}
    able = {key: (each, maker) for key, (each, maker) in makers.items() if maker is not None}
    typed.connection_id = typed.connection_id if typed.connection_id in able else next(iter(able), 0)
    chosen = able.get(typed.connection_id)
    said: dict[str, str] = {}
    for problem in problems or []:
        said[problem.place] = f"{said[problem.place]} {problem.text}" if problem.place in said else problem.text
    return {
        "typed": typed,
        "template": template,
        "is_fixed": template is not None and template.status != UNSUBMITTED,
        "under_way": uses.under_way(tx, template.id) if template is not None else (),
        "problems": said,
        "text": form.preview(typed),
        "by_link": chosen is not None and chosen[1].samples_by_link,
        "elsewhere": None if able else numbers.elsewhere(tx, access.environment()),
        "connections": [(each.id, each.slug) for each, _ in able.values()],
        "languages": [
            (code, f"{translated(name)} · {code}")
            for code, name in {typed.language: typed.language, **LANGUAGES}.items()
        ],
        "categories": _categories(template, typed),
        "button_types": list(button_checks.MOST_OF),
        "most_buttons": form.MOST_BUTTONS,
    }


def _categories(template: Template | None, typed: Typed) -> list[tuple[str, str]]:
    """What is submitted never becomes a code, nor does a code become anything else."""
    known = [typed.category] if typed.category not in templates.CATEGORIES else []
    found = [*known, "UTILITY", "MARKETING", codes.AUTHENTICATION]
    if template is not None and template.status != UNSUBMITTED:
        is_code = template.category == codes.AUTHENTICATION
        found = [each for each in found if (each == codes.AUTHENTICATION) == is_code]
    return [(each, translated(each.capitalize())) for each in found]
