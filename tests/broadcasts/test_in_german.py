"""A marketer whose browser asks for German: pages speak it, what is written down stays English."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from bot.models.broadcast import BroadcastTransition
from bot.models.words import Role
from bot.runtime import Runtime
from tests.broadcasts.test_control import make_failed
from tests.dashboard.visitor import Visitor


@pytest.fixture
def german(marketer: Visitor) -> Visitor:
    marketer.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    return marketer


def test_a_page_asks_and_refuses_in_german_and_the_timeline_keeps_english(rt: Runtime, german: Visitor) -> None:
    broadcast_id = make_failed(rt)
    asked = german.get(f"/broadcasts/{broadcast_id}/retry").text
    assert "Bei 2 von 7 Fehlgeschlagenen lohnt ein weiterer Versuch." in asked
    assert "Sie wollen keine Werbung." in asked

    german.post(f"/broadcasts/{broadcast_id}/retry", {"why": "the provider was away"})

    assert "schon erneut versucht" in german.post(f"/broadcasts/{broadcast_id}/retry").text
    with rt.transaction() as session:
        told = session.scalars(select(BroadcastTransition.why).order_by(BroadcastTransition.id.desc())).first()
    assert told is not None
    assert "goes once more to 2 of the 7 who failed" in told


def test_a_file_that_cannot_be_read_is_refused_in_german(german: Visitor) -> None:
    german.get("/broadcasts/rates")
    refused = german.post(
        "/broadcasts/rates", {"country": "X", "category": "MARKETING", "price": "1", "currency": "USD"}
    )
    assert refused.status_code == 422
    assert "X ist kein Land" in refused.text


def test_the_policy_s_tab_is_shown_to_whoever_may_open_it(sign_in: Callable[[Role], Visitor]) -> None:
    assert 'href="/broadcasts/policy"' in sign_in(Role.ADMIN).get("/broadcasts").text
    assert 'href="/broadcasts/policy"' not in sign_in(Role.MARKETER).get("/broadcasts").text
