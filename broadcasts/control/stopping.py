"""Pause and cancel as people mean them: when the call returns nothing more is on its way, and the numbers are final."""

import time

from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.control import lifecycle
from broadcasts.results import ledger
from broadcasts.results.ledger import Counts
from broadcasts.transitions import Actor

DRAIN_S = 15.0
_LOOK_AGAIN_S = 0.1


def pause(rt: Runtime, broadcast_id: int, actor: Actor, why: str | None = None) -> Counts:
    """Raises lifecycle.BroadcastError; `in_flight` of the answer is 0 unless the provider took more than 15 s."""
    with rt.transaction() as session:
        lifecycle.pause(session, broadcast_id, actor, why)
    return wait_drained(rt, broadcast_id)


def cancel(rt: Runtime, broadcast_id: int, actor: Actor, why: str | None = None) -> Counts:
    """Raises lifecycle.BroadcastError; whoever still waited is cancelled when this returns."""
    with rt.transaction() as session:
        lifecycle.cancel(session, broadcast_id, actor, why)
    jobs.cancel_waiting(rt, broadcast_id, time.monotonic() + DRAIN_S)
    found = wait_drained(rt, broadcast_id)
    rt.ring("bulk")
    return found


def wait_drained(rt: Runtime, broadcast_id: int) -> Counts:
    """Wait until no message of the broadcast is in a sender's hands, at most DRAIN_S seconds; then count."""
    until = time.monotonic() + DRAIN_S
    while True:
        with rt.transaction() as session:
            found = ledger.counts(session, broadcast_id)
        if found.in_flight == 0 or time.monotonic() > until:
            return found
        time.sleep(_LOOK_AGAIN_S)
