"""What the clock does for goals: days that are to be cut anew, and the looks back that are to be gone on with."""

import time
from typing import Final

from bot.goals import looking_back, zones
from bot.runtime import Runtime

LOOK_S: Final = 0.5
"""Of one sweep: reminders wait for it."""


def sweep(rt: Runtime) -> None:
    """Portion by portion, each in a transaction of its own."""
    zone = rt.settings.time_zone
    deadline = time.monotonic() + LOOK_S
    while time.monotonic() < deadline:
        with rt.transaction() as session:
            if (moved := zones.behind(session, zone)) is not None:
                zones.cut(session, moved, zone)
                continue
            behaviour = looking_back.unlooked(session)
            if behaviour is None or not looking_back.look(session, behaviour):
                return
