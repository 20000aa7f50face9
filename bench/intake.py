"""Webhooks a second: our durable, signed intake against a bare Flask route on the same server: make bench-intake."""

import argparse
import hashlib
import hmac
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.load import Load, fire, post
from tests.harness import simulator
from tests.harness.children import wait_until
from tests.harness.house import SLUG, House, free_port, open_house
from tests.harness.servers import start

THREADS = "64"

# Rows as a broadcast leaves them once the provider has accepted each: the statuses below are about these.
_ACCEPTED = text("""
    WITH people AS (
        INSERT INTO person (environment, distinct_id)
        SELECT 'live', 'bench-' || n FROM generate_series(1, :count) n
        RETURNING id)
    INSERT INTO message (environment, number_id, person_id, direction, kind, occurred_at, author_kind, state,
                         provider_message_id, attempt)
    SELECT 'live', :number_id, id, 'out', 'text', now(), 'automation', 'accepted', 'wamid.bench.' || id, 1 FROM people
    RETURNING id, provider_message_id
""")


def main() -> None:
    arguments = _arguments()
    with (
        tempfile.TemporaryDirectory(prefix="backchat-bench-") as folder,
        start() as servers,
        open_house(servers, Path(folder), BACKCHAT_WEB_THREADS=THREADS, BACKCHAT_PUMP_S="30") as house,
    ):
        house.start("web", "intake", "clock")
        bodies = _bodies(house, arguments.requests)
        with _bare_server() as port:
            bare = fire(port, [post("/webhooks/bare", body) for body in bodies], arguments.connections)
        began = time.perf_counter()
        acked = fire(_port(house), [_signed(body) for body in bodies], arguments.connections)
        wait_until(lambda: _applied(house) >= len(bodies), "everything to be applied", timeout_s=300)
        applied_s = time.perf_counter() - began
        print(json.dumps(_figures(bare, acked, len(bodies) / applied_s, len(bodies) - _applied(house))))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=30_000)
    parser.add_argument("--connections", type=int, default=64)
    return parser.parse_args()


def _figures(bare: Load, acked: Load, applied_per_s: float, lost: int) -> dict[str, Any]:
    assert set(acked.statuses) == {200}, acked.statuses
    return {
        "bench": "intake",
        "bare_per_s": round(bare.per_s),
        "acked_per_s": round(acked.per_s),
        "ratio_bare": round(acked.per_s / bare.per_s, 3),
        "p50_ms": round(acked.percentile_ms(0.5), 1),
        "p99_ms": round(acked.percentile_ms(0.99), 1),
        "applied_per_s": round(applied_per_s),
        "lost": lost,
    }


def _bodies(house: House, count: int) -> list[bytes]:
    with house.rt.transaction() as session:
        rows = session.execute(_ACCEPTED, {"count": count, "number_id": house.number_id}).all()
    return [_body(row.id, row.provider_message_id) for row in rows]


def _body(message_id: int, provider_message_id: str) -> bytes:
    """A delivered status as the Cloud API sends it (docs/simulator.md names the source of the shape)."""
    status = {
        "id": provider_message_id,
        "status": "delivered",
        "timestamp": str(int(datetime.now(UTC).timestamp())),
        "recipient_id": "201000000000",
        "biz_opaque_callback_data": f"o1.{message_id}.1",
        "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"},
    }
    metadata = {"display_phone_number": simulator.BUSINESS_PHONE, "phone_number_id": simulator.NUMBER_ID}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": [status]}
    entry = {"id": simulator.WABA_ID, "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def _signed(body: bytes) -> bytes:
    digest = hmac.new(simulator.APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return post(f"/webhooks/{SLUG}", body, {"X-Hub-Signature-256": f"sha256={digest}"})


def _applied(house: House) -> int:
    return int(house.ask("SELECT count(*) FROM message WHERE delivery_level = 2"))


def _port(house: House) -> int:
    return int(house.environment["PORT"])


@contextmanager
def _bare_server() -> Iterator[int]:
    """The same Granian with the same threads around the bare route."""
    port = free_port()
    granian = str(Path(sys.executable).with_name("granian"))
    command = [granian, "bench.bare:create_app", "--factory", "--interface", "wsgi", "--http", "1", "--no-log"]
    command += ["--port", str(port), "--workers", "1", "--blocking-threads", THREADS, "--backlog", "2048"]
    server = subprocess.Popen(command)
    try:
        wait_until(lambda: _is_up(port), "the bare server", timeout_s=30)
        yield port
    finally:
        server.terminate()
        server.wait()


def _is_up(port: int) -> bool:
    try:
        return fire(port, [post("/webhooks/bare", b"x")], 1).statuses[200] == 1
    except OSError:
        return False


if __name__ == "__main__":
    main()
