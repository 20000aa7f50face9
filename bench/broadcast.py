"""A broadcast against a bare client and against one RQ job per recipient: make bench-broadcast."""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text

from bench import greeting
from bench.greeting import TEMPLATE
from bench.textbook import QUEUE, URL
from bot.models.connection import Number
from broadcasts import lifecycle
from broadcasts.results import ledger
from broadcasts.transitions import NOBODY
from tests import factories as make
from tests.harness import simulator
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import start
from tests.harness.simulator import Simulator

WINDOW = 64
STATUSES = {"enabled": True, "sent_ms": 50, "delivered_ms": 150, "read_ms": 600}
_PEOPLE = text("""
    WITH people AS (
        INSERT INTO person (environment, distinct_id, first_name)
        SELECT 'live', 'bench-' || n, 'Name' || n FROM generate_series(1, :count) n
        RETURNING id, distinct_id, environment),
    addresses AS (
        INSERT INTO address (environment, person_id, kind, value)
        SELECT environment, id, 'phone', '+2010' || lpad(split_part(distinct_id, '-', 2), 8, '0') FROM people)
    INSERT INTO segment_member (segment_id, person_id, environment) SELECT :segment_id, id, environment FROM people
""")

# Not in the queue, so that nobody else sends them.
_TEXTBOOK_ROWS = text("""
    WITH people AS (
        INSERT INTO person (environment, distinct_id, first_name)
        SELECT 'live', 'textbook-' || n, 'Name' || n FROM generate_series(1, :count) n
        RETURNING id, distinct_id, environment)
    INSERT INTO message
        (environment, number_id, person_id, direction, kind, occurred_at, author_kind, state, to_address)
    SELECT environment, :number_id, id, 'out', 'template', now(), 'automation', 'claimed',
           '+2012' || lpad(split_part(distinct_id, '-', 2), 8, '0')
      FROM people
    RETURNING id
""")

# Asked while the clock runs, so each stops at the first row it finds.
_WAITING = """
    SELECT EXISTS (SELECT FROM broadcast WHERE id = :id AND state = 'materialising')
        OR EXISTS (SELECT FROM message WHERE broadcast_id = :id AND state IN ('queued', 'claimed', 'wire'))
"""
_UNREAD = "SELECT EXISTS (SELECT FROM message WHERE broadcast_id = :id AND delivery_level < 3)"


def main() -> None:
    arguments = _arguments()
    sections = {
        "templates": [{"waba_id": simulator.WABA_ID, **TEMPLATE}],
        "delivery": {"window_ms": 100, "max_updates": 1000, "tries": 50},
        "statuses": STATUSES,
    }
    more = {"BACKCHAT_SEND_WINDOW": str(WINDOW), "BACKCHAT_WEB_THREADS": "32", "BACKCHAT_PUMP_S": "30"}
    with (
        tempfile.TemporaryDirectory(prefix="backchat-bench-") as folder,
        start() as servers,
        open_house(servers, Path(folder), sections=sections, **more) as house,
    ):
        raw = _raw_client(house.simulator, arguments.recipients)
        textbook = _textbook(house, arguments.textbook)
        house.start()
        ours = _ours(house, arguments.recipients)
        print(json.dumps(_figures(ours, raw, textbook)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--textbook", type=int, default=500, help="recipients of the one-job-each sender")
    return parser.parse_args()


def _figures(ours: dict[str, Any], raw_per_s: float, textbook_per_s: float) -> dict[str, Any]:
    return {
        "bench": "broadcast",
        "recipients": ours["recipients"],
        "sent_per_s": round(ours["sent_per_s"]),
        "raw_client_per_s": round(raw_per_s),
        "ratio_raw": round(ours["sent_per_s"] / raw_per_s, 3),
        "rq_per_job_per_s": round(textbook_per_s),
        "ratio_rq": round(ours["sent_per_s"] / textbook_per_s, 1),
        "statuses_per_s": round(ours["statuses_per_s"]),
        "duplicates": ours["duplicates"],
        "missed": ours["missed"],
    }


def _ours(house: House, recipients: int) -> dict[str, Any]:
    broadcast_id = _prepare(house, recipients)
    began = time.perf_counter()
    with house.rt.transaction() as session:
        lifecycle.launch(session, broadcast_id, NOBODY)
    house.rt.ring("bulk")
    wait_until(lambda: not house.ask(_WAITING, id=broadcast_id), "all sends", timeout_s=600, every_s=0.2)
    sent_s = time.perf_counter() - began
    wait_until(lambda: not house.ask(_UNREAD, id=broadcast_id), "all statuses", timeout_s=600, every_s=0.2)
    settled_s = time.perf_counter() - began
    sends = Counter(entry["to"] for entry in house.simulator.log() if str(entry.get("callback", "")).startswith("o1."))
    with house.rt.transaction() as session:
        assert ledger.counts(session, broadcast_id).accepted == recipients
    return {
        "recipients": recipients,
        "sent_per_s": recipients / sent_s,
        "statuses_per_s": 3 * recipients / settled_s,
        "duplicates": sum(sends.values()) - len(sends),
        "missed": recipients - len(sends),
    }


def _prepare(house: House, recipients: int) -> int:
    with house.rt.transaction() as session:
        number = session.get_one(Number, house.number_id)
        segment = make.make_segment(session)
        session.execute(_PEOPLE, {"count": recipients, "segment_id": segment.id})
        template = make.make_template(session, number.connection, **TEMPLATE)
        return make.make_broadcast(session, number, segment, template).id


def _raw_client(sim: Simulator, count: int) -> float:
    """A bare aiohttp client posting the same bodies, as many at once, with statuses off: what the peer can take."""
    sim.configure(statuses={"enabled": False})
    bodies = [json.dumps(greeting.body(f"+2011{n:08d}", f"Name{n}", f"raw.{n}")).encode() for n in range(count)]
    began = time.perf_counter()
    uvloop.run(_post_all(sim, bodies))
    per_s = count / (time.perf_counter() - began)
    sim.configure(statuses=STATUSES)
    return per_s


async def _post_all(sim: Simulator, bodies: list[bytes]) -> None:
    url = f"{sim.url}/v25.0/{simulator.NUMBER_ID}/messages"
    headers = {"Authorization": f"Bearer {simulator.ACCESS_TOKEN}", "Content-Type": "application/json"}
    left = iter(bodies)

    async def lane(http: aiohttp.ClientSession) -> None:
        for body in left:
            async with http.post(url, data=body, headers=headers) as answer:
                await answer.read()
                assert answer.status == 200

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=WINDOW)) as http:
        await asyncio.gather(*(lane(http) for _ in range(WINDOW)))


def _textbook(house: House, count: int) -> float:
    """One RQ job per recipient with RQ's own forking worker: read the row, POST, save the row."""
    house.simulator.configure(statuses={"enabled": False})
    url = f"{house.simulator.url}/v25.0/{simulator.NUMBER_ID}/messages"
    with house.rt.transaction() as session:
        ids = session.scalars(_TEXTBOOK_ROWS, {"count": count, "number_id": house.number_id}).all()
    with Redis.from_url(house.redis.url) as redis:
        queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
        for id_ in ids:
            queue.enqueue("bench.textbook.send", id_, result_ttl=0)
        command, environment = [sys.executable, "-m", "bench.textbook"], {**house.environment, URL: url}
        told = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
        redis.flushall()
    assert house.ask("SELECT count(*) FROM message WHERE state = 'accepted'") == count
    house.simulator.configure(statuses=STATUSES)
    return count / float(told.stdout)


if __name__ == "__main__":
    main()
