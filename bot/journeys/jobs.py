"""The clock's share of journeys: reminders whose time has come."""

from bot.journeys import reminders
from bot.runtime import Runtime


def fire_reminders(rt: Runtime) -> None:
    """Any number of clocks may do this at once: a reminder is fired by whoever locks its row."""
    while _fire_some(rt):
        rt.ring("send")


def _fire_some(rt: Runtime) -> int:
    with rt.transaction() as session:
        return reminders.fire_due(session)
