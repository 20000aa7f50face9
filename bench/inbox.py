"""The inbox with a million messages in it, a tenth of them first: make bench-inbox."""

import argparse
import asyncio
import json
import re
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import text

from bench import bodies
from bench.load import offer
from bot.models.words import Role
from bot.team import operators
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import start
from tests.harness.visitor import Visitor

CONVERSATIONS = 100_000
MESSAGES = 10
"""Of a conversation, both ways in turn."""
TENTH = 10
LISTENERS = 50
PER_S = 100
"""Inbound messages, each from somebody new, while the inbox is listened to and while pages are opened."""
ROUNDS = 60
EMAIL, PASSWORD = "coach@example.com", "a long enough one"
WORDS = ("appointment", "Tuesday", "insulin 25", "nobody ever said this", "Name4711", "+2010004711")
TABS = ("open", "closed", "mine", "unassigned", "waiting", "closing")

# What was said has words of several frequencies: 7 words for everybody, a hundred more, and a number of its own.
_MAKE = text("""
    WITH given AS (SELECT n FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n),
    people AS (
        INSERT INTO person (environment, distinct_id, first_name)
        SELECT 'live', 'inbox-' || n, 'Name' || n FROM given RETURNING id, distinct_id),
    numbered AS (SELECT id, split_part(distinct_id, '-', 2)::int AS n FROM people),
    addresses AS (
        INSERT INTO address (environment, person_id, kind, value)
        SELECT 'live', id, 'phone', '+2010' || lpad(n::text, 8, '0') FROM numbered),
    threads AS (
        INSERT INTO conversation (environment, person_id, number_id, state, last_message_at, last_inbound_at,
                                  unread_count, waiting_since, assigned_to_id, assigned_at)
        SELECT 'live', id, :number_id, CASE WHEN n % 4 = 0 THEN 'closed' ELSE 'open' END,
               now() - n * interval '5 s', now() - n * interval '5 s', CASE WHEN n % 4 = 1 THEN 1 ELSE 0 END,
               CASE WHEN n % 4 = 1 THEN now() - n * interval '5 s' END,
               CASE WHEN n % 20 = 1 THEN CAST(:operator_id AS bigint) END, CASE WHEN n % 20 = 1 THEN now() END
          FROM numbered RETURNING id, state, last_message_at),
    episodes AS (
        INSERT INTO episode (conversation_id, opened_at, opened_by, closed_at, closed_by_operator_id)
        SELECT id, last_message_at - interval '1 day', 'person',
               CASE WHEN state = 'closed' THEN last_message_at END,
               CASE WHEN state = 'closed' THEN CAST(:operator_id AS bigint) END
          FROM threads)
    INSERT INTO message (environment, number_id, person_id, direction, kind, body, occurred_at, author_kind,
                         operator_id, state, accepted_at, provider_message_id)
    SELECT 'live', :number_id, p.id, way, 'text',
           'Your appointment on ' || (ARRAY['Monday', 'Tuesday', 'Friday'])[1 + (n + k) % 3] || ', insulin '
               || (n * 7 + k) % 100 || ', number ' || n * 10 + k,
           now() - n * interval '5 s' - (:each - k) * interval '1 hour',
           CASE way WHEN 'out' THEN 'coach' END, CASE way WHEN 'out' THEN CAST(:operator_id AS bigint) END,
           CASE way WHEN 'out' THEN 'accepted' ELSE 'received' END, CASE way WHEN 'out' THEN now() END,
           'wamid.inbox.' || n || '.' || k
      FROM numbered p CROSS JOIN generate_series(1, CAST(:each AS int)) k
     CROSS JOIN LATERAL (SELECT CASE WHEN k % 2 = 0 THEN 'out' ELSE 'in' END AS way) w
""")
_ANSWERABLE = "SELECT id FROM conversation WHERE state = 'open' ORDER BY last_inbound_at DESC OFFSET 60 LIMIT :count"
_PORTION = 10_000


@dataclass
class Screens:
    """What everybody who listens has seen: when a message's mark was first on each screen."""

    seen: list[dict[int, float]] = field(default_factory=list)

    def waits_ms(self, sent: Sequence[float]) -> list[float]:
        """Of each message and screen; a message that a later one pushed out of sight was seen with that one."""
        found = []
        for marks in self.seen:
            at = float("inf")
            for mark in reversed(range(len(sent))):
                at = min(at, marks.get(mark, at))
                found.append(1000 * (at - sent[mark]))
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS)
    parser.add_argument("--live-s", type=int, default=20, help="seconds of inbound messages")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="backchat-bench-") as folder,
        start() as servers,
        open_house(servers, Path(folder), BACKCHAT_WEB_THREADS=str(5 * LISTENERS), BACKCHAT_PUMP_S="30") as house,
    ):
        print(json.dumps(_measure(house, arguments.conversations, arguments.live_s)))


def _measure(house: House, conversations: int, live_s: int) -> dict[str, Any]:
    with house.rt.transaction() as session:
        operator_id = operators.add(session, email=EMAIL, name="Cora", role=Role.COACH, password=PASSWORD).id
    house.start()
    tenth = conversations // TENTH
    _make(house, operator_id, 1, tenth)
    small = _look(house, live_s)
    _make(house, operator_id, tenth + 1, conversations)
    large = _look(house, live_s)
    return {
        "bench": "inbox",
        "conversations": conversations,
        "messages": MESSAGES * conversations,
        "listeners": LISTENERS,
        **{name: round(took, 1) for name, took in large.items()},
        "tenth": {name: round(took, 1) for name, took in small.items()},
        "growth_ratio_10x": round(max(large[name] / small[name] for name in large), 2),
    }


