from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bot.api.routes import api
from bot.models.connection import Number
from bot.models.team import ApiToken
from bot.runtime import Runtime
from bot.team import tokens
from tests import factories

Post = Callable[..., TestResponse]


def make_app() -> Flask:
    app = Flask("api-alone")
    app.register_blueprint(api)
    return app


@dataclass(frozen=True)
class Shop:
    """A program with a token, a number to send from, and a client that knows the token."""

    client: FlaskClient
    token: ApiToken
    secret: str
    number: Number

    def post(self, body: Any, *, key: str | None = None, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.secret}"} | ({} if key is None else {"Idempotency-Key": key})
        return self.client.post("/api/v1/messages", json=body, headers=headers, **more)

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.secret}"})


@pytest.fixture
def shop(rt: Runtime, session: Session) -> Shop:
    token, secret = tokens.create(session, "live", "shop")
    number = factories.make_number(session)
    return Shop(make_app().test_client(), token, secret, number)
