"""Sends what one number has due: at most `send_window` messages on the wire, which is also how many a crash can doubt.

A round is one transaction that writes down what came back and marks what leaves next; docs/sending.md has the proof.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot import failpoints
from bot.messages import callback, filling, outbox, wire
from bot.messages.answers import AWAY, Answers, nothing
from bot.messages.calls import Caller
from bot.messages.claims import Claimed, Looked
from bot.messages.consequences import Settled
from bot.messages.pacing import Bucket
from bot.providers.base import Account, Action, OutboundMessage, Outcome, Provider
from bot.runtime import Runtime

log = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")

_GATHER_S = 0.008
"""After an answer, this long for its neighbours, so that they share a transaction."""
_REST_S = 1.0
"""After the provider did not take a connection, or while the database is away."""
_LOOK_FOR_REPLIES_S = 0.25
"""However many rows of broadcasts are in hand, and however slowly they leave, replies are found after so long."""
_PACED_S = 0.1
"""Where nothing is held back but by a broadcast's own pace, so long until the next look."""
_PERSIST_S = 10.0
"""When the time is up, for so long what came back is offered to a database that is away."""


@dataclass(frozen=True, slots=True)
class Line:
    """A business number as the sender sees it."""

    number_id: int
    provider_number_id: str
    provider: Provider
    account: Account
    rate: int


