"""BigQuery's HTTP API on this machine, as far as Backchat calls it, with faults by order.

What it keeps is in tests/harness/bigquery_kept.py. An order names calls by a piece of "METHOD path" and is followed
once: `status` answers so before anything is done, `drop` hangs up before, `lose` hangs up after the work was done,
`hold` waits for the test.
"""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.harness.bigquery_kept import Kept, Refused
from tests.harness.children import wait_until

PROJECT = "the-project"


@dataclass
class Order:
    """A fault that the next call whose "METHOD path" has `call` in it meets."""

    call: str
    kind: str
    status: int = 503
    reason: str = "backendError"
    message: str = "Error encountered during execution. Retrying may solve the problem."
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    """Of one that is held."""


@dataclass
class BigQuery:
    """The stand-in, for tests."""

    url: str
    kept: Kept
    dataset: str
    calls: list[str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    is_key_good: bool = True
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Resumable ones that are under way."""

    def order(self, call: str, kind: str = "status", **how: Any) -> None:
        self.orders.append(Order(call, kind, **how))

    def hold(self, call: str) -> Order:
        """The next such call is worked when the test says so."""
        held = Order(call, "hold")
        self.orders.append(held)
        return held

    def wait_for(self, call: str) -> None:
        wait_until(lambda: self.counted(call) > 0, f"{call} to be called", timeout_s=60)

    def credentials(self, folder: Path) -> Path:
        """A service account's file, as Google's console gives it out."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # short: each call reads and checks it
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        told = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "one",
            "private_key": pem.decode(),
            "client_email": f"backchat@{PROJECT}.iam.gserviceaccount.com",
            "token_uri": f"{self.url}/token",
            "universe_domain": "the-stand-in.test",  # where keys sign each call by themselves
        }
        path = folder / "credentials.json"
        path.write_text(json.dumps(told))
        return path

    def counted(self, call: str) -> int:
        return sum(call in one for one in self.calls)


@contextmanager
def running() -> Iterator[BigQuery]:
    """With one dataset, of a name that no other has."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is what is tested
    dataset = f"backchat_{uuid.uuid4().hex[:8]}"
    stand_in = BigQuery(f"http://127.0.0.1:{server.server_address[1]}", Kept(PROJECT, dataset), dataset)
    _Handler.stand_in = stand_in
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        stand_in.kept.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body at once, or the client waits for the second
    stand_in: BigQuery

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 (http.server's names)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = f"{self.command} {self.path}"
        self.stand_in.calls.append(call)
        fault = next((order for order in self.stand_in.orders if order.call in call), None)
        if fault is not None:
            self.stand_in.orders.remove(fault)
            if fault.kind == "hold":
                fault.reached.set()
                fault.go_on.wait(120)
            if fault.kind == "drop":
                self.close_connection = True
                return
            if fault.kind == "status":
                self._tell(fault.status, _error(fault.status, fault.reason, fault.message))
                return
        try:
            status, told = self._work(body)
        except Refused as refused:
            status, told = refused.status, _error(refused.status, refused.reason, str(refused))
        if fault is not None and fault.kind == "lose":  # the work is done, and nobody is told
            self.close_connection = True
            return
        self._tell(status, told)

    def _work(self, body: bytes) -> tuple[int, dict[str, Any] | None]:
        parts = urlsplit(self.path)
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not self.stand_in.is_key_good or token.count(".") != 2:
            raise Refused(401, "authError", "Request had invalid authentication credentials.")
        way = parts.path.strip("/").split("/")
        if way[0] == "upload":
            return self._upload(parse_qs(parts.query), body)
        given = json.loads(body) if body else {}
        return 200, self.stand_in.kept.answer(self.command, way[4:], given)

    def _upload(self, query: dict[str, list[str]], body: bytes) -> tuple[int, dict[str, Any] | None]:
        if query["uploadType"] == ["multipart"]:
            told, data = _taken_apart(self.headers["Content-Type"], body)
            return 200, self.stand_in.kept.begin(told, data)
        if self.command == "POST":
            token = uuid.uuid4().hex
            self.stand_in.uploads[token] = {"told": json.loads(body), "data": b""}
            self._location = f"{self.stand_in.url}{self.path}&upload_id={token}"
            return 200, {}
        upload = self.stand_in.uploads[query["upload_id"][0]]
        upload["data"] += body
        span, total = self.headers["Content-Range"].removeprefix("bytes ").split("/")
        if total == "*" or int(span.split("-")[1]) + 1 < int(total):
            self._range = f"bytes=0-{len(upload['data']) - 1}"
            return 308, None
        return 200, self.stand_in.kept.begin(upload["told"], upload["data"])

    def _tell(self, status: int, told: dict[str, Any] | None) -> None:
        body = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for header, name in (("Location", "_location"), ("Range", "_range")):
            if value := self.__dict__.pop(name, None):
                self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: its output is for what goes wrong."""


def _taken_apart(content_type: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    """What a multipart upload says of the job, and the file's bytes as they are."""
    mark = b"--" + content_type.split("boundary=")[1].strip('"').encode()
    _, first, rest = body.split(mark, 2)
    said = first.split(b"\r\n\r\n", 1)[1]
    file = rest.rsplit(b"\r\n" + mark, 1)[0].split(b"\r\n\r\n", 1)[1]
    return json.loads(said), file


def _error(status: int, reason: str, message: str) -> dict[str, Any]:
    told = {"reason": reason, "message": message, "domain": "global"}
    return {"error": {"code": status, "message": message, "errors": [told]}}
