"""How fast the simulator is alone, so that no bench takes its limit for ours: python -m bench.simulator."""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, cast

import psutil
import uvloop

BODY_END = b"\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Sender(asyncio.Protocol):
    """One keep-alive connection that posts its next body as soon as the last one is answered."""

    def __init__(self, left: list[bytes], done: asyncio.Event, open_senders: list[int]) -> None:
        self.left = left
        self.done = done
        self.open_senders = open_senders
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own class is no subclass of it
        self.open_senders[0] += 1
        self.post()

    def post(self) -> None:
        if self.transport is None:
            return
        if self.left:
            self.transport.write(self.left.pop())
            return
        self.transport.close()
        self.open_senders[0] -= 1
        if not self.open_senders[0]:
            self.done.set()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(BODY_END)
        length = int(head.lower().rpartition(b"content-length: ")[2].split(b"\r\n")[0]) if found else 0
        if found and len(body) >= length:
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"refused: {body[:300]!r}")
            self.buffer = b""
            self.post()


class Receiver(asyncio.Protocol):
    """A webhook that answers 200 and counts statuses; all instances share the count."""

    def __init__(self, count: list[int]) -> None:
        self.count = count
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = bytes(self.buffer).partition(BODY_END)
        length = int(head.lower().rpartition(b"content-length: ")[2].split(b"\r\n")[0]) if found else 0
        if found and len(body) >= length and self.transport is not None:
            self.count[0] += body.count(b'"status":')
            self.buffer.clear()
            self.transport.write(OK)


def make_requests(count: int) -> list[bytes]:
    """Template sends as a broadcast makes them, whole HTTP requests."""
    requests = []
    for index in range(count):
        text = {"type": "text", "text": f"Name {index}"}
        template = {
            "name": "hello",
            "language": {"code": "en_US"},
            "components": [{"type": "body", "parameters": [text]}],
        }
        body = json.dumps(
            {
                "messaging_product": "whatsapp",
                "to": f"+2010{index:08d}",
                "type": "template",
                "template": template,
                "biz_opaque_callback_data": f"bench:{index}",
            }
        ).encode()
        head = (
            "POST /v25.0/2001/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer token\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


def make_config(callback_url: str) -> dict[str, Any]:
    body = {"type": "BODY", "text": "Hello {{1}}, this is a bench."}
    return {
        "accounts": [
            {"waba_id": "1001", "access_token": "token", "app_secret": "secret", "callback_url": callback_url}
        ],
        "numbers": [{"id": "2001", "waba_id": "1001", "display_phone_number": "+1 555 078 3881", "pace_per_s": 0}],
        "templates": [
            {"waba_id": "1001", "name": "hello", "language": "en_US", "category": "UTILITY", "components": [body]}
        ],
        "statuses": {"enabled": False, "sent_ms": 0, "delivered_ms": 0, "read_ms": 0},
    }


def control(address: str, method: str, name: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    data = json.dumps(body or {}).encode()
    request = urllib.request.Request(f"{address}/_control/{name}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


async def post_all(address: str, requests: list[bytes], connections: int) -> float:
    """Seconds it took until each was answered 200."""
    loop, done, open_senders = asyncio.get_running_loop(), asyncio.Event(), [0]
    port = int(address.rpartition(":")[2])
    left = list(reversed(requests))
    started = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: Sender(left, done, open_senders), "127.0.0.1", port)
    await done.wait()
    return time.perf_counter() - started


async def measure(address: str, process: psutil.Process, count: int, connections: int) -> dict[str, Any]:
    requests = make_requests(count)
    used = sum(process.cpu_times()[:2])
    seconds = await post_all(address, requests, connections)
    used = sum(process.cpu_times()[:2]) - used
    print(f"{count} sends over {connections} connections in {seconds:.2f} s, {used:.2f} s of CPU")
    received = [0]
    server = await asyncio.get_running_loop().create_server(lambda: Receiver(received), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    account = make_config(f"http://127.0.0.1:{port}/")["accounts"]
    await asyncio.to_thread(control, address, "PUT", "config", {"accounts": account, "statuses": {"enabled": True}})
    await asyncio.to_thread(control, address, "POST", "freeze")
    await post_all(address, requests, connections)
    started = time.perf_counter()
    await asyncio.to_thread(control, address, "POST", "unfreeze")
    await asyncio.to_thread(control, address, "POST", "drain")
    drained = time.perf_counter() - started
    server.close()
    print(f"{received[0]} statuses in {drained:.2f} s")
    return {
        "bench": "simulator",
        "accepted_per_s": round(count / seconds),
        "accepted_per_cpu_s": round(count / used),
        "statuses_per_s": round(received[0] / drained),
        "recipients": count,
        "missing_statuses": 3 * count - received[0],
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.simulator", description=__doc__)
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=64)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.json")
        config.write_text(json.dumps(make_config("")))
        command = [sys.executable, "-m", "simulator", "--port", "0", "--log", f"{folder}/accepted.jsonl"]
        with subprocess.Popen([*command, "--config", str(config)], stdout=subprocess.PIPE, text=True) as simulator:
            try:
                if simulator.stdout is None:
                    raise RuntimeError("the simulator has no output")
                address = simulator.stdout.readline().split()[-1]
                process = psutil.Process(simulator.pid)
                figures = uvloop.run(measure(address, process, arguments.recipients, arguments.connections))
            finally:
                simulator.terminate()
    print(json.dumps(figures, separators=(",", ":")))
    return 1 if figures["missing_statuses"] else 0


if __name__ == "__main__":
    sys.exit(main())
