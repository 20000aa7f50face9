from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from bot.dashboard import site
from bot.models.words import Role
from bot.runtime import Runtime
from bot.settings import Settings
from tests.dashboard.visitor import Visitor
from tests.factories import make_operator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app(rt: Runtime) -> Flask:
    return build(rt.settings)


def build(settings: Settings) -> Flask:
    made = Flask("dashboard", root_path=str(ROOT))
    made.add_url_rule("/healthz", "healthz", lambda: "")
    site.init(made, settings)
    return made


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(app.test_client())


@pytest.fixture
def signed_in(app: Flask, session: Session) -> Callable[[Role], Visitor]:
    """Signs in a new operator of a role, in a browser of their own."""

    def sign_in(role: Role) -> Visitor:
        operator = make_operator(session, role)
        session.commit()
        return Visitor(app.test_client()).sign_in(operator)

    return sign_in


@pytest.fixture
def admin(signed_in: Callable[[Role], Visitor]) -> Visitor:
    return signed_in(Role.ADMIN)
