from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import rich_click as click
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.commands import console
from bot.connections import numbers
from bot.connections.numbers import NumberError
from bot.journeys import reminders
from bot.journeys.reminders import ReminderError, Wanted
from bot.models.broadcast import Template
from bot.models.connection import Number
from bot.models.journey import Reminder
from bot.models.person import Person
from bot.models.segment import Segment
from bot.models.words import ReminderState
from bot.people import identify
from bot.providers.events import Sender
from bot.team import operators
from bot.team.operators import OperatorError


@click.group("reminder", panel=console.TALK)
def reminder() -> None:
    """Messages at a time, to a person or a segment: add, list, cancel."""


@reminder.command("add")
@click.argument("name")
@console.environment_option(required=True)
@click.option(
    "--at", "when", required=True, metavar="TIME", help="2030-03-01T09:00, in BACKCHAT_TIME_ZONE or as +02:00."
)
@click.option("--phone", help="The person with this phone number (+ and country code).")
@click.option("--distinct-id", help="The person who is called that.")
@click.option("--segment", help="Everybody who is in this segment at that time.")
@click.option("--text", help="What is sent, <<user.…>> filled in; only to people whose 24-hour window is open then.")
@click.option("--template", help="The approved template that is sent instead of a text.")
@click.option("--language", help="The language of the template; only needed if it has several.")
@click.option("--slot", "slots", multiple=True, metavar="SLOT=TEXT", help="What fills the template: body.1=<<user.…>>.")
@click.option("--number", "asked", help="The number that sends, by phone or id; only needed if there are several.")
@click.option("--as", "email", metavar="EMAIL", help="In whose name it is written down.")
@console.json_option
def add(
    name: str,
    environment: str,
    when: str,
    phone: str | None,
    distinct_id: str | None,
    segment: str | None,
    text: str | None,
    template: str | None,
    language: str | None,
    slots: tuple[str, ...],
    asked: str | None,
    email: str | None,
    *,
    as_json: bool,
) -> None:
    """Write down a message that is sent once, at a time, to a person or a segment."""
    due_at = _time(when, console.the_runtime().settings.time_zone)
    with console.session(NumberError, OperatorError, ReminderError) as session:
        number = numbers.choose(session, environment, asked)
        wanted = Wanted(
            name=name,
            due_at=due_at,
            person_id=_person_id(session, environment, phone, distinct_id),
            segment_id=None if segment is None else _segment_id(session, environment, segment),
            text=text,
            template_id=None if template is None else _template_id(session, number, template, language),
            slots=_slots(slots),
        )
        operator_id = None if email is None else operators.by_email(session, email).id
        made = reminders.add(session, number, wanted, operator_id=operator_id)
        told = {"id": made.id, "name": made.name, "due_at": made.due_at, "state": made.state}
    console.show(told, as_json)


@reminder.command("list")
@click.option(
    "--state",
    type=click.Choice([*(word.value for word in ReminderState), "all"]),
    default="scheduled",
    show_default=True,
)
@console.environment_option(required=False)
@console.json_option
def list_(state: str, environment: str | None, *, as_json: bool) -> None:
    """List reminders, the soonest first."""
    query = (
        select(Reminder, Person.distinct_id, Segment.name)
        .outerjoin(Person, Person.id == Reminder.person_id)
        .outerjoin(Segment, Segment.id == Reminder.segment_id)
        .order_by(Reminder.due_at, Reminder.id)
    )
    if state != "all":
        query = query.where(Reminder.state == state)
    if environment is not None:
        query = query.where(Reminder.environment == environment)
    with console.session() as session:
        rows = [
            {
                "id": found.id,
                "environment": found.environment,
                "name": found.name,
                "due_at": found.due_at,
                "person": person,
                "segment": segment,
                "state": found.state,
            }
            for found, person, segment in session.execute(query)
        ]
    console.show(rows, as_json, "No reminder." if state == "all" else f"No {state} reminder.")


@reminder.command("cancel")
@click.argument("reminder_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@console.json_option
def cancel(reminder_id: int, *, as_json: bool) -> None:
    """Take back the reminder ID while it is still to come."""
    with console.session() as session:
        if not reminders.cancel(session, reminder_id):
            console.fail(f"There is no reminder {reminder_id} still to come: `backchat reminder list` shows those.")
    console.show({"id": reminder_id, "state": ReminderState.CANCELLED}, as_json)


def _time(when: str, zone: str) -> datetime:
    try:
        told = datetime.fromisoformat(when)
        here = ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        console.fail(f"BACKCHAT_TIME_ZONE is {zone!r}, which is no time zone: use a name such as Europe/Berlin.")
    except ValueError:
        console.fail(f"{when!r} is not a time: write it as 2030-03-01T09:00 or 2030-03-01T09:00:00+02:00.")
    if told.tzinfo is not None:
        return told
    local = told.replace(tzinfo=here)
    if local.astimezone(UTC).astimezone(here).replace(tzinfo=None) != told:
        console.fail(f"There is no {when} in {zone}: clocks are put forward then. Choose another minute.")
    return local


def _person_id(session: Session, environment: str, phone: str | None, distinct_id: str | None) -> int | None:
    if phone is None and distinct_id is None:
        return None
    if phone is not None and distinct_id is not None:
        raise click.UsageError("Name the person by --phone or by --distinct-id, not by both.")
    query = select(Person.id).where(Person.environment == environment, Person.distinct_id == distinct_id)
    found = session.scalar(query) if phone is None else _by_phone(session, environment, phone)
    if found is None:
        console.fail(f"Nobody in {environment} is known as {phone or distinct_id}.")
    return found


def _by_phone(session: Session, environment: str, phone: str) -> int | None:
    try:
        digits = phones.parse(phone, None).e164.removeprefix("+")
    except phones.PhoneError as error:
        console.fail(f"The phone number {phone!r} cannot be used because {error}.")
    return identify.find(session, environment, [Sender(phone=digits)])[0]


def _segment_id(session: Session, environment: str, name: str) -> int:
    found = session.scalar(select(Segment.id).where(Segment.environment == environment, Segment.name == name))
    if found is None:
        console.fail(f"There is no segment {name!r} in {environment}: `backchat segment list` shows all.")
    return found


def _template_id(session: Session, number: Number, name: str, language: str | None) -> int:
    query = select(Template).where(Template.connection_id == number.connection_id, Template.name == name)
    if language is not None:
        query = query.where(Template.language == language)
    found = session.scalars(query.order_by(Template.language)).all()
    if not found:
        console.fail(f"The number's account has no template {name!r}: `backchat template list` shows all.")
    if len(found) > 1:
        console.fail(f"The template {name} has several languages: choose one with --language {_either(found)}.")
    return found[0].id


def _either(found: Sequence[Template]) -> str:
    return " or ".join(template.language for template in found)


def _slots(given: Sequence[str]) -> dict[str, str] | None:
    pairs = [pair.partition("=") for pair in given]
    for name, sign, _ in pairs:
        if not sign:
            raise click.UsageError(f"--slot must be SLOT=TEXT and not {name!r}.")
    return {name: text for name, _, text in pairs} or None


COMMANDS: tuple[click.Command, ...] = (reminder,)
