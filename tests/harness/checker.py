"""The judge of every story and every fault: the simulator's log against our rows, and rows against their sums."""

import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.words import BroadcastState
from broadcasts.results import ledger
from broadcasts.results.ledger import Counts
from tests.harness.simulator import message_of

SETTLED = frozenset({"failed", "suppressed", "cancelled", "unknown", "presumed_unsent"})
"""States in which a recipient may be absent from the log without having been missed."""


@dataclass(frozen=True)
class Verdict:
    """Message ids by what is wrong with them; `doubt` are those we cannot tell about, which may be right."""

    duplicated: frozenset[int]
    unexpected: tuple[Any, ...]
    lost: frozenset[int]
    missed: frozenset[int]
    forgotten: frozenset[int]
    doubt: frozenset[int]
    doubt_in_log: frozenset[int]

    @property
    def is_green(self) -> bool:
        return not (self.duplicated or self.unexpected or self.lost or self.missed or self.forgotten)


def judge(engine: Engine, log: Sequence[Mapping[str, Any]], audience: Iterable[int] = ()) -> Verdict:
    """Compare after everything came to rest; `audience` are the persons who must each have a row of their own.

    duplicated: accepted twice, as one row or as two rows of one broadcast to one number. unexpected: accepted, but no
    row of ours. lost: we believe it was accepted, the provider never did. missed: neither accepted nor in a state that
    explains it. forgotten: persons of the audience without a row.
    """
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT id, state, person_id, broadcast_id, to_address, possible_duplicate"
                " FROM message WHERE direction = 'out'"
            )
        ).all()
    known = {row.id: row for row in rows}
    marks = [message_of(entry) for entry in log]
    acked = Counter(mark for mark in marks if mark is not None and mark in known)
    return Verdict(
        duplicated=frozenset(id_ for id_, n in acked.items() if n > 1 and not known[id_].possible_duplicate)
        | _reached_twice(known, acked),
        unexpected=tuple(entry for entry, mark in zip(log, marks, strict=True) if mark not in known),
        lost=frozenset(row.id for row in rows if row.state == "accepted" and row.id not in acked),
        missed=frozenset(row.id for row in rows if row.id not in acked and row.state not in SETTLED | {"accepted"}),
        forgotten=frozenset(audience) - {row.person_id for row in rows},
        doubt=frozenset(row.id for row in rows if row.state == "unknown"),
        doubt_in_log=frozenset(row.id for row in rows if row.state == "unknown" and row.id in acked),
    )


def _reached_twice(known: Mapping[int, Any], acked: Mapping[int, int]) -> frozenset[int]:
    first: dict[tuple[int, str], int] = {}
    twice = set()
    for id_ in acked:
        row = known[id_]
        if row.broadcast_id is None or row.possible_duplicate:
            continue
        if first.setdefault((row.broadcast_id, row.to_address), id_) != id_:
            twice.add(id_)
    return frozenset(twice)


_LEVELS = text("SELECT id, delivery_level FROM message WHERE direction = 'out' AND delivery_level > 0")

# A test that makes thousands of people thinks long between two statements; it is no process of ours.
_IDLE = text("""
    SELECT application_name FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'backchat-%' AND application_name <> 'backchat-tests'
       AND state = 'idle in transaction' AND now() - state_change > interval '1 second'
""")


@dataclass
class Watch:
    """Looks at the invariants every `every_s` while something is going on, and remembers what it saw broken."""

    engine: Engine
    every_s: float = 1.0
    looks: int = 0
    violations: list[str] = field(default_factory=list)
    _audiences: dict[int, int] = field(default_factory=dict)
    _levels: dict[int, int] = field(default_factory=dict)

    def look(self) -> None:
        with self.engine.connect() as connection:
            for id_, level in connection.execute(_LEVELS):
                if level < self._levels.get(id_, 0):
                    self.violations.append(f"I6: delivery of message {id_} fell to {level}")
                self._levels[id_] = level
            self.violations += [f"I8: {name} idles in a transaction" for (name,) in connection.execute(_IDLE)]
        self._check_sums()
        self.looks += 1

    def _check_sums(self) -> None:
        with Session(self.engine) as session, session.begin():
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            frozen = Broadcast.audience_frozen_at.is_not(None)  # before, nobody knows yet who they are
            found = select(Broadcast.id, Broadcast.state).where(frozen).order_by(Broadcast.id)
            for id_, state in session.execute(found):
                if state != BroadcastState.DRAFT:
                    self._check_sum(id_, state, ledger.counts(session, id_))

    def _check_sum(self, id_: int, state: str, counts: Counts) -> None:
        parts = [counts.accepted, counts.failed, counts.skipped, counts.cancelled, counts.waiting, counts.in_doubt]
        if sum(parts) != counts.audience:
            self.violations.append(f"I5: the parts {parts} of broadcast {id_} are not its audience {counts.audience}")
        if self._audiences.setdefault(id_, counts.audience) != counts.audience:
            self.violations.append(f"I5: broadcast {id_} had {self._audiences[id_]} people, now {counts.audience}")
        if state == BroadcastState.FINISHED and counts.waiting:
            self.violations.append(f"I5: broadcast {id_} is finished with {counts.waiting} waiting")


@contextmanager
def watching(engine: Engine, every_s: float = 1.0) -> Iterator[Watch]:
    """Check the invariants all through the block; a violation fails the test at its end."""
    watch, ended = Watch(engine, every_s), threading.Event()
    problems: list[Exception] = []

    def keep_looking() -> None:
        while not ended.wait(every_s):
            try:
                watch.look()
            except Exception as error:  # noqa: BLE001 - told below, in the test's own thread
                problems.append(error)
                return

    thread = threading.Thread(target=keep_looking, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()
    watch.look()
    assert not problems, problems
    assert not watch.violations, watch.violations


def dump(redis: Redis) -> dict[str, bytes]:
    """Everything Redis holds, jobs unpacked, as bytes to search; nothing of a person may be among it."""
    keys: list[bytes] = list(redis.scan_iter("*"))
    return {key.decode(): b"\n".join(_unpacked(part) for part in _parts(redis, key)) for key in keys}


def _parts(redis: Any, key: bytes) -> list[bytes]:  # its own hints leave open whether it decodes
    match redis.type(key):
        case b"hash":
            return [part for pair in redis.hgetall(key).items() for part in pair]
        case b"list":
            return list(redis.lrange(key, 0, -1))
        case b"set":
            return list(redis.smembers(key))
        case b"zset":
            return list(redis.zrange(key, 0, -1))
        case _:
            return [redis.get(key) or b""]


def _unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value
