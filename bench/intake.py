"""Webhooks a second, taken and applied, against a bare Flask route and against the ORM inside the request."""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench import bodies
from bench.bodies import Sent
from bench.load import Load, fire, offer, post
from tests.harness.children import OURS, wait_until
from tests.harness.house import House, free_port, open_house
from tests.harness.servers import start

THREADS = "64"
CONNECTIONS = 64
JOURNEY = """\
journey: bench
start: {first_message: true}
steps:
  - say: "Good morning <<user.first_name|default('there')>>!"
  - ask: What brings you here today?
    buttons: [Just looking, Talk to a coach]
    save_as: goal
"""

# Rows as a broadcast leaves them once the provider has accepted each: the statuses are about these.
_ACCEPTED = text("""
    WITH people AS (
        INSERT INTO person (environment, distinct_id)
        SELECT 'live', :name || n FROM generate_series(1, :count) n
        RETURNING id)
    INSERT INTO message (environment, number_id, person_id, direction, kind, occurred_at, author_kind, state,
                         provider_message_id, attempt)
    SELECT 'live', :number_id, id, 'out', 'text', now(), 'automation', 'accepted', 'wamid.' || :name || id, 1
      FROM people
    RETURNING id, provider_message_id
""")
_IS_APPLYING = "SELECT EXISTS (SELECT FROM webhook_event WHERE state = 'new')"
_APPLIED = {
    "statuses": "SELECT count(*) FROM status_event WHERE message_id IS NOT NULL",
    "messages": "SELECT count(*) FROM message WHERE direction = 'in'",
}


@dataclass(frozen=True, slots=True)
class Run:
    """What one kind of traffic came to; `lag_s` is how long applying went on after the last answer."""

    load: Load
    applied_per_s: float
    lag_s: float
    lost: int

    def told(self, name: str) -> dict[str, Any]:
        return {
            f"{name}_acked_per_s": round(self.load.per_s),
            f"{name}_applied_per_s": round(self.applied_per_s),
            f"{name}_lag_s": round(self.lag_s, 2),
            f"{name}_p50_ms": round(self.load.percentile_ms(0.5), 1),
            f"{name}_p99_ms": round(self.load.percentile_ms(0.99), 1),
        }


