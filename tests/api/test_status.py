"""GET /api/v1/messages/<id>."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.api.conftest import Shop

AT = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def test_a_message_tells_its_state_its_times_and_who_wrote_it(shop: Shop, session: Session) -> None:
    person = factories.make_person(session, distinct_id="customer-7")
    message = factories.make_outbound(
        session,
        person,
        shop.number,
        state="accepted",
        author_kind="api",
        token_id=shop.token.id,
        accepted_at=AT,
        delivered_at=AT,
    )
    told = shop.get(f"/api/v1/messages/{message.id}").json
    assert told is not None
    assert told["state"] == "accepted"
    assert told["author"] == {"kind": "api", "id": shop.token.id, "name": "shop"}
    assert told["person"]["distinct_id"] == "customer-7"
    assert (told["accepted_at"], told["read_at"]) == ("2026-03-01T12:00:00+00:00", None)
    assert told["error"] is None


def test_a_failure_tells_code_and_text(shop: Shop, session: Session) -> None:
    person = factories.make_person(session)
    failed: dict[str, Any] = {"state": "failed", "failed_at": AT, "error_code": 131026, "error_text": "not on WhatsApp"}
    message = factories.make_outbound(session, person, shop.number, **failed)
    told = shop.get(f"/api/v1/messages/{message.id}").json
    assert told is not None
    assert told["error"] == {"code": 131026, "text": "not on WhatsApp"}


@pytest.mark.parametrize("kind", ["stack", "coach", "automation", "in"])
def test_every_kind_of_author_can_be_told(shop: Shop, session: Session, kind: str) -> None:
    person = factories.make_person(session)
    operator, journey = factories.make_operator(session), factories.make_journey(session)
    columns: dict[str, Any] = {"stack": {"journey_id": journey.id}, "coach": {"operator_id": operator.id}}.get(kind, {})
    if kind == "in":
        message = factories.make_inbound(session, person, shop.number)
    else:
        message = factories.make_outbound(session, person, shop.number, author_kind=kind, **columns)
    told = shop.get(f"/api/v1/messages/{message.id}").json
    assert told is not None
    names = {"stack": journey.name, "coach": operator.name, "automation": None}
    assert told["author"] == (None if kind == "in" else {**told["author"], "kind": kind, "name": names[kind]})


def test_a_message_of_the_other_environment_does_not_exist(shop: Shop, session: Session) -> None:
    number = factories.make_number(session, environment="test")
    message = factories.make_outbound(session, factories.make_person(session, environment="test"), number)
    answer = shop.get(f"/api/v1/messages/{message.id}")
    assert answer.status_code == 404
