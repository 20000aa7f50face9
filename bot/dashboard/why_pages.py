"""Pages: why somebody got a message or did not, for a broadcast, a message or a whole day."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask import Blueprint, abort, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, people, times
from bot.language import _, later, translated
from bot.models.broadcast import Broadcast
from bot.models.person import Person
from bot.team import permissions
from bot.why import chains, days
from bot.why.chains import WhyError
from bot.why.steps import Chain, Verdict

pages = Blueprint("why", __name__)

OFFERED = 50
"""Broadcasts to choose from, the newest."""

VERDICTS: Mapping[str, tuple[str, str, str]] = {
    Verdict.PASSED: (later("Passed"), "good", "tick"),
    Verdict.STOPPED: (later("Stopped here"), "bad", "close"),
    Verdict.WAITING: (later("Here now"), "busy", "clock"),
    Verdict.NOT_REACHED: (later("Not reached"), "quiet", "tick"),
}
"""Label, tone and icon of a step."""
ENDS: Mapping[str, tuple[str, str]] = {
    Verdict.PASSED: (later("Sent"), "good"),
    Verdict.STOPPED: (later("Not sent"), "bad"),
    Verdict.WAITING: (later("Under way"), "busy"),
}
"""Label and tone of a whole chain."""
_AFTER_THE_WIRE = frozenset({"answer", "reports"})


@pages.get("/people/<int:person_id>/why")
def show(person_id: int) -> ResponseReturnValue:
    """`?broadcast=` or `?message=` shows its steps; else the day of `?day=`, which is today unless told."""
    args = request.args
    with runtime.current().transaction() as tx:
        person = tx.get(Person, person_id) or abort(404)
        access.show_environment(person.environment)
        shown = _asked(tx, person, args.get("broadcast", 0, int), args.get("message", 0, int))
        name = tx.scalars(select(people.name()).where(Person.id == person_id)).one()
        offered = _broadcasts(tx, person.environment)
    return render_template(
        "dashboard/why.html",
        person=person,
        name=name,
        back=profile_of(person, name),
        offered=offered,
        verdicts=VERDICTS,
        end_of=end_of,
        today=datetime.now(times.zone()).date(),
        zone=times.zone().key,
        **shown,
    )


def end_of(chain: Chain) -> tuple[str, str]:
    """Whatever went wrong after it left was sent all the same."""
    last = chain.last
    if last is not None and last.key in _AFTER_THE_WIRE and last.verdict is Verdict.STOPPED:
        return _("Not delivered"), "bad"
    if last is not None and last.key == "reports":
        return _("Sent"), "good"
    words, tone = ENDS[chain.verdict]
    return translated(words), tone


def profile_of(person: Person, name: str) -> tuple[str, str]:
    """Address and name of the page to go back to."""
    me = access.signed_in()
    is_there = "people.show" in current_app.view_functions and me and permissions.may(me.role, "people.show")
    return (url_for("people.show", person_id=person.id), name) if is_there else (url_for("home.index"), _("Start"))


def _asked(session: Session, person: Person, broadcast_id: int, message_id: int) -> dict[str, Any]:
    try:
        if 0 < broadcast_id < 2**63:
            return {"chain": chains.of_broadcast(session, person, broadcast_id), "chosen": broadcast_id}
        if 0 < message_id < 2**63:
            return {"chain": chains.of_message(session, person, message_id)}
    except WhyError:
        abort(404)
    day = _day()
    found = days.of_day(session, person, day, times.zone())
    return {
        "day": found,
        "newest_before": found.before and found.before.astimezone(times.zone()).date(),
        "first_after": found.after and found.after.astimezone(times.zone()).date(),
    }


def _day() -> date:
    """That of the address; today where there is none that a calendar has."""
    try:
        asked = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return datetime.now(times.zone()).date()
    return min(max(asked, date(2000, 1, 1)), date(2999, 12, 31))


def _broadcasts(session: Session, environment: str) -> list[tuple[int, str]]:
    found = session.execute(
        select(Broadcast.id, Broadcast.name)
        .where(Broadcast.environment == environment)
        .order_by(Broadcast.id.desc())
        .limit(OFFERED)
    )
    return [(id_, name) for id_, name in found]
