"""Pages: a rule built by clicking. Each button posts the form; with a script only the part that moves comes back."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.models.segment import Segment
from bot.people.rules.schema import RuleError, load
from broadcasts.segments import editing, form
from broadcasts.segments.building import Answer, Builder, placed
from broadcasts.segments.form import DraftGroup
from broadcasts.segments.pages import found, me
from broadcasts.segments.pages import pages as pages
from broadcasts.segments.segments import SegmentError


@pages.get("/segments/new")
def new() -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        return _page(tx, form.blank(), "")


@pages.post("/segments/build")
def build() -> ResponseReturnValue:
    """After a button of the form: the page anew, or `part` of it for the script: builder or count."""
    part = request.form.get("part")
    with runtime.current().transaction() as tx:
        root = form.read(request.form)
        form.change(root, request.form.get("do", ""))
        builder = Builder(tx, access.environment(), root)
        if part == "count":
            told = builder.answer(is_patient="exact" in request.form) if form.is_finished(root) else Answer()
            return render_template("broadcasts/_segment_answer.html", answer=told)
        builder.settle()
        if part == "builder":
            return render_template("broadcasts/_segment_builder.html", builder=builder, root=root, problems={})
        edited = request.form.get("segment", 0, int)
        return _page(tx, root, request.form.get("name", ""), found(tx, edited) if edited else None)


@pages.post("/segments")
def create() -> ResponseReturnValue:
    return _save(None)


@pages.get("/segments/<int:segment_id>/edit")
def edit(segment_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        segment = found(tx, segment_id)
        root = form.of_rule(load(segment.rule)) if segment.rule else form.blank()
        return _page(tx, root, segment.name, segment)


@pages.post("/segments/<int:segment_id>/edit")
def change(segment_id: int) -> ResponseReturnValue:
    return _save(segment_id)


def _save(segment_id: int | None) -> ResponseReturnValue:
    root, name = form.read(request.form), request.form.get("name", "")
    rt = runtime.current()
    problem, problems = None, {}
    try:
        with rt.transaction() as tx:
            saved = _saved(tx, segment_id, root, name)
        return redirect(url_for("segments.show", segment_id=saved.id), 303)
    except RuleError as error:
        with rt.transaction() as tx:
            problems = placed(error, Builder(tx, access.environment(), root).rule()[1])
    except SegmentError as error:
        problem = str(error)
    with rt.transaction() as tx:
        segment = None if segment_id is None else found(tx, segment_id)
        return _page(tx, root, name, segment, problem=problem, problems=problems), 422


def _saved(tx: Session, segment_id: int | None, root: DraftGroup, name: str) -> Segment:
    segment = None if segment_id is None else found(tx, segment_id)
    rule, _ = Builder(tx, access.environment(), root).rule()
    if segment is None:
        return editing.create_rule(tx, access.environment(), name, rule, me())
    editing.rename(tx, segment, name)
    if segment.rule is not None:
        editing.change_rule(tx, segment, rule)
    return segment


def _page(
    tx: Session,
    root: DraftGroup,
    name: str,
    segment: Segment | None = None,
    *,
    problem: str | None = None,
    problems: dict[str, str] | None = None,
) -> str:
    builder = Builder(tx, access.environment(), root)
    builder.settle()
    return render_template(
        "broadcasts/segment_form.html",
        builder=builder,
        root=root,
        name=name,
        segment=segment,
        problem=problem,
        problems=problems or {},
        answer=builder.answer() if form.is_finished(root) else Answer(),
    )
