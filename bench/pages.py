"""How long pages take while a broadcast leaves, and when it has: make bench-pages."""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.broadcast import MORE, SECTIONS, STATUSES, prepare
from bot.models.words import Role
from bot.team import operators
from broadcasts.control import lifecycle
from broadcasts.transitions import NOBODY
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import start
from tests.harness.visitor import Visitor

RECIPIENTS = 40_000
EMAIL, PASSWORD = "admin@example.com", "a long enough one"
ROUNDS = 40
"""After the broadcast; while it leaves, as many as there is time for."""
_BETWEEN_S = 0.1
"""Somebody who clicks without end."""
_PATIENCE_S = 600.0
_LEAVES = """
    SELECT EXISTS (SELECT FROM broadcast WHERE id = :id AND state = 'materialising')
        OR EXISTS (SELECT FROM message WHERE broadcast_id = :id AND state IN ('queued', 'claimed', 'wire'))
"""
_UNREAD = "SELECT EXISTS (SELECT FROM message WHERE broadcast_id = :id AND delivery_level < 3)"

Taken = Mapping[str, Sequence[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=RECIPIENTS)
    recipients = parser.parse_args().recipients
    sections = SECTIONS | {"statuses": STATUSES}
    with (
        tempfile.TemporaryDirectory(prefix="backchat-bench-") as folder,
        start() as servers,
        open_house(servers, Path(folder), sections=sections, **MORE) as house,
    ):
        print(json.dumps({"bench": "pages", "recipients": recipients, **_measure(house, recipients)}))


def _measure(house: House, recipients: int) -> dict[str, float]:
    with house.rt.transaction() as session:
        operators.add(session, email=EMAIL, name="Ada", role=Role.ADMIN, password=PASSWORD)
    broadcast_id = prepare(house, recipients)
    house.start()
    visitor = Visitor(house.url)
    visitor.sign_in(EMAIL, PASSWORD)
    with house.rt.transaction() as session:
        lifecycle.launch(session, broadcast_id, NOBODY, confirmed=recipients)
    house.rt.ring("bulk")
    began = time.perf_counter()
    pages = {
        "ledger": f"/broadcasts/{broadcast_id}",
        "recipients": f"/broadcasts/{broadcast_id}/people?part=accepted",
        "broadcasts": "/broadcasts",
        "people": "/people",
        "inbox": "/inbox",
    }
    busy = _walk(visitor, pages, lambda _: bool(house.ask(_LEAVES, id=broadcast_id)))
    sent_s = time.perf_counter() - began
    wait_until(lambda: not house.ask(_UNREAD, id=broadcast_id), "all statuses", timeout_s=_PATIENCE_S, every_s=0.2)
    quiet = _walk(visitor, pages, lambda rounds: rounds < ROUNDS)
    rate = {"sent_per_s": round(recipients / sent_s), "rounds": len(busy["ledger"])}
    return rate | _p95s(busy, "p95_ms") | _p95s(quiet, "quiet_p95_ms")


def _walk(visitor: Visitor, pages: Mapping[str, str], goes_on: Callable[[int], bool]) -> Taken:
    """Milliseconds of each page, opened in turns."""
    taken: dict[str, list[float]] = defaultdict(list)
    for path in pages.values():
        visitor.get(path)  # once for the caches of templates and plans
    rounds = 0
    while goes_on(rounds):
        for name, path in pages.items():
            began = time.perf_counter()
            visitor.get(path)
            taken[name].append(1000 * (time.perf_counter() - began))
            time.sleep(_BETWEEN_S)
        rounds += 1
    return taken


def _p95s(taken: Taken, ending: str) -> dict[str, float]:
    return {f"{name}_{ending}": round(sorted(each)[int(0.95 * len(each))], 1) for name, each in taken.items()}


if __name__ == "__main__":
    main()