class NumberSender:
    """One number's share of one pump."""

    def __init__(self, rt: Runtime, caller: Caller, line: Line, owner: str) -> None:
        self._rt, self._caller, self._line, self._owner = rt, caller, line, owner
        self._window = rt.settings.send_window
        self._lease_s = float(rt.settings.send_lease_s)
        self._bucket = Bucket(rt.redis, line.number_id, line.rate)
        self._most = min(4 * self._window, max(1, line.rate))
        """Rows in hand: about one second's worth, so that a reply never waits behind many of broadcasts."""
        self._held: deque[Claimed] = deque()
        self._claiming: asyncio.Task[list[Claimed]] | None = None
        self._claims_below = 1
        """Rows in hand; a window while claims come back full, so that the next is there before the wire is idle."""
        self._look_at = 0.0
        self._looked = Looked(self._permit)
        self._paces: dict[int, Bucket] = {}
        """Of broadcasts with a pace of their own."""
        self._is_too_fast = False
        self._flying: set[asyncio.Task[Settled]] = set()
        self._answers = Answers(rt, line.number_id, owner)
        self._plans: filling.Plans = {}
        self._rest_until = 0.0
        self._database_rests_until = 0.0

    async def run(self, is_over: Callable[[], bool]) -> None:
        """Until nothing is due, or `is_over`; leaves no claimed row and no unanswered request behind."""
        try:
            while not is_over():
                await self._restock()
                if not (self._held or self._flying or self._answers.waiting or self._looked.is_held_back):
                    break
                await self._launch()
                await self._gather()
        finally:
            await self._finish()

    async def _restock(self) -> None:
        """Claim while less than a window is in hand; rows on the wire do not wait for it, nor it for them."""
        is_idle = not (self._held or self._flying)
        if is_idle:
            await self._record()  # what somebody was sent before no longer holds up what comes next
        if self._claiming is None and (len(self._held) < self._claims_below or self._might_hold_up_a_reply()):
            self._claiming = asyncio.create_task(self._at_database(self._claim, self._most - len(self._held)))
        if self._claiming and (is_idle or self._claiming.done()):
            claiming, self._claiming = self._claiming, None
            self._hold(await claiming)
            failpoints.hit("FP2")

    def _might_hold_up_a_reply(self) -> bool:
        """Whether what is in hand takes longer to leave than a reply should wait, and nobody has looked for as long."""
        is_slow = len(self._held) > _LOOK_FOR_REPLIES_S * self._bucket.rate_now
        return is_slow and time.monotonic() > self._look_at

    def _hold(self, rows: Sequence[Claimed]) -> None:
        """Replies before what is in hand already; a row of a broadcast may be in hand since an earlier look."""
        mine = {row.id for row in self._held}
        self._held.extendleft(row for row in reversed(rows) if row.broadcast_id is None)
        self._held.extend(row for row in rows if row.broadcast_id is not None and row.id not in mine)

    async def _launch(self) -> None:
        """Record what came back and let the next rows leave, as far as window and pace allow."""
        free = min(self._window - len(self._flying), len(self._held))
        if not free or time.monotonic() < self._rest_until:
            await self._record()
            return
        marked_at = time.monotonic()
        leaving = await self._at_database(self._mark, free)
        failpoints.hit("FP3")
        for row in leaving:
            self._flying.add(asyncio.create_task(self._send(row, marked_at)))

    async def _send(self, row: Claimed, marked_at: float) -> Settled:
        message = OutboundMessage(
            to=row.to_address, content=dict(row.content or {}), callback=callback.token(row.id, row.attempt)
        )
        line = self._line
        try:
            outcome = await wire.deliver(
                self._caller, line.provider, line.account, line.provider_number_id, message, marked_at
            )
        except Exception as error:  # an error nobody foresaw proves nothing about what left: the row is in doubt
            log.exception("send.unforeseen", message=row.id)
            outcome = Outcome(Action.UNKNOWN, text=f"unforeseen {type(error).__name__}")
        return Settled(row, outcome)

    async def _gather(self) -> None:
        if not self._flying:
            await asyncio.sleep(_PACED_S if not self._held else min(1.0, max(0.01, 1 / self._line.rate)))
            return
        awaited = self._flying | ({self._claiming} if self._claiming and not self._held else set())
        await asyncio.wait(awaited, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(_GATHER_S)
        self._collect()

    def _collect(self) -> None:
        done = {task for task in self._flying if task.done()}
        self._flying -= done
        settled = [task.result() for task in done]
        self._answers.waiting += settled
        actions = {one.outcome.action for one in settled}
        self._is_too_fast |= Action.THROTTLE in actions
        if Action.UNREACHABLE in actions:
            self._rest_until = time.monotonic() + _REST_S

    async def _finish(self) -> None:
        if self._flying:
            await asyncio.wait(self._flying)
            self._collect()
        end = time.monotonic() + _PERSIST_S
        await self._record()
        while self._answers.waiting and time.monotonic() < end:
            await self._record()
        try:
            if self._claiming:
                self._hold(await self._claiming)
        finally:
            if self._held:
                await self._at_database(self._in_database, self._release)

    async def _record(self) -> None:
        if self._answers.waiting:
            await self._at_database(self._in_database, nothing)
            failpoints.hit("FP8")

    async def _at_database(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """In a thread; after trouble with the database this number rests, and holds up no thread meanwhile."""
        done = await asyncio.to_thread(work, *given, **named)
        await asyncio.sleep(max(0.0, self._database_rests_until - time.monotonic()))
        return done

    def _claim(self, want: int) -> list[Claimed]:
        """In a transaction of its own, for it need not be durable, and what came back must be."""
        self._look_at = time.monotonic() + _LOOK_FOR_REPLIES_S
        try:
            with self._rt.transaction() as session:
                claimed = outbox.claim(
                    session,
                    self._line.number_id,
                    self._owner,
                    want,
                    self._lease_s,
                    replies=self._window,
                    looked=self._looked,
                )
                filled = filling.fill(session, claimed, self._plans)
                failpoints.hit("FP1")
        except (*AWAY, DBAPIError) as error:
            self._rest(error)
            return []
        self._claims_below = self._window if len(claimed) >= want else 1
        return filled

    def _permit(self, broadcast_id: int, pace: int, want: int) -> int:
        """Of a broadcast with a pace of its own: what that lets through now."""
        bucket = self._paces.setdefault(broadcast_id, Bucket(self._rt.redis, f"b{broadcast_id}", pace))
        bucket.rate = pace
        return bucket.take(want)

    def _mark(self, free: int) -> list[Claimed]:
        """The rows that may leave now."""
        if self._is_too_fast:
            self._is_too_fast = False
            if not self._bucket.slow():
                self._rest_until = time.monotonic() + _REST_S
        batch = [self._held.popleft() for _ in range(self._bucket.take(free))]
        if not (batch or self._answers.waiting):
            return []
        return self._in_database(lambda session: self._to_wire(session, batch), batch) or []

    def _to_wire(self, session: Session, batch: list[Claimed]) -> list[Claimed]:
        return outbox.to_wire(session, self._owner, batch, self._lease_s)

    def _release(self, session: Session) -> None:
        outbox.release(session, self._owner, self._held)

    def _in_database(self, work: Callable[[Session], T], batch: Sequence[Claimed] = ()) -> T | None:
        """`work` in a transaction that first writes down what came back; None if the database would not have it.

        What came back stays in hand until it is committed, and so does the `batch` while the database is away: should
        its mark be durable after all, the fence lets none of it leave. Other lost rows are swept when their lease ends.
        """
        try:
            return self._answers.commit(work)
        except (*AWAY, DBAPIError) as error:
            if isinstance(error, AWAY):
                self._held.extendleft(reversed(batch))
            self._rest(error)
            return None

    def _rest(self, error: Exception) -> None:
        cause = getattr(error, "orig", None) or error
        log.warning("send.database", number=self._line.number_id, error=type(cause).__name__)
        self._database_rests_until = time.monotonic() + _REST_S
