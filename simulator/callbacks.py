import asyncio
import time
from collections import Counter, deque
from collections.abc import Mapping

from simulator.chats import Chats
from simulator.config import Account, Config
from simulator.dialects.base import Dialect, Surroundings
from simulator.faults import draw
from simulator.posting import Poster, Webhook
from simulator.updates import StatusUpdate, Update


def _floor(moment_ms: float, window_ms: float) -> int:
    return int(moment_ms - moment_ms % window_ms)


class Callbacks:
    """Sends webhooks: what falls due in one window goes out together, unanswered bodies are sent again for a while."""

    def __init__(self, config: Config, chats: Chats, dialects: Mapping[str, Dialect]) -> None:
        self.config = config
        self.dialects = dialects
        self.address = ""  # of this simulator, once it serves
        self.chats = chats
        self._thawed = asyncio.Event()
        self._thawed.set()
        self.counts: Counter[str] = Counter()
        self._due: dict[int, list[Update]] = {}
        self._pending: dict[str, deque[Update]] = {}
        self._active: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticking: asyncio.Task[None] | None = None
        self._posted = 0

    async def start(self) -> None:
        self.poster = Poster()
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        self.forget()
        if self._ticking is not None:
            self._ticking.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.poster.close()

    def forget(self) -> None:
        """Drop all that has not been acknowledged yet."""
        self._due.clear()
        for task in self._tasks:
            task.cancel()
        for pending in self._pending.values():
            pending.clear()
        self.counts.clear()

    def schedule(self, update: Update, delay_ms: float) -> None:
        window = self.config.delivery.window_ms
        now = time.time()
        if isinstance(update, StatusUpdate):
            update.time = now + delay_ms / 1000
        self._due.setdefault(_floor(now * 1000 + delay_ms, window), []).append(update)
        self.counts["scheduled"] += 1

    @property
    def waiting(self) -> int:
        """Updates scheduled or queued, without those in a request right now."""
        return sum(map(len, self._due.values())) + sum(map(len, self._pending.values()))

    @property
    def active(self) -> int:
        return self._active.total()

    @property
    def mean_updates(self) -> float:
        """How many updates a body held; one that is sent again counts once."""
        return round(self.counts["updates"] / max(1, self.counts["bodies"]), 1)

    async def _tick(self) -> None:
        while True:
            window = self.config.delivery.window_ms
            await asyncio.sleep((window - time.time() * 1000 % window) / 1000)
            self._release(_floor(time.time() * 1000, window))

    def _release(self, until: int | None = None) -> None:
        """Hand over every window that began before `until` (in unix milliseconds), or all there are."""
        for window in sorted(self._due):
            if until is not None and window >= until:
                break
            for update in self._due.pop(window):
                self._hand_over(update)
        for waba_id in list(self._pending):
            self._pump(waba_id)

    def _hand_over(self, update: Update) -> None:
        if isinstance(update, StatusUpdate):
            update.time = min(update.time, time.time())
            self.chats.raise_level(update.sent, update.status)
        self._pending.setdefault(update.waba_id, deque()).append(update)

    def _pump(self, waba_id: str) -> None:
        account = self._account(waba_id)
        pending = self._pending.setdefault(waba_id, deque())
        if account is None or not account.callback_url:
            pending.clear()
            return
        dialect, around = self.dialects[account.dialect], self.surroundings()
        most = min(self.config.delivery.max_updates, dialect.most)
        while pending and not self.frozen and self._active[waba_id] < self.config.delivery.concurrency:
            batch = [pending.popleft() for _ in range(min(len(pending), most))]
            webhook = dialect.webhook(account, batch, around)
            if webhook is not None:
                self.send(account, webhook, len(batch))

    def surroundings(self) -> Surroundings:
        numbers = {number.id: number for number in self.config.numbers}
        return Surroundings(numbers, self.config.delivery.spread, self.address)

    def send(self, account: Account, webhook: Webhook, updates: int = 0) -> None:
        """Post in the background, again and again until it is answered; the webhook holds `updates` updates."""
        if account.callback_url:
            self.counts["bodies"] += 1
            self.counts["updates"] += updates
            self._active[account.waba_id] += 1
            task = asyncio.create_task(self._send(account, webhook, updates))
            self._tasks.add(task)
            # Not at the end of the task itself: one that is cancelled early never gets there.
            task.add_done_callback(lambda done: self._finish(done, account.waba_id))

    def _finish(self, task: asyncio.Task[None], waba_id: str) -> None:
        self._tasks.discard(task)
        self._active[waba_id] -= 1
        self._pump(waba_id)

    async def _send(self, account: Account, webhook: Webhook, updates: int) -> None:
        acknowledged = await self._post_until_answered(account, webhook)
        self.counts["acknowledged" if acknowledged else "given_up"] += updates

    async def post(self, account: Account, webhook: Webhook, signed: str | None = None) -> int:
        """One call; the HTTP status, or 0 when there was no answer. `signed` stands in for the proof, "" for none."""
        dialect = self.dialects[account.dialect]
        proof = dialect.seal.proof(account, webhook) if signed is None else signed
        status = await self.poster.post(dialect.seal.put(account, webhook, proof), self.config.delivery.timeout_s)
        self.counts["posts"] += 1
        self.counts["posts_acknowledged"] += dialect.is_taken(status)
        return status

    async def _post_until_answered(self, account: Account, webhook: Webhook) -> bool:
        """Repeat the same bytes until they are taken or the tries are used up; misbehaves as configured."""
        self._posted += 1
        ticket, odds = self._posted, self.config.faults.status
        wanted = [name for name in ("bad_signature", "replay") if self._drawn(name, ticket, odds.get(name, 0))]
        delivery, dialect = self.config.delivery, self.dialects[account.dialect]
        pause = delivery.first_retry_ms / 1000
        for attempt in range(delivery.tries):
            await self._thawed.wait()
            if not attempt and "bad_signature" in wanted:
                await self.post(account, webhook, dialect.seal.proof(account, webhook, "not the secret"))
            status = await self.post(account, webhook)
            if dialect.is_taken(status):
                if "replay" in wanted:
                    await self.post(account, webhook)
                return True
            if dialect.is_refused(status):
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 2, delivery.max_retry_ms / 1000)
        return False

    def _drawn(self, name: str, ticket: int, odd: float) -> bool:
        return odd > 0 and draw(self.config.seed, name, "post", ticket) < odd

    async def drain(self) -> None:
        """Send all that waits at once and return when every body was acknowledged or given up."""
        while self.waiting or self._tasks:
            self._release()
            if self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            elif self.waiting:  # frozen meanwhile
                await asyncio.sleep(self.config.delivery.window_ms / 1000)

    @property
    def frozen(self) -> bool:
        return not self._thawed.is_set()

    def freeze(self) -> None:
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()
        for waba_id in list(self._pending):
            self._pump(waba_id)

    def _account(self, waba_id: str) -> Account | None:
        return next((account for account in self.config.accounts if account.waba_id == waba_id), None)
