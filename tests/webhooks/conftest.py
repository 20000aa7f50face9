"""A connection with one number on a database that really commits, and a provider that signs what it sends."""

import hashlib
import hmac
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import text
from werkzeug.test import TestResponse

from bot.connections import connections, numbers
from bot.models.connection import Connection
from bot.models.words import Environment
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime
from tests.harness import gate as gates
from tests.harness.children import wait_until
from tests.harness.gate import Gate
from tests.harness.runtimes import live_runtime, make_settings
from tests.harness.servers import Servers
from webhooks import jobs, routes, spool

SECRETS = {
    "access_token": "token-of-the-line",
    "app_secret": "secret-of-the-line",
    "verify_token": "verify-of-the-line",
}
PHONE = "201000000001"
NUMBER_ID = "106540352242922"

_serial = itertools.count(1)


def signed(body: bytes, secret: str = SECRETS["app_secret"]) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


def text_message(body: str = "hello", *, sender: str = PHONE, age_s: float = 0, **members: Any) -> dict[str, Any]:
    return {
        "from": sender,
        "id": f"wamid.{next(_serial)}",
        "timestamp": str(int(time.time() - age_s)),
        "type": "text",
        "text": {"body": body},
        **members,
    }


def contact(phone: str = PHONE, name: str = "Amina", **members: Any) -> dict[str, Any]:
    return {"profile": {"name": name}, "wa_id": phone, **members}


def envelope(number_id: str = NUMBER_ID, /, **value: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": number_id}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]}


@dataclass
class Line:
    """One connection, its number, and the web application that takes its webhooks."""

    rt: Runtime
    app: Flask
    client: FlaskClient
    number_id: int
    connection_id: int
    slug: str = "line"

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> TestResponse:
        return self.client.post(
            f"/webhooks/{self.slug}", data=body, headers=signed(body) if headers is None else headers
        )

    def tell(self, *messages: dict[str, Any], contacts: Sequence[dict[str, Any]] = (), **value: Any) -> None:
        """Deliver one signed body and apply it."""
        value |= {"messages": list(messages)} if messages else {}
        answer = self.post(orjson.dumps(envelope(contacts=list(contacts), **value)))
        assert answer.status_code == 200, answer.text
        self.apply()

    def apply(self) -> None:
        while jobs.drain_once(self.rt):
            pass

    def ask(self, query: str, **values: Any) -> Any:
        with self.rt.engine.connect() as connection:
            return connection.execute(text(query), values).scalar()

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.rt.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]


def connect(line: Line, slug: str, provider: str = "cloud", /, **secrets: str) -> Connection:
    """Another connection beside the line's, with no number yet; `secrets` differ from the line's."""
    names = PROVIDERS[provider].secret_names
    with line.rt.transaction() as session:
        return connections.add(
            session,
            line.rt.settings.secret_key,
            slug=slug,
            provider=provider,
            account_id="1",
            base_url="http://127.0.0.1:9",
            secrets={name: SECRETS.get(name, f"{name}-of-{slug}") for name in names} | secrets,
        )


def quarantine(line: Line) -> list[tuple[str, str]]:
    """Where each item stood that was put aside, and why."""
    return line.rows("SELECT pointer, reason FROM quarantine ORDER BY id")


@pytest.fixture
def line(live_rt: Runtime) -> Line:
    return _move_in(live_rt)


@pytest.fixture
def gate(database: str) -> Iterator[Gate]:
    """What stands between `gated_line` and the database."""
    with gates.before(database) as opened:
        yield opened


@pytest.fixture
def gated_line(gate: Gate, servers: Servers, redis: Redis, tmp_path: Path) -> Iterator[Line]:
    """A line whose database may go away; its secrets are known to the process already."""
    with live_runtime(make_settings(tmp_path, gate.url, servers.redis_url)) as rt:
        line = _move_in(rt)
        assert line.post(orjson.dumps(envelope())).status_code == 200
        yield line
        gate.open()
        wait_until(lambda: spool.measure(rt.settings.spool).files == 0, "the spool to be empty")


@pytest.fixture
def closed_line(rt: Runtime) -> Line:
    """For requests that must be refused: on a runtime that is rolled back, where nothing could be stored."""
    return _move_in(rt)


def _move_in(rt: Runtime) -> Line:
    with rt.transaction() as session:
        connection = connections.add(
            session,
            rt.settings.secret_key,
            slug="line",
            provider="cloud",
            account_id="102290129340398",
            base_url="http://127.0.0.1:9/v25.0",
            secrets=SECRETS,
        )
        number = numbers.add(
            session,
            connection,
            environment=Environment.LIVE,
            provider_number_id=NUMBER_ID,
            phone="+15550783881",
            name="Helpline",
        )
    app = Flask(__name__)
    app.register_blueprint(routes.routes)
    return Line(rt, app, app.test_client(), number.id, connection.id)
