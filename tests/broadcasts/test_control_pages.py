"""The buttons of a broadcast on its way and afterwards; each page says what it would do before it does it."""

from collections.abc import Callable

import pytest

from bot.messages import policy
from bot.messages.policy import Policy
from bot.models.words import BroadcastState, Role
from bot.runtime import Runtime
from tests.broadcasts import campaigns
from tests.broadcasts.campaigns import settle, state
from tests.broadcasts.test_control import make_failed
from tests.dashboard.visitor import Visitor


def path(broadcast_id: int, what: str) -> str:
    return f"/broadcasts/{broadcast_id}/{what}"


def test_the_page_tells_who_would_be_tried_again_and_the_button_makes_it_so(rt: Runtime, marketer: Visitor) -> None:
    broadcast_id = make_failed(rt)

    asked = marketer.get(path(broadcast_id, "retry"))
    made = marketer.post(path(broadcast_id, "retry"), {"why": "the provider was away"})

    assert "2 of the 7 who failed are worth another try" in asked.text
    assert "They want no marketing." in asked.text
    assert made.status_code == 303
    child_id = int(made.location.rpartition("/")[2])
    assert campaigns.get(rt, child_id).parent_id == broadcast_id
    again = marketer.post(path(broadcast_id, "retry"))
    assert again.status_code == 422
    assert "retried already" in again.text


def test_above_the_threshold_the_page_asks_how_many_are_tried_again(rt: Runtime, marketer: Visitor) -> None:
    broadcast_id = make_failed(rt)
    assert 'name="people"' not in marketer.get(path(broadcast_id, "retry")).text
    with rt.transaction() as session:
        policy.change(session, "live", Policy(type_count_above=1), None)
    assert 'name="people"' in marketer.get(path(broadcast_id, "retry")).text
    for typed in ({}, {"people": "3"}):
        refused = marketer.post(path(broadcast_id, "retry"), typed)
        assert (refused.status_code, 'name="people"' in refused.text, "type" in refused.text) == (422, True, True)

    assert marketer.post(path(broadcast_id, "retry"), {"people": "2"}).status_code == 303


def test_a_pace_that_is_none_is_refused_with_the_remedy(rt: Runtime, marketer: Visitor) -> None:
    broadcast_id = campaigns.make_running(rt)
    assert "Messages a second" in marketer.get(path(broadcast_id, "pace")).text
    for wrong in ("fast", "0", "-3", "99999999999"):
        refused = marketer.post(path(broadcast_id, "pace"), {"pace": wrong})
        assert (refused.status_code, campaigns.get(rt, broadcast_id).pace_per_s) == (422, None)

    marketer.post(path(broadcast_id, "pace"), {"pace": "12"})

    assert campaigns.get(rt, broadcast_id).pace_per_s == 12
    settle(rt, broadcast_id)
    campaigns.tick(rt)
    assert marketer.post(path(broadcast_id, "pace"), {"pace": "5"}).status_code == 409


def test_a_duplicate_opens_as_a_draft(rt: Runtime, marketer: Visitor) -> None:
    broadcast_id = campaigns.make_running(rt)

    made = marketer.post(path(broadcast_id, "duplicate"))

    assert state(rt, int(made.location.rpartition("/")[2])) == BroadcastState.DRAFT


def test_a_scheduled_broadcast_is_made_a_draft_again(rt: Runtime, marketer: Visitor) -> None:
    tomorrow = campaigns.tomorrow()
    broadcast_id = campaigns.make_draft(rt, scheduled_at=tomorrow)
    campaigns.launch(rt, broadcast_id)

    assert marketer.post(path(broadcast_id, "unschedule")).status_code == 303
    assert state(rt, broadcast_id) == BroadcastState.DRAFT
    assert marketer.post(path(broadcast_id, "unschedule")).status_code == 409


def test_one_that_could_not_begin_is_made_a_draft_again_from_its_page(rt: Runtime, marketer: Visitor) -> None:
    broadcast_id = campaigns.make_draft(rt, scheduled_at=campaigns.tomorrow())
    campaigns.launch(rt, broadcast_id)
    assert "Back to a draft" not in marketer.get(f"/broadcasts/{campaigns.make_running(rt)}").text
    marketer.post(path(broadcast_id, "pause"))
    assert "Back to a draft" in marketer.get(f"/broadcasts/{broadcast_id}").text

    assert marketer.post(path(broadcast_id, "unschedule")).status_code == 303

    assert state(rt, broadcast_id) == BroadcastState.DRAFT


@pytest.mark.parametrize("what", ["pause", "resume", "cancel", "pace", "retry", "duplicate", "unschedule"])
def test_coaches_control_no_broadcasts(rt: Runtime, sign_in: Callable[[Role], Visitor], what: str) -> None:
    assert sign_in(Role.COACH).post(path(campaigns.make_running(rt), what)).status_code == 403


def test_what_is_done_to_a_broadcast_that_is_not_there_is_not_found(marketer: Visitor) -> None:
    for what in ("pause", "resume", "cancel", "pace", "retry", "duplicate", "unschedule"):
        assert marketer.post(path(10**9, what)).status_code == 404
