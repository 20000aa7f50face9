"""A receiver of webhooks that shares no code with the simulator, so that its signatures are judged by somebody else."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, NamedTuple, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.harness.simulator import APP_SECRET, VERIFY_TOKEN


class Call(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        """Of the query, or of a body that is a form."""
        written = urlsplit(self.target).query if self.method == "GET" else self.body.decode()
        return dict(parse_qsl(written, keep_blank_values=True))


class Business:
    """Keeps every body; answers 200 unless `answers` says otherwise for the next ones."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
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
            self.calls, self.bodies, self.signed, self.answers, self.pause_s = [], [], [], [], 0.0
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

    def wait(self, ready: Callable[[], object], seconds: float = 60) -> None:
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
        self.answer(
            200 if self.is_late(body) else self.business.hear(body, self.headers.get("X-Hub-Signature-256")), b"ok"
        )

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "hub.challenge" not in query:
            self.answer(200 if self.is_late(b"") else self.business.hear(b"", None), b"ok")
            return
        right = query.get("hub.mode") == ["subscribe"] and query.get("hub.verify_token") == [VERIFY_TOKEN]
        self.answer(200 if right else 403, query["hub.challenge"][0].encode() if right else b"no")

    def is_late(self, body: bytes) -> bool:
        """Whether it belongs to an earlier test; else the call is kept."""
        if urlsplit(self.path).path.split("/")[2] != str(self.business.test):
            return True
        with self.business.lock:
            self.business.calls.append(Call(self.command, self.path, dict(self.headers.items()), body))
        return False

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        pass
