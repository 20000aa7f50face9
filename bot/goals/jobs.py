"""What the clock does for goals: the looks back that are to be gone on with."""

import time
from typing import Final

from bot.goals import looking_back
from bot.runtime import Runtime

LOOK_S: Final = 0.5
"""Of one sweep: reminders wait for it."""


def sweep(rt: Runtime) -> None:
    """Portion by portion, each in a transaction of its own."""
    deadline = time.monotonic() + LOOK_S
    while time.monotonic() < deadline:
        with rt.transaction() as session:
            behaviour = looking_back.unlooked(session)
            if behaviour is None or not looking_back.look(session, behaviour):
                return
