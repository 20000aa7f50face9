"""What a reader of figures should know of their days: which are not over, and which nothing was counted on."""

from collections.abc import Iterator
from datetime import date

from bot.dashboard.insights import wording
from bot.insights.blocks.shapes import Unit
from bot.insights.choosing import Choice
from bot.language import _


def remarks(choice: Choice, today: date, first: date | None = None) -> Iterator[str]:
    """`first` is the day of the first message; None where there is none, or nothing to say of it."""
    period, then = choice.period, choice.compared
    if period.first > today:
        yield _("These days are still to come.")
    elif period.last > today:
        yield _("Some of these days are still to come, and today is not over.")
    elif period.last == today and (then is None or then.last >= today):
        yield _("Today is not over and counts as far as it has come.")
    elif period.last == today:
        yield _("Today is not over and counts as far as it has come; the days it is compared with are whole.")
    if then is not None and then.last >= today:
        yield _("The days this is compared with are not all over.")
    if first is None:
        return
    day = wording.say(first, Unit.DAY)
    if period.last < first:
        yield _("The first message is of %(day)s: nothing was counted before it.", day=day)
    elif then is not None and then.last < first:
        yield _("The first message is of %(day)s, after the days this is compared with.", day=day)
    elif then is not None and then.first < first:
        yield _("The first message is of %(day)s: some of the days this is compared with lie before it.", day=day)
