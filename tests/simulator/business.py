"""A receiver of webhooks that shares no code with the simulator, so that its signatures are judged by somebody else."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from tests.harness.simulator import APP_SECRET, VERIFY_TOKEN


class Business:
    """Keeps every body; answers 200 unless `answers` says otherwise for the next ones."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.signed: list[bool] = []
        self.answers: list[int] = []
        self.at_once = self.most_at_once = 0
        self.pause_s = 0.0
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"business": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.test = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        """A path of its own for every test: what is still on its way from an earlier one is not heard."""
        return f"http://127.0.0.1:{self.server.server_port}/webhook/{self.test}"

    def begin(self) -> None:
        self.test += 1
        self.forget()

    def forget(self) -> None:
        with self.lock:
            self.bodies, self.signed, self.answers, self.pause_s = [], [], [], 0.0
            self.most_at_once = 0

    def hear(self, body: bytes, header: str | None) -> int:
        right = "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        with self.lock:
            self.bodies.append(body)
            self.signed.append(header == right)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            status = self.answers.pop(0) if self.answers else 200
        time.sleep(self.pause_s)
        with self.lock:
            self.at_once -= 1
        return status

    def values(self) -> list[dict[str, Any]]:
        """The `value` of every change of every body heard."""
        with self.lock:
            heard = [json.loads(body) for body in self.bodies]
        return [change["value"] for body in heard for entry in body["entry"] for change in entry["changes"]]

    def statuses(self, wamid: str = "") -> list[dict[str, Any]]:
        found = [status for value in self.values() for status in value.get("statuses", [])]
        return [status for status in found if wamid in {"", status["id"]}]

    def words(self, wamid: str = "") -> list[str]:
        """Status words in order of arrival."""
        return [status["status"] for status in self.statuses(wamid)]

    def messages(self) -> list[dict[str, Any]]:
        return [message for value in self.values() for message in value.get("messages", [])]

    def wait(self, ready: Callable[[], object], seconds: float = 5) -> None:
        end = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < end, f"not heard; so far: {self.values()}"
            time.sleep(0.01)


class _Handler(BaseHTTPRequestHandler):
    business: ClassVar[Business]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        late = not self.business.url.endswith(self.path)
        self.answer(200 if late else self.business.hear(body, self.headers.get("X-Hub-Signature-256")), b"ok")

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        right = query.get("hub.mode") == ["subscribe"] and query.get("hub.verify_token") == [VERIFY_TOKEN]
        self.answer(200 if right else 403, query["hub.challenge"][0].encode() if right else b"no")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        pass
