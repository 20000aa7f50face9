import time
from collections import deque
from typing import Any

from simulator.config import Number
from simulator.graph import GraphError
from simulator.people import Contact

PAIR_BURST = 45
KEPT_VIOLATIONS = 1_000
TOLERANCE = 1.05  # a sender that keeps exactly to its pace may be a little early at the edge of a second


class Pace:
    """Watches the limits per number and per pair of number and person (Cloud API overview, "Throughput")."""

    def __init__(self) -> None:
        self.violations: deque[dict[str, Any]] = deque(maxlen=KEPT_VIOLATIONS)
        self._recent: dict[str, deque[float]] = {}
        self._pairs: dict[tuple[str, str], float] = {}

    def check(self, number: Number, contact: Contact, pair_s: float) -> None:
        """Count one accepted send; raises GraphError 130429 or 131056 where the number enforces its limits."""
        now = time.monotonic()
        if number.pace_per_s:
            self._check_number(number, now)
        if number.pair_limit:
            self._check_pair(number, contact, now, pair_s)

    def _check_number(self, number: Number, now: float) -> None:
        recent = self._recent.setdefault(number.id, deque())
        recent.append(now)
        while recent[0] <= now - 1:
            recent.popleft()
        if len(recent) <= max(number.pace_per_s * TOLERANCE, number.pace_per_s + 1):
            return
        self._report("pace", number, len(recent))
        if number.enforce_pace:
            recent.pop()
            raise GraphError(130429, "Cloud API message throughput has been reached.")

    def _check_pair(self, number: Number, contact: Contact, now: float, pair_s: float) -> None:
        """Each send costs `pair_s`; up to 45 may be borrowed."""
        pair = (number.id, contact.address)
        free_at = max(self._pairs.get(pair, 0.0), now)
        if free_at - now > PAIR_BURST * pair_s:
            self._report("pair", number, round((free_at - now) / pair_s))
            raise GraphError(131056, "Too many messages sent to the same person from this number in a short time.")
        self._pairs[pair] = free_at + pair_s

    def _report(self, kind: str, number: Number, observed: int) -> None:
        """One line per kind, number and second, with the worst that was seen in it."""
        second = int(time.time())
        last = self.violations[-1] if self.violations else None
        if last and (last["kind"], last["number_id"], last["time"]) == (kind, number.id, second):
            last["observed"] = max(last["observed"], observed)
            last["requests"] += 1
            return
        limit = number.pace_per_s if kind == "pace" else PAIR_BURST
        self.violations.append(
            {"kind": kind, "number_id": number.id, "time": second, "limit": limit, "observed": observed, "requests": 1}
        )
