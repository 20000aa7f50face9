"""A broadcast against a bare client and against one RQ job per recipient: make bench-broadcast."""

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench import meter, peers
from bench.greeting import TEMPLATE
from bot.models.connection import Number
from broadcasts.control import lifecycle
from broadcasts.results import ledger
from broadcasts.transitions import NOBODY
from tests import factories as make
from tests.harness import simulator
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import start

WINDOW = 200
EARLY = 10_000
"""From here to the end the sender's memory should not grow."""
RAW_AT_MOST = 20_000
STATUSES = {"enabled": True, "sent_ms": 50, "delivered_ms": 150, "read_ms": 600}
SECTIONS: dict[str, Any] = {
    "templates": [{"waba_id": simulator.WABA_ID, **TEMPLATE}],
    "delivery": {"window_ms": 100, "max_updates": 1000, "tries": 50},
}
MORE = {"BACKCHAT_SEND_WINDOW": str(WINDOW), "BACKCHAT_WEB_THREADS": "32", "BACKCHAT_PUMP_S": "30"}
_PATIENCE_S = 600.0
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

# Asked while the clock runs, so each stops at the first row it finds.
_PREPARING = "SELECT state = 'materialising' FROM broadcast WHERE id = :id"
_WAITING = """
    SELECT EXISTS (SELECT FROM broadcast WHERE id = :id AND state = 'materialising')
        OR EXISTS (SELECT FROM message WHERE broadcast_id = :id AND state IN ('queued', 'claimed', 'wire'))
"""
_UNREAD = "SELECT EXISTS (SELECT FROM message WHERE broadcast_id = :id AND delivery_level < 3)"


def main() -> None:
    arguments = _arguments()
    sections = SECTIONS | {"statuses": {**STATUSES, "enabled": False}}
    with (
        tempfile.TemporaryDirectory(prefix="backchat-bench-") as folder,
        start() as servers,
        open_house(servers, Path(folder), sections=sections, **MORE) as house,
    ):
        raw_per_s = peers.raw_client(house.simulator, min(arguments.recipients, RAW_AT_MOST), WINDOW)
        textbook_per_s = peers.textbook(house, arguments.textbook)
        house.simulator.configure(statuses=STATUSES)
        house.start()
        ours = _ours(house, arguments.recipients)
    compared = {
        "raw_client_per_s": round(raw_per_s),
        "ratio_raw": round(ours["sent_per_s"] / raw_per_s, 3),
        "rq_per_job_per_s": round(textbook_per_s),
        "ratio_rq": round(ours["sent_per_s"] / textbook_per_s, 1),
    }
    print(json.dumps({"bench": "broadcast", **ours, **compared}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--textbook", type=int, default=500, help="recipients of the one-job-each sender")
    return parser.parse_args()


def _ours(house: House, recipients: int) -> dict[str, Any]:
    broadcast_id = prepare(house, recipients)
    memory, cpu = meter.Memory(house, EARLY), meter.cpu_s(house)
    began = time.perf_counter()
    with memory.watched():
        with house.rt.transaction() as session:
            lifecycle.launch(session, broadcast_id, NOBODY, confirmed=recipients)
        house.rt.ring("bulk")
        prepared_s = _until_not(house, _PREPARING, broadcast_id, "the audience") - began
        sent_s = _until_not(house, _WAITING, broadcast_id, "all sends") - began
        settled_s = _until_not(house, _UNREAD, broadcast_id, "all statuses") - began
    used = {name: 1000 * (now - cpu[name]) / recipients for name, now in meter.cpu_s(house).items()}
    print("CPU a message, ms:", json.dumps({name: round(ms, 3) for name, ms in used.items()}))
    sends = Counter(entry["to"] for entry in house.simulator.log() if str(entry.get("callback", "")).startswith("o1."))
    with house.rt.transaction() as session:
        assert ledger.counts(session, broadcast_id).accepted == recipients
    return {
        "recipients": recipients,
        "sent_per_s": round(recipients / sent_s),
        "prepared_s": round(prepared_s, 1),
        "settled_per_s": round(recipients / settled_s),
        "lag_s": round(settled_s - sent_s, 1),
        "statuses_per_s": round(3 * recipients / settled_s),
        "statuses_a_body": house.simulator.control("counts")["updates_a_body"],
        "sender_cpu_ms_per_message": round(used["sender"], 3),
        "cpu_ms_per_message": round(sum(used.values()), 3),
        "sender_peak_rss_mb": round(memory.peak_mb),
        "sender_growth_mb": round(memory.peak_mb - memory.early_mb),
        "duplicates": sum(sends.values()) - len(sends),
        "missed": recipients - len(sends),
    }


def _until_not(house: House, query: str, broadcast_id: int, what: str) -> float:
    wait_until(lambda: not house.ask(query, id=broadcast_id), what, timeout_s=_PATIENCE_S, every_s=0.2)
    return time.perf_counter()


def prepare(house: House, recipients: int) -> int:
    """Id of a draft to so many people."""
    with house.rt.transaction() as session:
        number = session.get_one(Number, house.number_id)
        segment = make.make_segment(session)
        session.execute(_PEOPLE, {"count": recipients, "segment_id": segment.id})
        template = make.make_template(session, number.connection, **TEMPLATE)
        return make.make_broadcast(session, number, segment, template).id


if __name__ == "__main__":
    main()