def _make(house: House, operator_id: int, first: int, last: int) -> None:
    values = {"number_id": house.number_id, "operator_id": operator_id, "each": MESSAGES}
    for at in range(first, last + 1, _PORTION):
        with house.rt.transaction() as session:
            session.execute(_MAKE, {**values, "first": at, "last": min(at + _PORTION - 1, last)})
    with house.rt.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE) person, address, conversation, episode, message"))


def _look(house: House, live_s: int) -> dict[str, float]:
    """p95 of each page in milliseconds, alone with the inbound messages; then of the way to the listeners' screens."""
    visitor = Visitor(house.url)
    visitor.sign_in(EMAIL, PASSWORD)
    ids = _ids(house, "SELECT id FROM conversation ORDER BY md5(id::text) LIMIT :count", ROUNDS)
    answerable = _ids(house, _ANSWERABLE, ROUNDS + 1)
    with _inbound(house, live_s * 60, "pages"):
        took = {
            "list_p95_ms": _p95(visitor.get, [f"/inbox?state={TABS[n % len(TABS)]}" for n in range(ROUNDS)]),
            "thread_p95_ms": _p95(visitor.get, [f"/inbox/{id_}" for id_ in ids]),
            "search_p95_ms": _p95(visitor.get, [_searching(n) for n in range(ROUNDS)]),
            "reply_p95_ms": _p95(lambda id_: _reply(visitor, id_), answerable),
        }
    return {**took, "live_p95_ms": _live(house, visitor, live_s)}


def _ids(house: House, query: str, count: int) -> list[str]:
    with house.rt.engine.connect() as connection:
        return [str(id_) for id_ in connection.execute(text(query), {"count": count}).scalars()]


def _searching(n: int) -> str:
    return f"/inbox/search?{urllib.parse.urlencode({'q': WORDS[n % len(WORDS)]})}"


def _reply(visitor: Visitor, conversation_id: str) -> None:
    """As a thread's page sends it, which has it on the screen with the answer."""
    key = f"bench-inbox-{conversation_id}-{time.monotonic_ns()}"
    told = visitor.tell(f"/inbox/{conversation_id}/reply", text="Yes, on Tuesday.", key=key)
    assert "Yes, on Tuesday." in told["shown"], told


def _p95(ask: Callable[[str], object], questions: Sequence[str]) -> float:
    ask(questions[0])  # once for the caches of templates and plans, as on any day but the first
    taken = []
    for question in questions:
        began = time.perf_counter()
        ask(question)
        taken.append(1000 * (time.perf_counter() - began))
    return sorted(taken)[int(0.95 * len(taken))]


@contextmanager
def _inbound(house: House, most_s: int, name: str) -> Iterator[None]:
    """PER_S messages a second, as long as the block takes."""
    over = threading.Event()

    def send() -> None:
        for second in range(most_s):
            if over.is_set():
                return
            _offer(house, 1, f"{name}{second}", first=PER_S * second)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()


def _offer(house: House, seconds: int, name: str, first: int = 0) -> list[float]:
    """When each was due, by the clock of `perf_counter`."""
    count = PER_S * seconds
    said = bodies.messages(count, count, 10**6 + first)
    for mark, each in enumerate(said):
        each["id"] = f"wamid.{name}.{first}.{mark}.{time.monotonic_ns()}"
        each["text"] = {"body": f"mark-{mark}-"}
    times = [n / PER_S for n in range(count)]
    schedule = [(at, bodies.signed(bodies.body([each]))) for at, each in zip(times, said, strict=True)]
    began = time.perf_counter()
    load = offer(int(house.environment["PORT"]), schedule, 8)
    assert set(load.statuses) == {200}, load.statuses
    return [began + at for at in times]


def _live(house: House, visitor: Visitor, seconds: int) -> float:
    screens, over = Screens(), threading.Event()
    watching = threading.Thread(target=lambda: asyncio.run(_listen(house, visitor.cookie(), screens, over)))
    watching.start()
    try:
        wait_until(lambda: len(screens.seen) == LISTENERS, "everybody to listen", timeout_s=60)
        sent = _offer(house, seconds, "live")
        wait_until(
            lambda: all(len(sent) - 1 in marks for marks in screens.seen), "the last on all screens", timeout_s=60
        )
    finally:
        over.set()
        watching.join()
    waits = sorted(screens.waits_ms(sent))
    return waits[int(0.95 * len(waits))]


async def _listen(house: House, cookie: str, screens: Screens, over: threading.Event) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers={"Cookie": cookie}) as http:
        listeners = [asyncio.create_task(_watch(http, house.url, screens)) for _ in range(LISTENERS)]
        while not over.is_set():
            await asyncio.sleep(0.05)
            for listener in listeners:
                if listener.done():
                    listener.result()
        for listener in listeners:
            listener.cancel()


async def _watch(http: aiohttp.ClientSession, url: str, screens: Screens) -> None:
    """One screen: it comes again when its stream ends, as a browser does."""
    marks: dict[int, float] = {}
    is_counted = False
    while True:
        async with http.get(f"{url}/inbox/listen?state=open", timeout=aiohttp.ClientTimeout()) as answer:
            assert answer.status == 200, answer.status
            if not is_counted:
                screens.seen.append(marks)
                is_counted = True
            async for line in answer.content:
                for mark in re.findall(rb"mark-(\d+)-", line):
                    marks.setdefault(int(mark), time.perf_counter())


if __name__ == "__main__":
    main()
