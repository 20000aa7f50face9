from datetime import UTC, datetime

import rich_click as click

from bot.commands import console
from bot.commands.whom import whom
from bot.messages import log
from bot.messages.log import Wanted
from bot.models.words import AuthorKind, MessageState

_STATES = [state.value for state in MessageState if state is not MessageState.RECEIVED]
_LARGEST_ID = 2**63 - 1


@click.command("log", panel=console.TALK)
@console.environment_option(required=True)
@click.option("--state", type=click.Choice(_STATES), help="Only where they stand there.")
@click.option("--author", type=click.Choice([kind.value for kind in AuthorKind]), help="Only written by such.")
@click.option("--broadcast", type=click.IntRange(1, _LARGEST_ID), metavar="ID", help="Only of this broadcast.")
@click.option("--number", type=click.IntRange(1, _LARGEST_ID), metavar="ID", help="Only from this number.")
@click.option("--person", "who", metavar="WHO", help="Only to this user ID, distinct ID or phone number.")
@click.option("--since", type=click.DateTime(), help="Only from this time on, in UTC.")
@click.option("--until", type=click.DateTime(), help="Only before this time, in UTC.")
@click.option("--before", type=click.IntRange(1, _LARGEST_ID), metavar="ID", help="Only messages before this one.")
@click.option("--limit", type=click.IntRange(1, 1000), default=log.PAGE, show_default=True)
@console.json_option
def log_(
    environment: str,
    state: str | None,
    author: str | None,
    broadcast: int | None,
    number: int | None,
    who: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """The newest sends first, a page of them; `person why` says of each why it got as far as it did."""
    with console.session() as session:
        wanted = Wanted(
            environment=environment,
            state=state,
            author_kind=author,
            broadcast_id=broadcast,
            number_id=number,
            people=None if who is None else [whom(session, environment, who).id],
            since=since and since.replace(tzinfo=UTC),
            until=until and until.replace(tzinfo=UTC),
            before=before,
        )
        page = log.load(session, wanted, limit)
    rows = [
        {
            "id": message.id,
            "at": message.created_at,
            "to": person.distinct_id,
            "author": ": ".join(part for part in (message.author_kind, name) if part),
            "kind": message.kind,
            "state": message.state,
            "reason": message.error_text,
        }
        for message, person, _, name in page.rows
    ]
    console.show(rows, as_json, "No message fits.")
    if page.more is not None and not as_json:
        console.say(f"There may be older ones: --before {page.more}")


COMMANDS: tuple[click.Command, ...] = (log_,)
