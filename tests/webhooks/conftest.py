"""A connection with one number on a database that really commits, and a provider that signs what it sends."""

import hashlib
import hmac
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from bot.connections import connections, numbers
from bot.models.words import Environment
from bot.runtime import Runtime
from webhooks import jobs, routes

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


def quarantine(line: Line) -> list[tuple[str, str]]:
    """Where each item stood that was put aside, and why."""
    return line.rows("SELECT pointer, reason FROM quarantine ORDER BY id")


@pytest.fixture
def line(live_rt: Runtime) -> Line:
    return _move_in(live_rt)


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
