"""Wherever a pace is shown it says whether the number sends slower for now, since when and why."""

from datetime import UTC, datetime

from bot.messages import pacing
from bot.messages.pacing import Bucket
from bot.models.broadcast import Broadcast
from bot.runtime import Runtime
from broadcasts.api import preflight_shapes, shapes
from broadcasts.results import standing
from tests.broadcasts import campaigns
from tests.broadcasts.test_ledger import shown
from tests.dashboard.visitor import Visitor

RATE = 6000
"""So much that it cannot have risen to all of it before somebody looks."""


def test_a_number_that_was_told_too_fast_says_so_where_its_pace_is_shown(rt: Runtime, marketer: Visitor) -> None:
    draft = campaigns.make_draft(rt, number={"pace_per_s": RATE})
    running = campaigns.send_again(rt, draft)
    number_id = campaigns.get(rt, draft).number_id
    pages = (f"/broadcasts/{running}", f"/broadcasts/{running}/pace", f"/broadcasts/{draft}/preflight")
    assert pacing.learned(rt.redis, number_id, RATE) is None
    assert not any("too fast" in marketer.get(page).text for page in pages)

    before = datetime.now(UTC)
    Bucket(rt.redis, number_id, RATE).slow()

    for page in pages:
        said = shown(marketer.get(page).text)
        assert "instead of 6,000: since" in said, page
        assert "WhatsApp has answered that it is too fast" in said, page
    with rt.transaction() as session:
        stands = standing.of(session, running)
        told = shapes.whole(session, session.get_one(Broadcast, running))["learned"]
        foreseen = preflight_shapes.of(session, session.get_one(Broadcast, draft))["timing"]
    assert stands.learned is not None
    assert 3000 <= stands.learned.per_s < RATE
    assert before.replace(microsecond=0) <= stands.learned.since < stands.learned.whole_at
    assert (told["rate"], foreseen["learned"]["rate"], foreseen["pace_per_s"]) == (RATE, RATE, RATE)


def test_a_number_that_has_its_whole_pace_again_says_nothing(rt: Runtime) -> None:
    Bucket(rt.redis, 1, RATE).slow()
    assert pacing.learned(rt.redis, 1, RATE) is not None
    rt.redis.hset("backchat:pace:1", "learned_at", "1")
    assert pacing.learned(rt.redis, 1, RATE) is None
