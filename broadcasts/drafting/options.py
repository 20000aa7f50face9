"""The options from which `broadcast create` and `broadcast launch` make a draft, and the file that says all of it."""

from collections.abc import Mapping
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

import orjson
import rich_click as click
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.words import Environment
from broadcasts.drafting import description, drafts, fields, naming

_TIME: Final = "2030-03-01T09:00"
_OPTIONS: Final = (
    click.option("--slot", "slots", multiple=True, metavar="SLOT=TEXT", help="body.1='<<user.first_name>>', …"),
    click.option("--pace", type=int, metavar="N", help="So many messages a second at most."),
    click.option("--canary", type=int, metavar="PERCENT", help="The share that gets it first, and is watched."),
    click.option("--until", metavar="TIME", help="Whoever still waits then is left out."),
    click.option("--local-time", metavar="TIME", help=f"When it begins on each person's own clock: {_TIME}."),
    click.option("--at", metavar="TIME", help=f"When it begins: {_TIME}, in BACKCHAT_TIME_ZONE or as +02:00."),
    click.option("--number", help="Our phone number (or its id), if there are several."),
    click.option("--language", help="The template's language, if it is there in several."),
    click.option("--template", help="The name of the template."),
    click.option("--topic", help="What it is about: whoever does not want to hear of it is left out."),
    click.option("--minus", multiple=True, help="The name of a segment whose people are left out."),
    click.option("--segment", multiple=True, help="The name of the segment it goes to, or of several."),
    click.option("--name", help="How people will recognise it."),
    click.option(
        "--file", type=click.File("rb"), help="All of it, and variants, as JSON: what POST …/broadcasts takes."
    ),
    click.option(
        "--environment",
        type=click.Choice([each.value for each in Environment]),
        help="Live or test, of all the following.",
    ),
)


def draft_options(command: Any) -> Any:  # noqa: ANN401 (a command in, the same with options out)
    """Decorator: what a new broadcast is made of, every one optional so that an ID may stand in their place."""
    for option in _OPTIONS:
        command = option(command)
    return command


def make_draft(session: Session, zone: ZoneInfo, *, environment: str | None, **options: Any) -> Broadcast:  # noqa: ANN401
    """Of the file and, above it, the other options; raises click.UsageError, FieldError and DraftError."""
    file: BinaryIO | None = options.pop("file")
    needed = {"--environment": environment}
    if file is None:
        needed |= {f"--{name}": options[name] for name in ("name", "segment", "template")}
    if missing := ", ".join(option for option, value in needed.items() if not value):
        raise click.UsageError(f"A new broadcast also needs {missing}.")
    given = _merge(_read(file) if file else {}, _described(options, zone))
    asked = description.read(given)
    return drafts.create(session, str(environment), naming.find(session, str(environment), asked))


def _described(options: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """As a file would say it; nothing of what was not given."""
    template = {"name": options["template"], "language": options["language"]}
    times = {"scheduled_at": options["at"], "not_after": options["until"]}
    zoned = {name: _with_zone(text, name, zone) for name, text in times.items() if text}
    told: dict[str, Any] = {
        "name": options["name"],
        "number": options["number"],
        "topic": options["topic"],
        "segments": list(options["segment"]),
        "minus": list(options["minus"]),
        "template": {name: value for name, value in template.items() if value},
        "slots": dict(_slot(pair) for pair in options["slots"]),
        "schedule": zoned | ({"local_time": options["local_time"]} if options["local_time"] else {}),
        "care": {
            name: options[option]
            for name, option in (("pace_per_s", "pace"), ("canary_percent", "canary"))
            if options[option] is not None
        },
    }
    return {name: value for name, value in told.items() if value}


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Objects member by member."""
    both = {name: value for name, value in over.items() if isinstance(value, dict) and isinstance(base.get(name), dict)}
    return {**base, **over, **{name: {**base[name], **value} for name, value in both.items()}}


def _read(file: BinaryIO) -> dict[str, Any]:
    try:
        given = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"--file is not JSON: {error.msg}.") from None
    if not isinstance(given, dict):
        raise click.UsageError("--file must hold a JSON object, as POST …/broadcasts takes it.")
    return given


def _with_zone(text: str, name: str, zone: ZoneInfo) -> str:
    at = fields.moment(text, f"schedule.{name}")
    return (at.replace(tzinfo=zone) if at.tzinfo is None else at).isoformat()


def _slot(pair: str) -> tuple[str, str]:
    name, sign, words = pair.partition("=")
    if not sign:
        raise click.UsageError(f"--slot must be SLOT=TEXT, such as body.1='<<user.first_name>>', and not {pair!r}.")
    return name.strip(), words
