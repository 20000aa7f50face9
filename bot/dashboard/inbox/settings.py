"""Page: how an inbox works by itself: who is given what waits, and what closes by itself."""

from collections.abc import Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import runtime
from bot.conversations import at_work, receipts
from bot.dashboard import access
from bot.dashboard.inbox.door import pages
from bot.language import _, figure, later, spoken, translated
from bot.models.inbox import InboxPolicy
from bot.models.words import Assigning, Telling
from bot.team import audit
from bot.team.audit import Action

RULES: Mapping[Assigning, str] = {
    Assigning.BY_HAND: later("By hand: nobody is given anything by itself"),
    Assigning.ROUND_ROBIN: later("In turn: the coach whose last one is longest ago"),
    Assigning.LEAST_LOADED: later("To whoever has the fewest open conversations"),
}
TELLINGS: Mapping[Telling, str] = {
    Telling.NOTHING: later("Nothing: their messages keep two grey ticks"),
    Telling.READ: later("Blue ticks, once a coach has read their message"),
    Telling.TYPING: later("Blue ticks, and “typing…” while a coach writes"),
}
LIMITS: Mapping[str, tuple[str, int, int]] = {
    "capacity": (later("Open conversations a coach takes"), 1, 1000),
    "away_after_min": (later("Minutes without the inbox open after which a coach is not there"), 1, 1440),
    "close_after_h": (later("Hours without a word after which a conversation closes"), 1, 8760),
}
_MAY_BE_EMPTY = frozenset({"close_after_h"})


class _PolicyError(ValueError):
    pass


@pages.get("/inbox/settings")
def settings() -> ResponseReturnValue:
    return _page()


@pages.post("/inbox/settings")
def change_settings() -> ResponseReturnValue:
    try:
        told = _read()
    except _PolicyError as error:
        return _page(problem=str(error)), 422
    with runtime.current().transaction() as tx:
        _keep(tx, told)
    flash(_("Kept. It takes hold within a second."))
    return redirect(url_for("inbox.settings"), 303)


@pages.post("/inbox/settings/coaches/<int:operator_id>")
def change_coach(operator_id: int) -> ResponseReturnValue:
    """How many a coach takes, empty for the policy's; and whether they are away."""
    given = request.form.get("capacity", "").strip()
    try:
        capacity = _whole("capacity", given) if given else None
    except _PolicyError as error:
        return _page(problem=str(error)), 422
    with runtime.current().transaction() as tx:
        if not at_work.is_coach(tx, operator_id):
            abort(404)
        at_work.limit(tx, operator_id, capacity)
        at_work.leave(tx, operator_id, is_away="is_away" in request.form)
    return redirect(url_for("inbox.settings"), 303)


def _read() -> dict[str, str | int | None]:
    form = request.form
    told: dict[str, str | int | None] = {name: form.get(name, "") for name in ("assigning", "tells")}
    if told["assigning"] not in list(Assigning):
        raise _PolicyError(_("Choose how conversations are given to coaches."))
    if told["tells"] not in list(Telling):
        raise _PolicyError(_("Choose what people see while a coach is at their conversation."))
    for name in LIMITS:
        given = form.get(name, "").strip()
        told[name] = None if not given and name in _MAY_BE_EMPTY else _whole(name, given)
    return told


def _whole(name: str, given: str) -> int:
    words, least, most = LIMITS[name]
    if not (given.isascii() and given.isdigit() and len(given) < 9 and least <= int(given) <= most):
        raise _PolicyError(
            _(
                "%(words)s: give a whole number from %(least)s to %(most)s.",
                words=translated(words),
                least=least,
                most=figure(most),
            )
        )
    return int(given)


def _keep(session: Session, told: Mapping[str, object]) -> None:
    environment = access.environment().value
    kept = at_work.policy(session, environment)
    before = {name: getattr(kept, name) for name in told}
    row = insert(InboxPolicy).values(environment=environment, **told)
    session.execute(row.on_conflict_do_update(index_elements=["environment"], set_=dict(told)))
    audit.note(session, access.by(), Action.INBOX_CHANGED, f"inbox {environment}", before=before, after=dict(told))


def _page(*, problem: str | None = None) -> str:
    with runtime.current().transaction() as tx:
        return render_template(
            "dashboard/inbox_settings.html",
            policy=at_work.policy(tx, access.environment()),
            coaches=at_work.coaches(tx),
            rules=spoken(RULES),
            limits=LIMITS,
            tellings=TELLINGS,
            silent=receipts.silent(tx, access.environment()),
            refused=receipts.refused(tx, access.environment()),
            problem=problem,
        )
