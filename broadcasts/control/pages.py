"""What can be done with a broadcast on its way and afterwards: pause, resume, cancel, pace, try again, duplicate."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.language import _, figure
from bot.messages import pacing, policy
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from broadcasts import showing
from broadcasts.broadcasts import BroadcastError
from broadcasts.control import copying, lifecycle, pace, releasing, retrying, stopping
from broadcasts.finding import find
from broadcasts.preflight import gate
from broadcasts.results.ledger import Counts
from broadcasts.transitions import Actor

pages = Blueprint("control", __name__)


@pages.post("/broadcasts/<int:broadcast_id>/pause")
def pause(broadcast_id: int) -> ResponseReturnValue:
    """Answers when nothing is on its way any more, with exact numbers."""
    return _stop(stopping.pause, broadcast_id, _("Paused"))


@pages.post("/broadcasts/<int:broadcast_id>/cancel")
def cancel(broadcast_id: int) -> ResponseReturnValue:
    return _stop(stopping.cancel, broadcast_id, _("Cancelled"))


@pages.post("/broadcasts/<int:broadcast_id>/resume")
def resume(broadcast_id: int) -> ResponseReturnValue:
    return _change(broadcast_id, lambda tx: lifecycle.resume(tx, broadcast_id, showing.me(), _why()))


@pages.post("/broadcasts/<int:broadcast_id>/unschedule")
def unschedule(broadcast_id: int) -> ResponseReturnValue:
    """A draft again."""
    return _change(broadcast_id, lambda tx: lifecycle.unschedule(tx, broadcast_id, showing.me(), _why()))


@pages.get("/broadcasts/<int:broadcast_id>/pace")
def ask_pace(broadcast_id: int) -> ResponseReturnValue:
    rt = runtime.current()
    with rt.transaction() as tx:
        found = find(tx, broadcast_id)
        number = tx.get_one(Number, found.number_id)
        learned = pacing.learned(rt.redis, number.id, number.pace_per_s)
        return render_template("broadcasts/pace.html", broadcast=found, fastest=pace.FASTEST, learned=learned)


@pages.post("/broadcasts/<int:broadcast_id>/pace")
def change_pace(broadcast_id: int) -> ResponseReturnValue:
    given = request.form.get("pace", "").strip()
    if given and not (given.isascii() and given.isdecimal() and len(given) < 9):
        return showing.refuse(broadcast_id, BroadcastError(_("A pace is a whole number of messages a second.")))
    wanted = int(given) if given else None
    return _change(broadcast_id, lambda tx: pace.change(tx, broadcast_id, wanted, showing.me(), _why()))


@pages.get("/broadcasts/<int:broadcast_id>/retry")
def ask_retry(broadcast_id: int) -> ResponseReturnValue:
    """How many of how many, and why the others not."""
    return _retry_page(broadcast_id)


@pages.post("/broadcasts/<int:broadcast_id>/retry")
def retry(broadcast_id: int) -> ResponseReturnValue:
    """Above the policy's threshold with how many they are, as at a launch."""
    typed = request.form.get("people", "")

    def make(tx: Session, id_: int, actor: Actor, why: str | None) -> Broadcast:
        return retrying.retry(tx, id_, actor, why, confirmed=gate.read_count(typed))

    return _make(make, broadcast_id)


@pages.post("/broadcasts/<int:broadcast_id>/release")
def release(broadcast_id: int) -> ResponseReturnValue:
    """Once more to whoever is presumed unsent."""
    return _change(broadcast_id, lambda tx: releasing.release(tx, broadcast_id, showing.me(), _why()))


@pages.post("/broadcasts/<int:broadcast_id>/duplicate")
def duplicate(broadcast_id: int) -> ResponseReturnValue:
    return _make(copying.duplicate, broadcast_id)


def _change(broadcast_id: int, change: Callable[[Session], object]) -> ResponseReturnValue:
    rt = runtime.current()
    try:
        with rt.transaction() as tx:
            find(tx, broadcast_id)
            change(tx)
    except BroadcastError as error:
        return showing.refuse(broadcast_id, error)
    rt.ring("bulk")
    rt.ring("send")
    return showing.back(broadcast_id)


def _make(make: Callable[[Session, int, Actor, str | None], Broadcast], broadcast_id: int) -> ResponseReturnValue:
    """Leads to what was made."""
    rt = runtime.current()
    try:
        with rt.transaction() as tx:
            find(tx, broadcast_id)
            made = make(tx, broadcast_id, showing.me(), _why())
    except gate.CountError as error:
        return _retry_page(broadcast_id, str(error)), 422
    except BroadcastError as error:
        return showing.refuse(broadcast_id, error)
    rt.ring("bulk")
    return redirect(url_for("broadcasts.show", broadcast_id=made.id), 303)


def _stop(change: Any, broadcast_id: int, done: str) -> ResponseReturnValue:  # noqa: ANN401 (pause or cancel)
    rt = runtime.current()
    with rt.transaction() as tx:
        find(tx, broadcast_id)
    try:
        counts = change(rt, broadcast_id, showing.me(), _why())
    except BroadcastError as error:
        return showing.refuse(broadcast_id, error)
    flash(_stopped(done, counts))
    return showing.back(broadcast_id)


def _stopped(done: str, counts: Counts) -> str:
    figures = {
        "accepted": figure(counts.accepted),
        "waiting": figure(counts.waiting),
        "cancelled": figure(counts.cancelled),
        "in_flight": figure(counts.in_flight),
    }
    if counts.in_flight:
        text = _(
            "%(done)s: %(accepted)s accepted, %(waiting)s waiting, %(cancelled)s cancelled; %(in_flight)s still on "
            "their way.",
            done=done,
            **figures,
        )
    else:
        text = _("%(done)s: %(accepted)s accepted, %(waiting)s waiting, %(cancelled)s cancelled.", done=done, **figures)
    return text


def _retry_page(broadcast_id: int, problem: str | None = None) -> str:
    """`problem` is of the number that was typed."""
    with runtime.current().transaction() as tx:
        found = find(tx, broadcast_id)
        planned, rules = retrying.plan(tx, found), policy.of(tx, found.environment)
        asks = planned.people > rules.type_count_above
        shown = {"broadcast": found, "plan": planned, "rules": rules, "asks": asks, "problem": problem}
        return render_template("broadcasts/retry.html", **shown)


def _why() -> str | None:
    return request.form.get("why", "").strip().replace("\0", "")[:500] or None
