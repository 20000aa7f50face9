import asyncio
import hashlib
import hmac
import time
from collections import Counter, deque
from typing import Any

import aiohttp

from simulator.chats import Chats
from simulator.config import Account, Config
from simulator.faults import draw
from simulator.updates import StatusUpdate, Update, encode, envelope

JSON = "application/json"


def signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Callbacks:
    """Sends webhooks: what falls due in one window goes out together, unanswered bodies are sent again for a while."""

    def __init__(self, config: Config, chats: Chats) -> None:
        self.config = config
        self.chats = chats
        self._thawed = asyncio.Event()
        self._thawed.set()
        self.counts: Counter[str] = Counter()
        self._due: dict[int, list[Update]] = {}
        self._pending: dict[str, deque[Update]] = {}
        self._active: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._idle = asyncio.Event()
        self._posted = 0
        self._client: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._keep(self._tick())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    def forget(self) -> None:
        """Drop all that has not left yet."""
        self._due.clear()
        self._pending.clear()
        self.counts.clear()

    def schedule(self, update: Update, delay_ms: float) -> None:
        window = self.config.delivery.window_ms
        now = time.time()
        if isinstance(update, StatusUpdate):
            update.time = now + delay_ms / 1000
        self._due.setdefault(int((now * 1000 + delay_ms) / window), []).append(update)
        self.counts["scheduled"] += 1

    @property
    def waiting(self) -> int:
        """Updates scheduled or queued, without those in a request right now."""
        return sum(map(len, self._due.values())) + sum(map(len, self._pending.values()))

    @property
    def active(self) -> int:
        return self._active.total()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self.config.delivery.window_ms / 1000)
            self._release(int(time.time() * 1000 / self.config.delivery.window_ms))

    def _release(self, until: int | None = None) -> None:
        """Hand over every window before `until`, or all there are."""
        if self.frozen:
            return
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
        pending = self._pending[waba_id]
        if account is None or not account.callback_url:
            self.counts["without_callback"] += len(pending)
            pending.clear()
            return
        delivery = self.config.delivery
        while pending and not self.frozen and self._active[waba_id] < delivery.concurrency:
            batch = [pending.popleft() for _ in range(min(len(pending), delivery.max_updates))]
            self._active[waba_id] += 1
            self._keep(self._deliver(account, batch))

    async def _deliver(self, account: Account, batch: list[Update]) -> None:
        try:
            body = encode(envelope(batch, {n.id: n for n in self.config.numbers}, self.config.delivery.spread))
            acknowledged = await self.post_until_answered(account, body)
            self.counts["acknowledged" if acknowledged else "given_up"] += len(batch)
        finally:
            self._active[account.waba_id] -= 1
            self._pump(account.waba_id)
            if not self.waiting and not self.active:
                self._idle.set()

    async def post_until_answered(self, account: Account, body: bytes) -> bool:
        """Repeat the same bytes until a 200 or the configured number of tries; misbehaves as configured."""
        self._posted += 1
        ticket, odds = self._posted, self.config.faults.status
        wanted = [name for name in ("bad_signature", "replay") if self._drawn(name, ticket, odds.get(name, 0))]
        if "bad_signature" in wanted:
            await self.post(account, body, signature("not the " + account.app_secret, body))
        delivery = self.config.delivery
        pause = delivery.first_retry_ms / 1000
        for _ in range(delivery.tries):
            await self._thawed.wait()
            if await self.post(account, body) == 200:
                if "replay" in wanted:
                    await self.post(account, body)
                return True
            await asyncio.sleep(pause)
            pause = min(pause * 2, delivery.max_retry_ms / 1000)
        return False

    def retry(self, account: Account, body: bytes) -> None:
        """Send a body that was not taken again in the background."""
        self._keep(self.post_until_answered(account, body))

    def _drawn(self, name: str, ticket: int, odd: float) -> bool:
        return odd > 0 and draw(self.config.seed, name, "post", ticket) < odd

    async def post(self, account: Account, body: bytes, signed: str | None = None) -> int:
        """One POST to the callback; the HTTP status, or 0 when there was no answer. A `signed` of "" sends none."""
        if self._client is None:
            raise RuntimeError("the callbacks were not started")
        headers = {"Content-Type": JSON, "User-Agent": "facebookexternalua"}
        header = signature(account.app_secret, body) if signed is None else signed
        if header:
            headers["X-Hub-Signature-256"] = header
        self.counts["posts"] += 1
        timeout = aiohttp.ClientTimeout(total=self.config.delivery.timeout_s)
        try:
            async with self._client.post(
                account.callback_url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = 0
        self.counts["posts_acknowledged"] += status == 200
        return status

    async def get(self, url: str, query: dict[str, str]) -> tuple[int, str]:
        """The handshake's GET: status and body, or 0 and the reason there was no answer."""
        if self._client is None:
            raise RuntimeError("the callbacks were not started")
        try:
            async with self._client.get(url, params=query, timeout=aiohttp.ClientTimeout(total=10)) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return 0, str(error) or type(error).__name__

    async def drain(self) -> None:
        """Send all that waits at once and return when every body was acknowledged or given up."""
        while self.waiting or self.active:
            self._idle.clear()
            self._release()
            if self.waiting or self.active:
                await self._idle.wait()

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

    def _keep(self, work: Any) -> None:  # noqa: ANN401 - any coroutine
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
