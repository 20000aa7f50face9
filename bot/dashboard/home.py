"""Page: the start, with what to try first and the numbers of the moment."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.connections import alerts
from bot.dashboard import access, guide, listing
from bot.language import _, figure
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.journey import Reminder
from bot.models.person import Person
from bot.models.words import BroadcastState, Environment, ReminderState
from bot.people import ledger
from bot.team import permissions

pages = Blueprint("home", __name__)


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    value: int
    endpoint: str | None
    note: str | None = None


@pages.get("/")
def index() -> ResponseReturnValue:
    role = access.operator().role
    with runtime.current().transaction() as tx:
        if "environment" not in request.args:
            access.show_environment(_in_use(tx))
        steps = [
            (step, done)
            for step, done in guide.progress(tx, access.environment())
            if step.endpoint in current_app.view_functions and permissions.may(role, step.endpoint)
        ]
        figures = [
            figure
            for figure in _figures(tx, access.environment())
            if figure.endpoint is None or permissions.may(role, figure.endpoint)
        ]
        is_held = ledger.is_behind(tx, runtime.current().settings.erasure_ledger)
    following = next((step for step, done in steps if not done), None)
    return render_template(
        "dashboard/home.html",
        steps=steps,
        following=following,
        figures=figures,
        held=ledger.HELD if is_held else None,
    )


def _in_use(session: Session) -> Environment:
    """Live, unless every number there is belongs to the test environment."""
    used = set(session.scalars(select(Number.environment).distinct()))
    return Environment.TEST if used == {Environment.TEST.value} else Environment.LIVE


def _figures(session: Session, environment: Environment) -> Iterator[Figure]:
    listed = listing.counts(session, environment)
    note = _("%(unread)s with something unread", unread=figure(listed.unread)) if listed.unread else _("all read")
    yield Figure(_("Open conversations"), listed.open, "inbox.index", note)
    people = select(func.count()).where(Person.environment == environment, Person.erased_at.is_(None))
    yield Figure(_("People"), session.scalar(people) or 0, None)
    busy = (BroadcastState.MATERIALISING, BroadcastState.RUNNING)
    sending = select(func.count()).where(Broadcast.environment == environment, Broadcast.state.in_(busy))
    yield Figure(_("Broadcasts going out"), session.scalar(sending) or 0, "broadcasts.index")
    due = select(func.count()).where(Reminder.environment == environment, Reminder.state == ReminderState.SCHEDULED)
    yield Figure(_("Reminders to come"), session.scalar(due) or 0, "reminders.index")
    yield Figure(_("Alerts"), alerts.count(session), "alerts.index", _("about accounts, numbers and templates"))
