"""Statuses in any order, some of them twice, and a processor that is killed again and again among them."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from tests.chaos.test_intake import post
from tests.harness.children import wait_until
from tests.harness.house import House
from tests.harness.simulator import NUMBER_ID
from tests.harness.sizes import sizes
from tests.webhooks.conftest import envelope

WAYS = (("sent",), ("sent", "delivered"), ("sent", "delivered", "read"), ("read",), ("failed",), ("sent", "failed"))

ACCEPTED = text("""
    WITH people AS (
        INSERT INTO person (environment, distinct_id) SELECT 'live', 'p' || n FROM generate_series(1, :count) n
        RETURNING id)
    INSERT INTO message (environment, number_id, person_id, direction, kind, occurred_at, author_kind, state,
                         provider_message_id, attempt)
    SELECT 'live', :number_id, id, 'out', 'text', now(), 'automation', 'accepted', 'wamid.' || id, 1 FROM people
    RETURNING provider_message_id
""")
COUNTERS = """
    SELECT json_build_object(
        'sent', count(sent_at), 'delivered', count(*) FILTER (WHERE delivery_level >= 2),
        'read', count(*) FILTER (WHERE delivery_level >= 3), 'failed', count(*) FILTER (WHERE state = 'failed'),
        'events', (SELECT count(*) FROM status_event WHERE message_id IS NOT NULL)) FROM message
"""


@pytest.mark.parametrize("count, kills", sizes((300, 4), (2000, 10), (50_000, 10)))
def test_a_processor_killed_again_and_again_counts_each_status_once(empty_house: House, count: int, kills: int) -> None:
    """Case 35: as many statuses as twice the messages, in batches of 100."""
    house, chance = empty_house, random.Random(35)
    with house.rt.transaction() as session:
        wamids = session.scalars(ACCEPTED, {"count": count, "number_id": house.number_id}).all()
    ways = {wamid: chance.choice(WAYS) for wamid in wamids}
    told = [status(wamid, word) for wamid, way in ways.items() for word in way]
    repeated = [*told, *chance.sample(told, len(told) // 20)]
    chance.shuffle(repeated)
    bodies = [
        orjson.dumps(envelope(NUMBER_ID, statuses=repeated[at : at + 100])) for at in range(0, len(repeated), 100)
    ]
    house.start("web", "clock")
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(post, house, body) for body in bodies]
        for _ in range(kills):
            house.start("intake")
            time.sleep(chance.uniform(0, 1))
            house.kill("intake")
            forgive(house)
        assert {answer.result() for answer in answers} == {200}
    house.start("intake")
    left = "SELECT count(*) FROM webhook_event WHERE state = 'new'"
    wait_until(lambda: house.ask(left) == 0, "the statuses to be applied", timeout_s=300)
    assert house.ask("SELECT count(*) FROM quarantine") == 0
    assert house.ask(COUNTERS) == counters(list(ways.values()))


def forgive(house: House) -> None:
    """An event that three processors die over is put aside, and these deaths are no event's fault."""
    with house.rt.transaction() as session:
        session.execute(text("DELETE FROM webhook_in_hand"))


def status(wamid: str, word: str) -> dict[str, Any]:
    at = int(time.time()) - 60 + ("sent", "delivered", "read", "failed").index(word)
    return {"id": wamid, "status": word, "timestamp": str(at), "recipient_id": "201000000000"}


def counters(ways: list[tuple[str, ...]]) -> dict[str, int]:
    return {
        "sent": sum("sent" in way for way in ways),
        "delivered": sum(not {"delivered", "read"}.isdisjoint(way) for way in ways),
        "read": sum("read" in way for way in ways),
        "failed": sum("failed" in way for way in ways),
        "events": sum(map(len, ways)),
    }
