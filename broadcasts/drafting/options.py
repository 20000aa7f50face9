"""The options from which `broadcast create` and `broadcast launch` make a draft."""

from typing import Any

import rich_click as click
from sqlalchemy.orm import Session

from bot.connections import numbers
from bot.models.broadcast import Broadcast
from bot.models.words import Environment
from bot.people import topics
from broadcasts.drafting import drafts
from broadcasts.drafting.drafts import Wanted
from broadcasts.segments import segments
from broadcasts.templates import templates


def draft_options(command: Any) -> Any:  # noqa: ANN401 (a command in, the same with options out)
    """Decorator: what a new broadcast is made of, every one optional so that an ID may stand in their place."""
    for option in (
        click.option("--slot", "slots", multiple=True, metavar="SLOT=TEXT", help="body.1='<<user.first_name>>', …"),
        click.option("--number", help="Our phone number (or its id), if there are several."),
        click.option("--language", help="The template's language, if it is there in several."),
        click.option("--template", help="The name of the template."),
        click.option("--topic", help="What it is about: whoever does not want to hear of it is left out."),
        click.option("--segment", help="The name of the segment it goes to."),
        click.option("--name", help="How people will recognise it."),
        click.option(
            "--environment",
            type=click.Choice([each.value for each in Environment]),
            help="Live or test, of all the following.",
        ),
    ):
        command = option(command)
    return command


def make_draft(  # noqa: PLR0913 (an argument for each option)
    session: Session,
    *,
    environment: str | None,
    name: str | None,
    segment: str | None,
    template: str | None,
    language: str | None,
    number: str | None,
    topic: str | None,
    slots: tuple[str, ...],
) -> Broadcast:
    """Raises click.UsageError for what was left out, and the refusals of whatever it is made of."""
    needed = {"--environment": environment, "--name": name, "--segment": segment, "--template": template}
    if not (environment and name and segment and template):
        missing = ", ".join(option for option, value in needed.items() if not value)
        raise click.UsageError(f"A new broadcast also needs {missing}.")
    ours = numbers.choose(session, environment, number)
    wanted = Wanted(
        name=name,
        number_id=ours.id,
        template_id=templates.named(session, ours.connection_id, template, language).id,
        segment_ids=[segments.named(session, environment, segment).id],
        slots=dict(_slot(pair) for pair in slots),
        topic_id=topics.named(session, environment, topic).id if topic else None,
    )
    return drafts.create(session, environment, wanted)


def _slot(pair: str) -> tuple[str, str]:
    name, sign, words = pair.partition("=")
    if not sign:
        raise click.UsageError(f"--slot must be SLOT=TEXT, such as body.1='<<user.first_name>>', and not {pair!r}.")
    return name.strip(), words
