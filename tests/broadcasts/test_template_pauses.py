"""A broadcast whose template cannot be sent any more pauses itself and says why, however that is learned."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.connections import template_history
from bot.models.broadcast import Broadcast, BroadcastTransition, BroadcastWording, Template
from bot.models.connection import Number
from bot.providers.events import TemplateChange
from broadcasts.templates import listed
from tests import factories
from webhooks import accounts
from webhooks.placing import Item

UNSENDABLE = [
    ("PAUSED", "WhatsApp paused it"),
    ("DISABLED", "WhatsApp disabled it"),
    ("REJECTED", "was rejected"),
    ("PENDING", "reviews it again"),
    ("IN_APPEAL", "in appeal"),
    ("LIMIT_EXCEEDED", "may not be appealed again"),
    ("ARCHIVED", "is archived"),
    ("PENDING_DELETION", "is being deleted"),
    ("DELETED", "was deleted"),
]
BODY = {"type": "BODY", "text": "Hello {{1}}!"}


@pytest.fixture
def number(session: Session) -> Number:
    return factories.make_number(session)


@pytest.fixture
def running(session: Session, number: Number) -> Broadcast:
    """Under way with the template hello."""
    template = factories.make_template(session, number.connection, name="hello", language="en_US", components=[BODY])
    return factories.make_broadcast(session, number, factories.make_segment(session), template, state="running")


def variant(session: Session, running: Broadcast, number: Number) -> Template:
    """Another wording of the broadcast under way."""
    other = factories.make_template(session, number.connection, name="other", language="en_US", components=[BODY])
    session.add(BroadcastWording(broadcast_id=running.id, variant=1, template_id=other.id, slots={}))
    session.flush()
    return other


def webhook(session: Session, number: Number, status: str, name: str = "hello") -> None:
    change = TemplateChange("/0", "waba", "77", name, "en_US", status=status, occurred_at=datetime.now(UTC))
    accounts.apply(session, [Item(1, number.connection_id, change)])


def sync(session: Session, number: Number, status: str, name: str = "hello") -> None:
    about: dict[str, Any] = {"name": name, "language": "en_US", "category": "UTILITY", "components": [BODY]}
    both = [about | {"status": status}, about | {"name": "hello" if name != "hello" else "third", "status": "APPROVED"}]
    listed.keep(session, number.connection, both, datetime.now(UTC))


def told(session: Session) -> tuple[str, str | None, str | None]:
    session.expire_all()
    found = session.scalars(select(Broadcast)).one()
    line = session.scalars(select(BroadcastTransition.why).order_by(BroadcastTransition.id.desc())).first()
    return found.state, found.reason, line


@pytest.mark.parametrize("status, words", UNSENDABLE)
@pytest.mark.parametrize("learn", [webhook, sync])
def test_a_template_that_cannot_be_sent_pauses_its_broadcast(
    session: Session, number: Number, running: Broadcast, status: str, words: str, learn: Any
) -> None:
    learn(session, number, "APPROVED")
    assert told(session)[0] == "running"
    learn(session, number, status)
    state, reason, line = told(session)
    assert state == "paused"
    assert words in (reason or "")
    assert reason == line


@pytest.mark.parametrize("learn", [webhook, sync])
def test_a_template_of_one_of_its_variants_pauses_it_as_well(
    session: Session, number: Number, running: Broadcast, learn: Any
) -> None:
    variant(session, running, number)
    learn(session, number, "PAUSED", "other")
    state, reason, _ = told(session)
    assert (state, "The template other (en_US)" in (reason or "")) == ("paused", True)


def test_the_news_of_another_template_leave_it_alone(session: Session, number: Number, running: Broadcast) -> None:
    webhook(session, number, "PAUSED", "another")
    sync(session, number, "DISABLED", "another")
    assert told(session)[0] == "running"


def test_a_template_s_history_says_what_it_was_and_who_said_so(
    session: Session, number: Number, running: Broadcast
) -> None:
    for learn, status in ((sync, "APPROVED"), (webhook, "PAUSED"), (webhook, "PAUSED"), (sync, "PAUSED")):
        learn(session, number, status)
    webhook(session, number, "APPROVED")
    lines = template_history.of(session, running.template_id)
    assert [(line.status, line.source) for line in lines] == [
        ("APPROVED", "webhook"),
        ("PAUSED", "webhook"),
        ("APPROVED", "list"),
    ]
