"""A sender whose every step is taken when a test says so, and a provider that is a list in memory."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from bot.messages import callback, consequences, filling, outbox
from bot.messages.claims import Claimed, Looked
from bot.messages.consequences import Settled
from bot.providers.base import Action, Outcome

LEASE_S = 60.0

REFUSALS = {
    "for now": Outcome(Action.RETRY, code=2),
    "nobody there": Outcome(Action.UNREACHABLE, text="cannot connect to the provider"),
    "too fast": Outcome(Action.THROTTLE, code=130429),
    "too often to one": Outcome(Action.PAIR, code=131056),
    "for good": Outcome(Action.FAIL, code=131026),
    "wants no marketing": Outcome(Action.OPTED_OUT, code=131050),
    "template broken": Outcome(Action.STOP_BROADCAST, code=132015, text="paused"),
    "number broken": Outcome(Action.STOP_NUMBER, code=190, text="revoked"),
    "lost before": Outcome(Action.UNKNOWN, text="no readable answer"),
}
"""What the provider may do other than accept; the last one refuses nothing, it is silent."""
ACCEPTANCES = ("accepts", "lost after")

OnWire = tuple[Claimed, int]
"""A row, and how often it had been released from doubt when it was marked."""


@dataclass
class Provider:
    """`accepted` counts by message and releases, `asked` by message and attempt; `letters` are its own ids in order."""

    accepted: Counter[tuple[int, int]] = field(default_factory=Counter)
    asked: Counter[tuple[int, int]] = field(default_factory=Counter)
    letters: list[tuple[str, str]] = field(default_factory=list)
    """(its id, our mark) of everything it took."""

    def take(self, leaving: OnWire, how: str) -> Outcome:
        row, releases = leaving
        self.asked[row.id, row.attempt] += 1
        if how not in ACCEPTANCES:
            return REFUSALS[how]
        self.accepted[row.id, releases] += 1
        self.letters.append((f"wamid.{len(self.letters)}", callback.token(row.id, row.attempt)))
        return Outcome(Action.ACCEPTED, self.letters[-1][0]) if how == "accepts" else REFUSALS["lost before"]


@dataclass
class Courier:
    """One sender's memory, which a crash empties; `name` is its owner's mark."""

    name: str
    looked: Looked = field(default_factory=Looked)
    plans: filling.Plans = field(default_factory=dict)
    held: list[Claimed] = field(default_factory=list)
    wired: list[OnWire] = field(default_factory=list)
    answered: list[Settled] = field(default_factory=list)

    def look(self, session: Session, number_id: int, want: int) -> None:
        claimed = outbox.claim(session, number_id, self.name, want, LEASE_S, looked=self.looked)
        self.held += filling.fill(session, claimed, self.plans)

    def mark(self, session: Session, count: int, releases: Callable[[int], int]) -> list[Claimed]:
        batch, self.held = self.held[:count], self.held[count:]
        won = outbox.to_wire(session, self.name, batch, LEASE_S)
        self.wired += [(row, releases(row.id)) for row in won]
        return won

    def send(self, provider: Provider, at: int, how: str) -> None:
        leaving = self.wired.pop(at % len(self.wired))
        self.answered.append(Settled(leaving[0], provider.take(leaving, how)))

    def hold_back(self, at: int) -> None:
        """Slept between the mark and the write: the deadline lets nothing leave."""
        row, _ = self.wired.pop(at % len(self.wired))
        self.answered.append(Settled(row, REFUSALS["nobody there"]))

    def record(self, session: Session, number_id: int) -> None:
        outbox.record(session, self.name, [consequences.result_of(one) for one in self.answered])
        consequences.follow(session, number_id, self.answered)
        self.answered.clear()

    def give_back(self, session: Session) -> None:
        outbox.release(session, self.name, self.held)
        self.held.clear()