def main() -> None:
    arguments = _arguments()
    with (
        tempfile.TemporaryDirectory(prefix="backchat-bench-") as folder,
        start() as servers,
        open_house(servers, Path(folder), BACKCHAT_WEB_THREADS=THREADS, BACKCHAT_PUMP_S="30") as house,
    ):
        journey = Path(folder, "bench.yaml")
        journey.write_text(JOURNEY)
        house.start("web", "intake", "clock")
        house.run("journey", "load", str(journey), "--environment", "live")
        print(json.dumps(_measure(house, arguments.scale, arguments.tier_s)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the requests of each part")
    parser.add_argument("--tier-s", type=int, default=60, help="seconds of the provider's highest rate")
    return parser.parse_args()


def _measure(house: House, scale: float, tier_s: int) -> dict[str, Any]:
    singles = [bodies.body([each]) for each in bodies.statuses(_accepted(house, "s", int(20_000 * scale)), ["sent"])]
    with _server("bench.bare:create_app") as port:
        bare = fire(port, [post("/webhooks/bare", body) for body in singles], CONNECTIONS)
    single = _run(house, singles, "statuses", len(singles))
    told = bodies.statuses(_accepted(house, "b", int(40_000 * scale)))
    batch = _run(house, bodies.batches(told, 50), "statuses", len(told))
    said = bodies.messages(int(20_000 * scale), int(10_000 * scale))
    inbound = _run(house, bodies.batches(said, 5), "messages", len(said))
    tier = _tier(house, tier_s)
    textbook = _textbook(house, int(5_000 * scale))
    runs = {"single": single, "batch": batch, "inbound": inbound, "tier": tier}
    return {
        "bench": "intake",
        "bare_per_s": round(bare.per_s),
        **{key: value for name, run in runs.items() for key, value in run.told(name).items()},
        "textbook_per_s": round(textbook),
        "ratio_bare": round(single.load.per_s / bare.per_s, 3),
        "ratio_textbook": round(batch.applied_per_s / textbook, 1),
        "tier_over_1s_share": round(tier.load.share_above(1.0), 4),
        "lost": sum(run.lost for run in runs.values()),
    }


def _run(house: House, contents: list[bytes], counted: str, items: int) -> Run:
    requests = [bodies.signed(content) for content in contents]
    return _timed(house, {counted: items}, lambda port: fire(port, requests, CONNECTIONS))


def _tier(house: House, seconds: int) -> Run:
    """The provider's highest rate: 3,000 statuses and 300 messages a second, in bodies of 1 to 20, mean 5."""
    told, said = bodies.statuses(_accepted(house, "t", 1000 * seconds)), bodies.messages(300 * seconds, 10_000, 10**6)
    items = told + said
    chance = random.Random(3)
    chance.shuffle(items)
    requests = [bodies.signed(content) for content in bodies.uneven(items, 5, 20)]
    times = sorted(chance.uniform(0, seconds) for _ in requests)
    schedule = list(zip(times, requests, strict=True))
    counted = {"statuses": len(told), "messages": len(said)}
    return _timed(house, counted, lambda port: offer(port, schedule, CONNECTIONS))


def _timed(house: House, counted: dict[str, int], send: Callable[[int], Load]) -> Run:
    before = {name: house.ask(_APPLIED[name]) for name in counted}
    began = time.perf_counter()
    load = send(int(house.environment["PORT"]))
    answered = time.perf_counter()
    wait_until(lambda: not house.ask(_IS_APPLYING), "everything to be applied", timeout_s=300, every_s=0.05)
    ended = time.perf_counter()
    assert set(load.statuses) == {200}, load.statuses
    lost = sum(count - (house.ask(_APPLIED[name]) - before[name]) for name, count in counted.items())
    return Run(load, sum(counted.values()) / (ended - began), ended - answered, lost)


def _textbook(house: House, count: int) -> float:
    """Statuses a second of the ORM inside the request, in the same bodies of 50, with nobody else at work.

    Each message has one status and they come in order: shuffled ones make its transactions wait in circles.
    """
    told = sorted(bodies.statuses(_accepted(house, "o", count), ["sent"]), key=lambda status: str(status["id"]))
    requests = [post("/webhooks/bare", content) for content in bodies.batches(told, 50)]
    database = {"DATABASE_URL": house.environment["DATABASE_URL"]}
    with _server("bench.orm:create_app", **database) as port:
        load = fire(port, requests, CONNECTIONS)
    assert set(load.statuses) == {200}, load.statuses
    return len(told) / load.seconds


def _accepted(house: House, name: str, count: int) -> list[Sent]:
    with house.rt.transaction() as session:
        values = {"name": f"bench-{name}-", "count": count, "number_id": house.number_id}
        return [(row.id, row.provider_message_id) for row in session.execute(_ACCEPTED, values)]


@contextmanager
def _server(factory: str, **more: str) -> Iterator[int]:
    """The same Granian with the same threads around another application."""
    port = free_port()
    granian = str(Path(sys.executable).with_name("granian"))
    command = [granian, factory, "--factory", "--interface", "wsgi", "--http", "1", "--no-log"]
    command += ["--port", str(port), "--workers", "1", "--blocking-threads", THREADS, "--backlog", "2048"]
    server = subprocess.Popen(command, env={**OURS, **more})
    try:
        wait_until(lambda: _is_up(port), "the server", timeout_s=30)
        yield port
    finally:
        server.terminate()
        server.wait()


def _is_up(port: int) -> bool:
    try:
        return fire(port, [post("/webhooks/bare", b"{}")], 1).statuses[200] == 1
    except OSError:
        return False


if __name__ == "__main__":
    main()
