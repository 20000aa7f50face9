"""`backchat webhooks`: what came in, what is in the quarantine, and what the doctor says of a connection."""

from datetime import UTC, datetime
from typing import Any

import rich_click as click
from click.exceptions import Exit

from bot.commands import console
from bot.connections import connections
from bot.connections.connections import ConnectionFieldError
from bot.models.words import EventState
from webhooks import doctor, findings, kinds, log, quarantine, recorder_commands, replay
from webhooks.doctor import State
from webhooks.reasons import meaning
from webhooks.replay import QuarantineError

_ALL_OF_THEM_S = 24 * 3600.0


@click.group("webhooks", panel=console.SET_UP)
def webhooks() -> None:
    """What providers sent: log, quarantine, doctor, record, replay."""


webhooks.add_command(recorder_commands.record)
webhooks.add_command(recorder_commands.replay)


@webhooks.command("log")
@click.option("--connection", "slug", metavar="SLUG", help="Only what came by this connection.")
@click.option("--kind", type=click.Choice(sorted(set(kinds.KINDS.values()))), help="Only what held such an item.")
@click.option("--state", type=click.Choice([word.value for word in EventState]), help="Only with this verdict.")
@click.option("--since", type=click.DateTime(), help="Only from this time on, in UTC.")
@click.option("--until", type=click.DateTime(), help="Only before this time, in UTC.")
@click.option("--before", type=click.IntRange(1, 2**63 - 1), metavar="ID", help="Only events before this one.")
@console.json_option
def log_(
    slug: str | None,
    kind: str | None,
    state: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    *,
    as_json: bool,
) -> None:
    """The newest webhooks first, a page of them."""
    with console.session(ConnectionFieldError) as session:
        wanted = log.Wanted(
            connection_id=None if slug is None else connections.named(session, slug).id,
            kind=kind,
            state=state,
            since=since and since.replace(tzinfo=UTC),
            until=until and until.replace(tzinfo=UTC),
            before=before,
        )
        page = log.load(session, wanted)
    rows = [
        {
            "id": event.id,
            "received_at": event.received_at,
            "connection": event.connection,
            "state": event.state,
            "items": event.items,
            "kinds": event.kinds,
            "bytes": event.size,
        }
        for event in page.events
    ]
    console.show(rows, as_json, "None that fits.")
    if page.more and not as_json:
        console.say("")
        console.say(f"Further back: add --before {page.more}")


@webhooks.command("quarantine")
@click.option("--replay", "one", type=click.IntRange(1, 2**63 - 1), metavar="ID", help="Apply this item after all.")
@click.option("--replay-like", "like", type=click.IntRange(1, 2**63 - 1), metavar="ID", help="And all of its reason.")
@click.option("--connection", "slug", metavar="SLUG", help="List only what came by this connection.")
@console.json_option
def quarantine_(one: int | None, like: int | None, slug: str | None, *, as_json: bool) -> None:
    """List what could not be applied; or apply it, once its cause is gone."""
    if one is not None and like is not None:
        raise click.UsageError("Give --replay or --replay-like, not both.")
    if one is not None:
        _replay(one, as_json=as_json)
    elif like is not None:
        _replay_like(like, as_json=as_json)
    else:
        _list(slug, as_json=as_json)


@webhooks.command("doctor")
@click.argument("slug")
@console.json_option
def doctor_(slug: str, *, as_json: bool) -> None:
    """Whether the webhooks of the connection SLUG arrive, and what to do if they do not. Exit code 1 on trouble."""
    rt = console.the_runtime()
    with console.session(ConnectionFieldError) as session:
        steps = doctor.examine(findings.gather(session, connections.named(session, slug), rt.settings))
    if as_json:
        console.show([_as_row(step) for step in steps], as_json)
    else:
        for step in steps:
            _say(step)
    if any(step.state is State.BAD for step in steps):
        raise Exit(1)


def _replay(quarantine_id: int, *, as_json: bool) -> None:
    with console.session(QuarantineError) as session:
        done = replay.replay(session, quarantine_id, None)
    for name in sorted(done.queues):
        console.the_runtime().ring(name)
    console.show({"id": quarantine_id, "applied": done.is_applied, "told": done.told}, as_json)


def _replay_like(quarantine_id: int, *, as_json: bool) -> None:
    try:
        done = replay.replay_like(console.the_runtime(), quarantine_id, None, for_s=_ALL_OF_THEM_S)
    except QuarantineError as error:
        console.fail(str(error))
    console.show({"applied": done.applied, "refused": done.refused}, as_json)


def _list(slug: str | None, *, as_json: bool) -> None:
    with console.session(ConnectionFieldError) as session:
        connection_id = None if slug is None else connections.named(session, slug).id
        page = quarantine.load(session, quarantine.Wanted(connection_id=connection_id))
    rows = [
        {
            "id": row.Quarantine.id,
            "created_at": row.Quarantine.created_at,
            "connection": row.connection,
            "event": row.Quarantine.webhook_event_id,
            "pointer": row.Quarantine.pointer,
            "reason": row.Quarantine.reason,
        }
        | ({"remedy": meaning(row.Quarantine.reason).remedy} if as_json else {})
        for row in page.rows
    ]
    console.show(rows, as_json, "The quarantine is empty.")


def _say(step: doctor.Step) -> None:
    at = f" {step.at:%Y-%m-%d %H:%M} UTC" if step.at else ""
    console.say(f"{step.state.upper():<8} {step.title}: {step.evidence}{at}")
    for line in filter(None, (step.cause, step.remedy)):
        console.say(f"         {line}")


def _as_row(step: doctor.Step) -> dict[str, Any]:
    return {
        "step": step.title,
        "state": step.state,
        "evidence": step.evidence,
        "at": step.at,
        "cause": step.cause,
        "remedy": step.remedy,
    }


COMMANDS: tuple[click.Command, ...] = (webhooks,)
