"""Pages: the preflight of a broadcast, its launch, and the second operator's yes or no."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.team import Operator
from bot.models.words import BroadcastState
from bot.people.rules.schema import RuleError
from bot.team import audit
from bot.team.audit import Action
from broadcasts.broadcasts import AlreadyLaunchedError, BroadcastError, WrongStateError
from broadcasts.drafting import preview
from broadcasts.finding import find
from broadcasts.labels import BROADCAST
from broadcasts.preflight import gate, launching, lines, remedies, report, version
from broadcasts.preflight.funnel import LABELS
from broadcasts.preflight.version import SeenError
from broadcasts.transitions import Actor

pages = Blueprint("preflight", __name__)

AT_ONCE: Final = 20_000
"""People up to whom the report comes with the page; of more, the page's script asks for it."""
_OPEN: Final = frozenset({BroadcastState.DRAFT, BroadcastState.APPROVAL})


@pages.get("/broadcasts/<int:broadcast_id>/preflight")
def show(broadcast_id: int) -> ResponseReturnValue:
    """`?whole=yes` waits for the report however long it takes."""
    with runtime.current().transaction() as tx:
        is_open = find(tx, broadcast_id).state in _OPEN
    return _page(broadcast_id, []) if is_open else _to_broadcast(broadcast_id)


@pages.get("/broadcasts/<int:broadcast_id>/preflight/report")
def part(broadcast_id: int) -> ResponseReturnValue:
    """The report alone, for the page's script."""
    with runtime.current().transaction() as tx:
        found = find(tx, broadcast_id)
        return render_template("broadcasts/_preflight.html", broadcast=found, given={}, **_report(tx, found))


@pages.post("/broadcasts/<int:broadcast_id>/launch")
def launch(broadcast_id: int) -> ResponseReturnValue:
    def work(tx: Session, found: Broadcast) -> BroadcastState:
        if found.state == BroadcastState.DRAFT:
            version.demand(tx, found, _seen())
            _refuse_unticked(tx, found)
        people = gate.read_count(request.form.get("people", ""))
        state = launching.launch(tx, found.id, _me(), confirmed=people, seen=_seen())
        audit.note(tx, access.by(), Action.LAUNCHED, f"broadcast {found.id}", after={"state": state.value})
        return state

    return _do(broadcast_id, work)


@pages.post("/broadcasts/<int:broadcast_id>/approve")
def approve(broadcast_id: int) -> ResponseReturnValue:
    def work(tx: Session, found: Broadcast) -> BroadcastState:
        state = launching.approve(tx, found.id, _me(), _why(), seen=_seen())
        audit.note(tx, access.by(), Action.APPROVED, f"broadcast {found.id}", after={"state": state.value})
        return state

    return _do(broadcast_id, work)


@pages.post("/broadcasts/<int:broadcast_id>/decline")
def decline(broadcast_id: int) -> ResponseReturnValue:
    return _do(broadcast_id, lambda tx, found: launching.decline(tx, found.id, _me(), _why() or ""))


@pages.post("/broadcasts/<int:broadcast_id>/preflight/skip-gaps")
def skip_gaps(broadcast_id: int) -> ResponseReturnValue:
    return _change(broadcast_id, lambda tx, found: remedies.skip_gaps(tx, found.id))


@pages.post("/broadcasts/<int:broadcast_id>/preflight/default")
def give_default(broadcast_id: int) -> ResponseReturnValue:
    form = request.form
    return _change(
        broadcast_id,
        lambda tx, found: remedies.give_default(tx, found.id, form.get("name", ""), form.get("words", "")),
    )


@pages.post("/broadcasts/<int:broadcast_id>/preflight/tier")
def allow_tier(broadcast_id: int) -> ResponseReturnValue:
    percent = request.form.get("percent", 0, int)
    return _change(broadcast_id, lambda tx, found: remedies.allow_tier(tx, found.id, percent))


