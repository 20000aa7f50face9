from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import rich_click as click
from sqlalchemy import select

from bot.commands import console
from bot.goals import events, goals
from bot.goals.events import EventError
from bot.insights import impact
from bot.insights.asking import Filter, last_days
from bot.insights.impact import Asked, Impact
from bot.models.goals import Goal
from bot.people import naming


@click.group("goal", panel=console.RUN)
def goal() -> None:
    """What people are hoped to do: list, figures, tell."""


@goal.command("list")
@console.environment_option(required=True)
@console.json_option
def list_(environment: str, *, as_json: bool) -> None:
    """List goals; they are made on the page Goals, or by a program."""
    with console.session() as session:
        rows = [
            {"id": each.id, "name": each.name, "behaviours": len(each.behaviours)}
            for each in goals.every(session, environment)
        ]
    console.show(rows, as_json, "No goal yet: make one on the page Goals.")


@goal.command("figures")
@click.argument("name")
@console.environment_option(required=True)
@click.option("--days", type=click.IntRange(1, 3_660), default=28, help="Today and the days before it; 28 without it.")
@console.json_option
def figures(name: str, environment: str, days: int, *, as_json: bool) -> None:
    """Who started and who completed the goal NAME, and what was done on the way."""
    period = last_days(days, console.the_runtime().settings.time_zone)
    with console.session() as session:
        found = session.scalar(select(Goal).where(Goal.environment == environment, Goal.name == name))
        if found is None:
            console.fail(f"There is no goal {name} in {environment}: backchat goal list names them.")
        told = _told(impact.impact(session, Asked(found, period, Filter(environment))))
    console.show(told, as_json)


@goal.command("tell")
@click.argument("who")
@click.argument("event")
@console.environment_option(required=True)
@click.option("--at", type=click.DateTime(), help="When, on the workspace's clock; now without it.")
@click.option("--key", help="Your own word for this one event: told twice, it is one.")
@console.json_option
def tell(who: str, event: str, environment: str, at: datetime | None, key: str | None, *, as_json: bool) -> None:
    """Tell that WHO did EVENT, as a program does by the API."""
    given: dict[str, Any] = {"name": event, "key": key}
    if at is not None:
        given["at"] = at.replace(tzinfo=ZoneInfo(console.the_runtime().settings.time_zone)).isoformat()
    with console.session(EventError) as session:
        person = naming.named(session, environment, who)
        if person is None:
            console.fail(f"Nobody in {environment} is known as {who}: give a user ID, a distinct ID or a phone number.")
        kept, is_new = events.tell(session, person, given, None)
        told = {"id": kept.id, "person_id": person.id, "name": kept.name, "at": kept.at.isoformat(), "is_new": is_new}
    console.show(told, as_json)


def _told(found: Impact) -> dict[str, Any]:
    return {
        "goal": found.asked.goal.name,
        "first_day": found.asked.period.first.isoformat(),
        "last_day": found.asked.period.last.isoformat(),
        "started": found.started,
        "completed": found.completed,
        "of_those_who_started": found.went_on,
        "half_took_less_than_s": found.median_s,
        **{f"did: {row.behaviour.name}": row.people for row in found.rows},
    }


COMMANDS: tuple[click.Command, ...] = (goal,)
