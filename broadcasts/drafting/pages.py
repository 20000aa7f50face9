"""Pages: a broadcast is composed, and changed while it is a draft; their script only hastens what buttons do."""

from typing import Any

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, times
from bot.language import _
from bot.models.broadcast import Broadcast
from bot.people.rules.counting import Count
from bot.people.rules.schema import RuleError
from broadcasts.broadcasts import WrongStateError
from broadcasts.drafting import checks, drafts, form, meanwhile, reading, saying, whom
from broadcasts.drafting.choices import choices, notes, settle
from broadcasts.drafting.draft_pages import pages as pages
from broadcasts.drafting.drafts import ChangedError, DraftError
from broadcasts.drafting.form import Read
from broadcasts.drafting.typed import NOTHING, Typed, change_by, write
from broadcasts.drafting.wanted import Problem
from broadcasts.finding import find

_PAGE = "broadcasts/broadcast_form.html"


@pages.get("/broadcasts/new")
def new() -> ResponseReturnValue:
    """What the address names is filled in already: `?segments=3`, also as `segment`."""
    given = request.args.to_dict(flat=False)
    typed = Typed(write(NOTHING, times.zone()) | given)
    typed["segments"] = [*given.get("segments", []), *given.get("segment", [])]
    with runtime.current().transaction() as tx:
        return _page(tx, typed)


@pages.post("/broadcasts")
def create() -> ResponseReturnValue:
    return _save(None)


@pages.get("/broadcasts/<int:broadcast_id>/edit")
def edit(broadcast_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        wanted = drafts.wanted_of(tx, find(tx, broadcast_id))
        typed = meanwhile.remember(write(wanted, times.zone()), drafts.version_of(wanted))
        return _page(tx, typed, broadcast_id)


@pages.post("/broadcasts/<int:broadcast_id>/edit")
def change(broadcast_id: int) -> ResponseReturnValue:
    return _save(broadcast_id)


@pages.post("/broadcasts/compose")
def compose() -> ResponseReturnValue:
    """After a button, or what was typed for the script: `part` is fields (of the message), check, or the whole page."""
    do, part = request.form.get("do", ""), request.form.get("part")
    with runtime.current().transaction() as tx:
        typed = change_by(_typed(tx), do)
        if part == "check":
            return jsonify(_check(tx, typed, do))
        if part == "fields":
            read = form.read(typed, times.zone())
            return render_template("broadcasts/_wordings.html", problems={}, **choices(tx, _where(), typed, read))
        return _page(tx, typed, typed.id("broadcast") or None, go=do)


def _save(broadcast_id: int | None) -> ResponseReturnValue:
    rt = runtime.current()
    problems: tuple[Problem, ...] = ()
    status = 422
    with rt.transaction() as tx:
        if broadcast_id is not None:
            find(tx, broadcast_id)
        typed = _typed(tx)
        read = form.read(typed, times.zone())
    try:
        with rt.transaction() as tx:
            saved = _keep(tx, broadcast_id, read, typed.one(meanwhile.VERSION) or None)
        return redirect(url_for("broadcasts.show", broadcast_id=saved.id), 303)
    except DraftError as error:
        problems = error.problems
    except WrongStateError as error:
        problems, status = (Problem("", str(error)),), 409
    except ChangedError:
        return _beside(typed, broadcast_id), 409
    with rt.transaction() as tx:
        return _page(tx, typed, broadcast_id, problems=problems), status


def _beside(typed: Typed, broadcast_id: int | None) -> str:
    """What they saved beside what was entered; saved once more, it is in place of just that."""
    with runtime.current().transaction() as tx:
        wanted = drafts.wanted_of(tx, find(tx, broadcast_id or 0))
        met = meanwhile.meet(typed, wanted, times.zone())
        fresh = meanwhile.remember(write(wanted, times.zone()), drafts.version_of(wanted))
        met.typed.update({name: fresh[name] for name in (meanwhile.VERSION, meanwhile.WAS)})
        told = saying.told(tx, met.differences, times.zone())
        return _page(tx, met.typed, broadcast_id, told=told)


def _keep(tx: Session, broadcast_id: int | None, read: Read, seen: str | None) -> Broadcast:
    """Raises DraftError also for what could not be read, together with all else."""
    if read.problems:
        raise DraftError([*read.problems, *checks.of_wanted(tx, _where(), drafts.tidy(read.wanted))])
    if broadcast_id is None:
        return drafts.create(tx, _where(), read.wanted)
    return drafts.change(tx, broadcast_id, read.wanted, seen)


def _typed(tx: Session) -> Typed:
    return settle(tx, Typed(request.form.to_dict(flat=False)))


def _page(
    tx: Session,
    typed: Typed,
    broadcast_id: int | None = None,
    *,
    problems: tuple[Problem, ...] = (),
    told: list[saying.Said] | None = None,
    go: str = "",
) -> str:
    read = form.read(typed, times.zone())
    shown = choices(tx, _where(), typed, read)
    if len(shown["numbers"]) == 1 and not typed.id("number"):
        typed["number"] = [str(shown["numbers"][0][0])]
    return render_template(
        _PAGE,
        broadcast=find(tx, broadcast_id) if broadcast_id else None,
        told=[each.text for each in problems],
        meanwhile=told,
        problems=read.placed(problems) if problems else {},
        zone=times.zone().key,
        **shown,
        **_side(tx, typed, read, go),
    )


def _check(tx: Session, typed: Typed, go: str) -> dict[str, Any]:
    """What is wrong by field, how many it goes to, and what somebody would read, as they stand in the form now."""
    read = form.read(typed, times.zone())
    side = _side(tx, typed, read, go)
    return {
        "problems": read.placed([*read.problems, *checks.of_wanted(tx, _where(), drafts.tidy(read.wanted))]),
        "notes": notes(tx, _where(), typed),
        "audience": render_template("broadcasts/_audience.html", **side),
        "preview": render_template("broadcasts/_look.html", **side),
    }


def _side(tx: Session, typed: Typed, read: Read, go: str) -> dict[str, Any]:
    who = typed.one("who") if go in {"", "find"} else ""
    look = reading.look(tx, _where(), read.wanted, who=who, person=typed.id("person"), go=go)
    return {"look": look, "who": who} | _counted(tx, read, is_patient="exact" in request.form)


def _counted(tx: Session, read: Read, *, is_patient: bool) -> dict[str, Count | str | None]:
    try:
        return {"count": whom.count(tx, _where(), read.wanted, is_patient=is_patient), "count_problem": None}
    except RuleError as error:
        return {"count": None, "count_problem": _("A segment's rule cannot be asked. %(error)s", error=error)}


def _where() -> str:
    return access.environment().value
