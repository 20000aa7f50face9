import rich_click as click

from bot.commands import console
from bot.insights import rebuilding


@click.group("insights", panel=console.RUN)
def insights() -> None:
    """The figures of Insights: rebuild, or check, them from zero."""


@insights.command("rebuild")
@click.option("--check", "only_check", is_flag=True, help="Only compare; leave what is there in place.")
@console.json_option
def rebuild(*, only_check: bool, as_json: bool) -> None:
    """Count all messages anew beside what was counted, tell each difference, and put the new in its place.

    Safe while messages come and go. With --check and a difference the exit code is 1.
    """
    rebuilt = rebuilding.rebuild(console.the_runtime(), only_check=only_check)
    found = rebuilt.differences
    told = {"compared": found is not None, "differences": list(found or ())}
    if as_json:
        console.show(told, as_json)
    else:
        for line in found or ():
            click.echo(line)
        click.echo(_verdict(rebuilt))
    if only_check and found:
        raise SystemExit(1)


def _verdict(rebuilt: rebuilding.Rebuilt) -> str:
    if rebuilt.differences is None:
        return "There was nothing to compare with: no counting of this time zone was complete."
    return f"{len(rebuilt.differences)} differences." if rebuilt.differences else "No difference."


COMMANDS: tuple[click.Command, ...] = (insights,)
