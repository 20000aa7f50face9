from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import create_app
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.person import Person
from bot.models.words import AddressKind, PropertyType, Role
from bot.people import properties
from bot.runtime import Runtime
from tests import factories as make
from tests.dashboard.profile import accepted
from tests.dashboard.visitor import Visitor
from tests.factories import make_conversation, make_inbound, make_number, make_operator, make_person


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    """As everywhere, but a fault inside becomes the page that a user would see."""
    return apps.setdefault("pages", apps.get("pages") or create_app(rt))


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(app.test_client())


@pytest.fixture
def signed_in(app: Flask, session: Session) -> Callable[[Role], Visitor]:
    """Signs in a new operator of a role, in a browser of their own."""

    def sign_in(role: Role) -> Visitor:
        return Visitor(app.test_client()).enter(session, make_operator(session, role))

    return sign_in


@pytest.fixture
def admin(signed_in: Callable[[Role], Visitor]) -> Visitor:
    return signed_in(Role.ADMIN)


@pytest.fixture
def marketer(signed_in: Callable[[Role], Visitor]) -> Visitor:
    return signed_in(Role.MARKETER)


@pytest.fixture
def coach(signed_in: Callable[[Role], Visitor]) -> Visitor:
    return signed_in(Role.COACH)


@pytest.fixture
def number(session: Session) -> Number:
    return make_number(session)


@pytest.fixture
def ada(session: Session) -> Person:
    return make_person(session, first_name="Ada", last_name="Lovelace")


@pytest.fixture
def conversation(session: Session, number: Number, ada: Person) -> Conversation:
    """Ada wrote "hello" an hour ago."""
    at = datetime.now(UTC) - timedelta(hours=1)
    found = make_conversation(session, ada, number, last_inbound_at=at)
    make_inbound(session, ada, number, occurred_at=at)
    session.commit()
    return found


@pytest.fixture
def rich(session: Session, number: Number, ada: Person) -> Person:
    """Ada with something of everything."""
    properties.declare(session, "live", {"grade": PropertyType.NUMBER, "member": PropertyType.BOOLEAN})
    ada.attributes = {"grade": 7, "member": True, "old": "undeclared"}
    make.make_address(session, ada, AddressKind.EMAIL, "ada@example.org")
    make.make_segment(session, [ada], name="Spring course")
    make.make_conversation(session, ada, number)
    accepted(session, ada, number, 3, "Your parcel is here", provider_message_id="wamid.parcel")
    make.make_inbound(session, ada, number, "Thanks!", reply_to_provider_message_id="wamid.parcel")
    session.commit()
    return ada