def _do(broadcast_id: int, work: Callable[[Session, Broadcast], BroadcastState | None]) -> ResponseReturnValue:
    rt = runtime.current()
    try:
        with rt.transaction() as tx:
            state = work(tx, find(tx, broadcast_id))
    except BroadcastError as error:
        is_late = isinstance(error, AlreadyLaunchedError | WrongStateError | SeenError)
        return _page(broadcast_id, str(error).splitlines()), 409 if is_late else 422
    rt.ring("bulk")
    if state == BroadcastState.APPROVAL:
        flash(_("Somebody else has to approve it now: send them this page."))
        return _back(broadcast_id)
    if state is None:
        flash(_("Declined: it is a draft again, and the reason is in its timeline."))
    return redirect(url_for("broadcasts.show", broadcast_id=broadcast_id), 303)


def _change(broadcast_id: int, work: Callable[[Session, Broadcast], None]) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            work(tx, find(tx, broadcast_id))
    except BroadcastError as error:
        is_late = isinstance(error, WrongStateError)
        return _page(broadcast_id, str(error).splitlines()), 409 if is_late else 422
    return _back(broadcast_id)


def _refuse_unticked(tx: Session, draft: Broadcast) -> None:
    if report.blocked(tx, draft):
        return  # the gate says it better
    left = [each.text for each in report.cautions(tx, draft, request.form.getlist("ticked"))]
    if left:
        raise BroadcastError("\n".join(_("Tick that you have seen this: %(caution)s", caution=text) for text in left))


def _page(broadcast_id: int, problems: Sequence[str]) -> str:
    with runtime.current().transaction() as tx:
        found = find(tx, broadcast_id)
        is_open = found.state in _OPEN
        shown = _report(tx, found) if is_open and _is_quick(tx, found) else None
        # Somebody of whom all is known tells more about the message than somebody who would not get it.
        some = preview.people(tx, found) if is_open else []
        seen = sorted(some, key=lambda each: each.is_lacking)[:1]
        return render_template(
            "broadcasts/preflight.html",
            broadcast=found,
            label=BROADCAST.get(BroadcastState(found.state), (found.state, "quiet")),
            number=tx.get_one(Number, found.number_id),
            is_open=is_open,
            shown=shown,
            seen=seen,
            given=request.form,
            problems=problems,
        )


def _is_quick(tx: Session, broadcast: Broadcast) -> bool:
    if request.args.get("whole") or request.method == "POST":
        return True
    try:
        return gate.audience(tx, broadcast) <= AT_ONCE
    except RuleError:
        return True


def _report(tx: Session, broadcast: Broadcast) -> dict[str, Any]:
    """What _preflight.html is drawn from; where nobody can be counted, only what stops it."""
    stops = report.blocked(tx, broadcast)
    asker = tx.get(Operator, broadcast.asked_by_operator_id) if broadcast.asked_by_operator_id else None
    me = access.operator().id
    common: dict[str, Any] = {"asker": asker, "may_approve": broadcast.asked_by_operator_id != me, "labels": LABELS}
    common |= {"version": version.of(tx, broadcast)}
    try:
        told = report.load(tx, broadcast)
    except RuleError:
        return {"report": None, "stops": stops, "red": stops, "lines": [], **common}
    return {"report": told, "stops": told.blocks, "red": stops, "lines": lines.of(told), **common}


def _seen() -> str | None:
    return request.form.get("preflight")


def _why() -> str | None:
    return request.form.get("why", "").strip().replace("\0", "")[:500] or None


def _me() -> Actor:
    return Actor(operator_id=access.operator().id)


def _back(broadcast_id: int) -> ResponseReturnValue:
    return redirect(url_for("preflight.show", broadcast_id=broadcast_id), 303)


def _to_broadcast(broadcast_id: int) -> ResponseReturnValue:
    return redirect(url_for("broadcasts.show", broadcast_id=broadcast_id), 303)
