"""`backchat`: every command under its heading."""

from collections.abc import Iterable

import rich_click as click

from bot.commands import (
    connection,
    console,
    conversation,
    journey,
    log,
    number,
    operator,
    people,
    person,
    reminder,
    token,
    topic,
)
from bot.commands import erasure as erasure  # adds to `person`
from bot.commands import person_why as person_why  # so does this

COMMANDS: tuple[click.Command, ...] = (
    *connection.COMMANDS,
    *number.COMMANDS,
    *operator.COMMANDS,
    *token.COMMANDS,
    *conversation.COMMANDS,
    *journey.COMMANDS,
    *reminder.COMMANDS,
    *log.COMMANDS,
    *people.COMMANDS,
    *person.COMMANDS,
    *topic.COMMANDS,
)


def make_cli(others: Iterable[click.Command] = ()) -> click.RichGroup:
    """The command `backchat` with the commands of this package and those of others."""
    headings = [click.RichCommandPanel(name) for name in console.PANELS]

    @click.group("backchat", panels=headings, context_settings={"help_option_names": ["-h", "--help"]})
    @click.rich_config(help_config=console.STYLE)
    @click.version_option(package_name="backchat", message="%(version)s")
    def cli() -> None:
        """Run Backchat and do from a terminal what its pages do.

        Every command explains itself: backchat COMMAND --help
        """

    for command in (*others, *COMMANDS):
        cli.add_command(command)
    return cli
