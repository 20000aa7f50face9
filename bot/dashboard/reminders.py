"""Pages: reminders to come and gone, and a form for one more."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from bot import phone, runtime
from bot.dashboard import access, downloads, people, times
from bot.journeys import reminders
from bot.journeys.reminders import ReminderError, Wanted
from bot.language import _
from bot.models.connection import Number
from bot.models.journey import Reminder
from bot.models.person import Person
from bot.models.segment import Segment
from bot.models.team import Operator
from bot.models.words import Environment, ReminderState
from bot.people import identify
from bot.providers.events import Sender

pages = Blueprint("reminders", __name__)

PAGE = 100
TONES: Mapping[str, str] = {
    ReminderState.SCHEDULED: "busy",
    ReminderState.FIRED: "good",
    ReminderState.MISSED: "warn",
    ReminderState.CANCELLED: "quiet",
}


@pages.get("/reminders")
def index() -> ResponseReturnValue:
    return _page({}, [])


@pages.get("/reminders.csv")
def export() -> ResponseReturnValue:
    """All of the environment, in the order of the page."""
    with runtime.current().transaction() as tx:
        found = _listed(tx, access.environment(), limit=None)
    header = ("id", "due_at", "name", "text", "person", "segment", "state", "fired_at", "set_by")
    return downloads.csv("reminders", header, map(_cells, found))


def _cells(row: Row[Reminder, str, str, str]) -> Sequence[object]:
    reminder = row.Reminder
    told = (reminder.id, reminder.due_at, reminder.name, reminder.text, row.person if reminder.person_id else None)
    return (*told, row.segment, reminder.state, reminder.fired_at, row.operator)


@pages.post("/reminders")
def add() -> ResponseReturnValue:
    form, environment = request.form, access.environment()
    try:
        with runtime.current().transaction() as tx:
            number = _number(tx, environment, form.get("number", 0, type=int))
            wanted = Wanted(
                name=form.get("name", ""),
                due_at=_time(form.get("due_at", "")),
                person_id=_person_id(tx, environment, form.get("person", "").strip()),
                segment_id=form.get("segment", type=int),
                text=form.get("text", "").replace("\r\n", "\n").replace("\x00", ""),
            )
            reminders.add(tx, number, wanted, operator_id=access.operator().id)
    except ReminderError as error:
        return _page(form, str(error).splitlines()), 422
    flash(_("The reminder is set."))
    return redirect(url_for("reminders.index"), 303)


@pages.post("/reminders/<int:reminder_id>/cancel")
def cancel(reminder_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        found = tx.get(Reminder, reminder_id) or abort(404)
        access.show_environment(found.environment)
        is_cancelled = reminders.cancel(tx, reminder_id)
    flash(_("Cancelled.") if is_cancelled else _("Too late: it is no longer to come."))
    return redirect(url_for("reminders.index"), 303)


def _page(given: Mapping[str, str], problems: list[str]) -> str:
    environment = access.environment()
    with runtime.current().transaction() as tx:
        listed = _listed(tx, environment)
        numbers = tx.scalars(select(Number).where(Number.environment == environment).order_by(Number.id)).all()
        segments = tx.scalars(select(Segment).where(Segment.environment == environment).order_by(Segment.name)).all()
    return render_template(
        "dashboard/reminders.html",
        reminders=listed,
        tones=TONES,
        numbers=[(number.id, f"{number.name} {number.phone}") for number in numbers],
        segments=[("", "nobody"), *((segment.id, segment.name) for segment in segments)],
        zone=times.zone().key,
        given=given,
        problems=problems,
    )


def _listed(
    session: Session, environment: Environment, limit: int | None = PAGE
) -> Sequence[Row[Reminder, str, str, str]]:
    """What is to come first, the soonest on top; then what is gone, the latest on top."""
    is_to_come = Reminder.state == ReminderState.SCHEDULED
    found = session.execute(
        select(Reminder, people.name().label("person"), Segment.name.label("segment"), Operator.name.label("operator"))
        .join(Person, Person.id == Reminder.person_id, isouter=True)
        .join(Segment, Segment.id == Reminder.segment_id, isouter=True)
        .join(Operator, Operator.id == Reminder.created_by_operator_id, isouter=True)
        .where(Reminder.environment == environment)
        .order_by(is_to_come.desc(), Reminder.due_at.desc(), Reminder.id.desc())
        .limit(limit)
    ).all()
    to_come = [row for row in found if row.Reminder.state == ReminderState.SCHEDULED]
    return [*reversed(to_come), *found[len(to_come) :]]


def _number(session: Session, environment: Environment, number_id: int) -> Number:
    number = session.get(Number, number_id)
    if number is None or number.environment != environment:
        raise ReminderError(_("Choose the number that sends it."))
    return number


def _time(given: str) -> datetime:
    """A browser's `2030-03-01T09:00`, in the zone of BACKCHAT_TIME_ZONE."""
    try:
        local = datetime.fromisoformat(given).replace(tzinfo=times.zone())
    except ValueError:
        raise ReminderError(_("Say when: a day and a time.")) from None
    if local.astimezone(UTC).astimezone(times.zone()).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ReminderError(_("There is no such time on that day: clocks are put forward then. Choose another minute."))
    return local


def _person_id(session: Session, environment: Environment, given: str) -> int | None:
    """By distinct id, else by phone number with its country code."""
    if not given:
        return None
    known = select(Person.id).where(Person.environment == environment, Person.distinct_id == given.replace("\x00", ""))
    found = session.scalar(known)
    if found is None:
        try:
            digits = phone.parse(given, None).e164.removeprefix("+")
        except phone.PhoneError:
            digits = ""
        found = identify.find(session, environment, [Sender(phone=digits)])[0] if digits else None
    if found is None:
        raise ReminderError(
            _(
                "Nobody is known as %(given)s: use a distinct id, or a phone number with + and country code.",
                given=given,
            )
        )
    return found
