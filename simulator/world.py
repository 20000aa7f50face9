import asyncio
import copy
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simulator.callbacks import Callbacks
from simulator.chats import Chats
from simulator.config import Account, Config, Number, Template
from simulator.dialects.base import Dialect
from simulator.ledger import Ledger
from simulator.pace import Pace
from simulator.people import People
from simulator.reading import merge_config
from simulator.slots import Shape

KEPT_REQUESTS = 50_000
WINDOW_S = 24 * 3600


class World:
    """Everything one running simulator knows; the log on the disk is the only part that outlives it."""

    def __init__(self, config: Config, log: Path, dialects: Mapping[str, Dialect]) -> None:
        self.started_with = config
        self.ledger = Ledger(log)
        self.media = log.parent / "media"  # beside the log, so that uploads outlive a restart as well
        self.dialects = dialects
        self.chats = Chats()
        self.callbacks = Callbacks(config, self.chats, dialects)
        self.pace = Pace()
        # So that message ids stay unlike those of an earlier run whose log was thrown away.
        self.epoch = secrets.token_bytes(6)
        self.counts: Counter[str] = Counter()
        self.requests: deque[tuple[float, str, str, str, str]] = deque(maxlen=KEPT_REQUESTS)
        self.reads: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)  # read marks, as they came
        self.people = People()
        self.config = config
        self.close_connections: Callable[[], int] = int  # the server puts its own here
        self.tasks: set[asyncio.Task[Any]] = set()
        self.adopt(copy.deepcopy(config))

    def adopt(self, config: Config) -> None:
        """Take over a configuration: from here on requests are judged by it."""
        self.config = config
        self.callbacks.config = config
        self.accounts: dict[str, Account] = {account.waba_id: account for account in config.accounts}
        self.by_key = {
            (self.dialects[one.dialect].family, self.dialects[one.dialect].key(one)): one for one in config.accounts
        }
        self.numbers: dict[str, Number] = {number.id: number for number in config.numbers}
        self.templates: dict[tuple[str, str, str], tuple[Template, Shape]] = {}
        for template in config.templates:
            self.put_template(template)
        for person in config.people:
            self.people.learn(person)

    def merge(self, document: object) -> None:
        self.adopt(merge_config(self.config, document))

    def put_template(self, template: Template) -> None:
        if not template.id:
            self.counts["templates"] += 1
            template.id = str(10**15 + self.counts["templates"])
        self.templates[template.key] = (template, Shape(template))

    def reset(self, *, log: bool) -> None:
        """Back to the first configuration with nobody written to; `log` also empties the log."""
        self.callbacks.forget()
        self.callbacks.thaw()
        listeners, self.chats = self.chats.listeners, Chats()
        self.chats.listeners = listeners  # open pages stay connected
        self.callbacks.chats = self.chats
        self.pace = Pace()
        self.people = People()
        self.counts.clear()
        self.requests.clear()
        self.reads.clear()
        if log:
            self.ledger.clear()
        self.adopt(copy.deepcopy(self.started_with))

    def dialect_of(self, waba_id: str) -> Dialect:
        return self.dialects[self.accounts[waba_id].dialect]

    def new_inbound_id(self, waba_id: str, address: str) -> str:
        self.counts["inbound"] += 1
        return self.dialect_of(waba_id).new_id(self.epoch, address, (1 << 47) + self.counts["inbound"])

    def is_open(self, number_id: str, last_inbound: dict[str, float]) -> bool:
        """Whether the person wrote to this number within the last 24 hours."""
        return time.time() - last_inbound.get(number_id, 0.0) < WINDOW_S

    def as_document(self) -> dict[str, Any]:
        """The configuration as JSON, with everything that changed since the start."""
        return asdict(self.config)
