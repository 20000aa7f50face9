"""`backchat broadcast`, and with it all the commands of this package."""

import time
from typing import Any
from zoneinfo import ZoneInfo

import rich_click as click

from bot.commands import console
from bot.models.words import BroadcastState
from bot.team import audit
from bot.team.audit import COMMAND, Action
from broadcasts import broadcasts, result_commands, transitions
from broadcasts.broadcasts import BroadcastError
from broadcasts.control import commands as control_commands
from broadcasts.control import lifecycle
from broadcasts.control.commands import HERE, tell
from broadcasts.drafting import preview
from broadcasts.drafting.fields import FieldError
from broadcasts.drafting.options import draft_options, make_draft
from broadcasts.imports import commands as import_commands
from broadcasts.preflight import funnel, remedies, report
from broadcasts.segments import commands as segment_commands
from broadcasts.templates import commands as template_commands
from broadcasts.transitions import NOBODY

_REFUSALS = (BroadcastError, FieldError)


@click.group("broadcast", panel=console.BROADCAST)
def broadcast() -> None:
    """Broadcasts: create, preview, preflight, launch, list, status, recipients, timeline, pause, cancel and more."""


@broadcast.command("create")
@draft_options
@console.json_option
def create(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 (those of draft_options)
    """Make a draft, to look at with `preview ID` before `launch ID`."""
    with console.session(*_REFUSALS) as session:
        made = make_draft(session, _zone(), **options)
    console.show(tell(made.id), as_json)


@broadcast.command("launch")
@click.argument("id_", metavar="[ID]", type=int, required=False)
@draft_options
@click.option("--people", type=int, metavar="N", help="How many they are: asked for above a threshold.")
@click.option("--preflight", metavar="VERSION", help="Only if all is as `preflight ID` showed it with this version.")
@click.option("--skip-gaps", is_flag=True, help="Leave out whoever a text lacks a value of.")
@click.option("--wait", is_flag=True, help="Come back when nobody waits any more.")
@console.json_option
def launch(
    id_: int | None,
    *,
    people: int | None,
    preflight: str | None,
    skip_gaps: bool,
    wait: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401 (those of draft_options)
) -> None:
    """Launch the draft ID, or make and launch one from the options."""
    if id_ is not None and any(options.values()):
        raise click.UsageError("Give either the ID of a draft or the options of a new broadcast.")
    with console.session(*_REFUSALS) as session:
        id_ = make_draft(session, _zone(), **options).id if id_ is None else id_
        if skip_gaps:
            remedies.skip_gaps(session, id_)
        lifecycle.launch(session, id_, NOBODY, HERE, confirmed=people, seen=preflight)
        audit.note(session, COMMAND, Action.LAUNCHED, f"broadcast {id_}")
    console.the_runtime().ring("bulk")
    told = tell(id_)
    while wait and told["state"] in {BroadcastState.MATERIALISING, BroadcastState.RUNNING}:
        time.sleep(0.3)
        told = tell(id_)
    console.show(told, as_json)


@broadcast.command("list")
@console.environment_option(required=False)
@console.json_option
def list_broadcasts(environment: str | None, *, as_json: bool) -> None:
    """The newest broadcasts first."""
    with console.session() as session:
        found = broadcasts.every(session, environment)
        rows = [
            {"id": each.id, "environment": each.environment, "name": each.name, "state": each.state}
            | {"created_at": each.created_at, "launched_at": each.launched_at, "finished_at": each.finished_at}
            for each in found
        ]
    console.show(rows, as_json, "No broadcast yet: backchat broadcast launch --help")


@broadcast.command("status")
@click.argument("id_", metavar="ID", type=int)
@console.json_option
def status(id_: int, *, as_json: bool) -> None:
    """Where everybody of its audience stands; the parts always add up."""
    console.show(tell(id_), as_json)


@broadcast.command("timeline")
@click.argument("id_", metavar="ID", type=int)
@console.json_option
def timeline(id_: int, *, as_json: bool) -> None:
    """What happened to it, when, by whom and why."""
    with console.session(BroadcastError) as session:
        found = transitions.timeline(session, broadcasts.get(session, id_).id)
    rows = [
        {"at": line.transition.at, "from": line.transition.from_state, "to": line.transition.to_state}
        | {"who": line.who, "why": line.transition.why}
        for line in found
    ]
    console.show(rows, as_json, "Still a draft, nothing happened yet.")


@broadcast.command("preview")
@click.argument("id_", metavar="ID", type=int)
@click.option("--person", "people", multiple=True, help="Also this person (distinct id), as often as needed.")
@console.json_option
def show_preview(id_: int, people: tuple[str, ...], *, as_json: bool) -> None:
    """What real people of the segment would read, and how many lack a value for it."""
    with console.session(BroadcastError) as session:
        found = broadcasts.get(session, id_)
        seen = preview.people(session, found, people)
        counted = funnel.load(session, found)
        gaps = report.gaps(session, found, counted)
    rows: list[dict[str, Any]] = [
        {"person": each.person.distinct_id, "wording": read.version.title, "header": read.text.header}
        | {"text": read.text.body, "problem": read.problem}
        for each in seen
        for read in each.readings
    ]
    told = {"people": counted.audience, "with_an_empty_placeholder": gaps.people, "missing": dict(gaps.missing)}
    told |= {"do_not_want_it": counted.unwilling}
    if as_json:
        console.show({**told, "preview": rows}, as_json=True)
        return
    console.show(rows, as_json=False, empty="Nobody is in the segment.")
    console.say("")
    console.show(told, as_json=False)


def _zone() -> ZoneInfo:
    return ZoneInfo(console.the_runtime().settings.time_zone)


for each in (*control_commands.COMMANDS, *result_commands.COMMANDS):
    broadcast.add_command(each)

COMMANDS: tuple[click.Command, ...] = (
    *import_commands.COMMANDS,
    *segment_commands.COMMANDS,
    *template_commands.COMMANDS,
    broadcast,
)
