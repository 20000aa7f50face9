"""`backchat person why` and `backchat person merge`: they join the group of bot/commands/person.py."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import rich_click as click

from bot.commands import console
from bot.commands.person import person
from bot.commands.whom import whom
from bot.people import merge_shapes, merging
from bot.people.merging import MergeError
from bot.why import chains, days, shapes
from bot.why.chains import WhyError

_MARKS = {"passed": "✓", "stopped": "✗", "waiting": "…", "not_reached": "·"}


@person.command("why")
@click.argument("who")
@console.environment_option(required=True)
@click.option("--broadcast", type=click.IntRange(1, 2**63 - 1), metavar="ID", help="Why they got it, or did not.")
@click.option("--message", type=click.IntRange(1, 2**63 - 1), metavar="ID", help="Why it got as far as it did.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="In BACKCHAT_TIME_ZONE; today, unless told.")
@console.json_option
def why(
    who: str, environment: str, broadcast: int | None, message: int | None, day: datetime | None, *, as_json: bool
) -> None:
    """Say step by step why WHO got a broadcast or a message, or did not; else all of a day."""
    if sum(each is not None for each in (broadcast, message, day)) > 1:
        raise click.UsageError("Ask for one at a time: --broadcast, --message or --day.")
    zone = ZoneInfo(console.the_runtime().settings.time_zone)
    with console.session(WhyError) as session:
        found = whom(session, environment, who)
        if broadcast is not None:
            told = shapes.chain(chains.of_broadcast(session, found, broadcast))
        elif message is not None:
            told = shapes.chain(chains.of_message(session, found, message))
        else:
            told = shapes.day(days.of_day(session, found, _day(day, zone), zone))
    if as_json:
        console.show(told, as_json=True)
    elif "steps" in told:
        _say(told)
    else:
        _say_day(told)


@person.command("merge")
@click.argument("who")
@click.argument("other")
@console.environment_option(required=True)
@click.option("--preview", "is_preview", is_flag=True, help="Only say what would become of them.")
@console.json_option
def merge(who: str, other: str, environment: str, *, is_preview: bool, as_json: bool) -> None:
    """Make WHO and OTHER one person, for good; which of them stays does not depend on who is named first."""
    with console.session(MergeError) as session:
        one, same = whom(session, environment, who), whom(session, environment, other)
        seen = merge_shapes.preview(merging.preview(session, one.id, same.id))
        if not is_preview:
            merging.become_one(session, one.id, same.id, "from the command line")
    told = seen | {"merged": not is_preview}
    if as_json:
        console.show(told, as_json=True)
        return
    names = ("label", "stays", "goes", "result", "winner")
    console.show([{name: field[name] for name in names} for field in seen["fields"]], as_json=False)
    moved = {f"{name} moved": count for name, count in seen["moves"].items() if count}
    console.say("")
    console.show({"stays": seen["stays"]["id"], "goes": seen["goes"]["id"], **moved, "merged": not is_preview}, False)


def _day(given: datetime | None, zone: ZoneInfo) -> date:
    return given.date() if given is not None else datetime.now(zone).date()


def _say(told: dict[str, Any]) -> None:
    console.say(f"{told['title']}: {told['told']}")
    for step in told["steps"]:
        console.say(f"  {_MARKS[step['verdict']]} {step['question']} {step['told'] or ''}".rstrip())
        for row in step["evidence"]:
            notes = ", ".join(note for note in (row["by"], row["at"]) if note)
            console.say(f"      {row['row']}: {row['told']}{f' ({notes})' if notes else ''}")
        if step["fix"]:
            console.say(f"      → {step['fix']}")


def _say_day(told: dict[str, Any]) -> None:
    if not told["messages"] and not told["missing"]:
        console.say(f"Nothing was ever planned for them on {told['day']}.")
    for chain in (*told["messages"], *told["missing"]):
        _say(chain)
