"""What a business says to the provider, in the words of these tests."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.harness.simulator import ACCESS_TOKEN, NUMBER_ID, WABA_ID, Simulator

PERSON = "+201001234567"
MESSAGES = f"/v25.0/{NUMBER_ID}/messages"


def template(name: str, *components: dict[str, Any], **members: Any) -> dict[str, Any]:
    about = {"waba_id": WABA_ID, "name": name, "language": "en_US", "components": list(components)}
    return about | members


BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "QUICK_REPLY", "text": "Yes, come"},
        {"type": "URL", "text": "Read", "url": "https://example.org/{{1}}"},
    ],
}
TEMPLATES = [
    template("hello", {"type": "BODY", "text": "Hello {{1}}, see you {{2}}."}),
    template("static", {"type": "BODY", "text": "Nothing to fill."}),
    template(
        "named",
        {"type": "HEADER", "format": "TEXT", "text": "For {{first_name}}"},
        {"type": "BODY", "text": "Dear {{first_name}} of {{city}}"},
        parameter_format="NAMED",
    ),
    template("picture", {"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Look"}, category="MARKETING"),
    template("tap", {"type": "BODY", "text": "Coming, {{1}}?"}, {"type": "FOOTER", "text": "The clinic"}, BUTTONS),
    template("paused", {"type": "BODY", "text": "x"}, status="PAUSED"),
    template("disabled", {"type": "BODY", "text": "x"}, status="DISABLED"),
    template("pending", {"type": "BODY", "text": "x"}, status="PENDING"),
    template("code", {"type": "BODY", "text": "{{1}} is your code"}, category="AUTHENTICATION"),
]


@dataclass
class Answer:
    status: int
    body: Any

    @property
    def wamid(self) -> str:
        return str(self.body["messages"][0]["id"])

    @property
    def code(self) -> int:
        return int(self.body["error"]["code"])


@dataclass
class Desk:
    process: Simulator

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str = ACCESS_TOKEN,
        host: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        port = int(self.process.url.rpartition(":")[2])
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            about = {"Authorization": f"Bearer {token}", "Host": host} | dict(headers or {})
            connection.request(method, path, raw, about)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def graph(self, method: str, path: str, body: object = None, *, token: str = ACCESS_TOKEN) -> Answer:
        status, raw = self.call(method, path, body, token=token)
        return Answer(status, json.loads(raw))

    def send(self, to: str | None = PERSON, **body: Any) -> Answer:
        """POST a message; `to` None leaves it out."""
        address = {} if to is None else {"to": to}
        return self.graph("POST", MESSAGES, {"messaging_product": "whatsapp", **address, **body})

    def hello(self, to: str = PERSON, name: str = "Amina", **more: Any) -> Answer:
        """A template message that is in order, allowed at any time."""
        return self.send(to, **filled("hello", name, "soon"), **more)

    def control(self, name: str, body: object = None, *, method: str = "") -> Any:
        method = method or ("GET" if body is None else "POST")
        status, raw = self.call(method, f"/_control/{name}", body)
        assert status == 200, raw
        return json.loads(raw)

    def log(self, **filters: str) -> list[dict[str, Any]]:
        query = "&".join(f"{name}={quote(value)}" for name, value in filters.items())
        return list(self.control(f"log?{query}"))

    def open_window(self, person: str = PERSON, hours_ago: float = 0) -> None:
        self.control("window", {"person": person, "hours_ago": hours_ago})


def text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


def part(kind: str, *parameters: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"type": kind, "parameters": list(parameters)} | members


def using(name: str, *components: dict[str, Any], language: str = "en_US") -> dict[str, Any]:
    """The members of a message that uses a template."""
    about = {"name": name, "language": {"code": language}, "components": list(components)}
    return {"type": "template", "template": about}


def filled(name: str, *texts: str) -> dict[str, Any]:
    return using(name, part("body", *map(text, texts)))
