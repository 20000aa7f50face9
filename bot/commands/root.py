"""`backchat`: every command under its heading."""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module

import rich_click as click

from bot.commands import console

MODULES: Mapping[str, Sequence[str]] = {
    "bigquery": ("bot.commands.bigquery",),
    "connection": ("bot.commands.connection",),
    "conversation": ("bot.commands.conversation",),
    "export": ("bot.commands.export",),
    "goal": ("bot.commands.goal",),
    "insights": ("bot.commands.insights",),
    "journey": ("bot.commands.journey",),
    "log": ("bot.commands.log",),
    "number": ("bot.commands.number",),
    "operator": ("bot.commands.operator",),
    "people": ("bot.commands.people",),
    "person": ("bot.commands.person", "bot.commands.erasure", "bot.commands.person_why"),
    "property": ("bot.commands.people",),
    "reminder": ("bot.commands.reminder",),
    "token": ("bot.commands.token",),
    "topic": ("bot.commands.topic",),
}
"""Command → the modules that make it; the first of them has it among its COMMANDS."""


class Late(click.RichGroup):
    """Imports a command when it is asked for: a worker needs none of the others."""

    modules: Mapping[str, Sequence[str]]

    def list_commands(self, ctx: click.Context) -> list[str]:
        for name in self.modules:
            self._load(name)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._load(cmd_name)
        return super().get_command(ctx, cmd_name)

    def _load(self, name: str) -> None:
        if name in self.modules and name not in self.commands:
            first, *_ = [import_module(module) for module in self.modules[name]]
            self.add_command(next(command for command in first.COMMANDS if command.name == name))


def make_cli(own: Iterable[click.Command] = (), others: Mapping[str, Sequence[str]] | None = None) -> click.RichGroup:
    """The command `backchat` with `own` commands, those of this package and `others`, which name modules as MODULES."""
    headings = [click.RichCommandPanel(name) for name in console.PANELS]

    @click.group("backchat", cls=Late, panels=headings, context_settings={"help_option_names": ["-h", "--help"]})
    @click.rich_config(help_config=console.STYLE)
    @click.version_option(package_name="backchat", message="%(version)s")
    def cli() -> None:
        """Run Backchat and do from a terminal what its pages do.

        Every command explains itself: backchat COMMAND --help
        """

    cli.modules = {**MODULES, **(others or {})}
    for command in own:
        cli.add_command(command)
    return cli
