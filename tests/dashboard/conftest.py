from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import create_app
from bot.models.words import Role
from bot.runtime import Runtime
from tests.dashboard.visitor import Visitor
from tests.factories import make_operator


@pytest.fixture(scope="session")
def apps() -> dict[str, Flask]:
    return {}


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    """Made once, as compiling the templates takes longer than a test; its routes ask for the test's own runtime."""
    return apps.setdefault("app", apps.get("app") or create_app(rt))


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
