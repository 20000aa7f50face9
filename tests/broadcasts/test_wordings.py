"""Everybody reads the wording of their variant that is nearest to their language."""

import pytest
from sqlalchemy import select

from bot.messages import policy
from bot.messages.policy import Policy
from bot.models.broadcast import BroadcastWording
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.audience import frequency
from broadcasts.audience.wordings import Wording, choose
from broadcasts.broadcasts import BroadcastError
from broadcasts.preflight import gate
from tests.broadcasts import campaigns
from tests.broadcasts.campaigns import messages, settle

OWN = Wording(None, 0, "en_us", is_fallback=True)
PT_BR = Wording(1, 0, "pt_br", is_fallback=False)
PT = Wording(2, 0, "pt", is_fallback=False)
EN_GB = Wording(3, 0, "en_gb", is_fallback=False)
B = Wording(4, 1, "en", is_fallback=True)
B_PT = Wording(5, 1, "pt_br", is_fallback=False)


@pytest.mark.parametrize(
    "offered, variant, language, chosen",
    [
        ([OWN, PT_BR, PT], 0, "pt_BR", 1),
        ([OWN, PT_BR, PT], 0, "pt-br", 1),
        ([OWN, PT_BR, PT], 0, "pt", 2),
        ([OWN, PT_BR, PT], 0, "pt_PT", 2),
        ([OWN, PT_BR], 0, "pt", 1),
        ([OWN, PT_BR], 0, "pt_PT", 1),
        ([OWN, PT_BR], 0, "fr", None),
        ([OWN, PT_BR], 0, None, None),
        ([OWN, PT_BR], 0, "", None),
        ([OWN, EN_GB], 0, "en", None),  # near to both: the draft's own goes first
        ([OWN, EN_GB], 0, "en_GB", 3),
        ([OWN, PT_BR, B, B_PT], 1, "pt", 5),
        ([OWN, PT_BR, B, B_PT], 1, "fr", 4),
        ([OWN, B], 0, "en", None),
    ],
)
def test_the_wording_nearest_to_ones_language_is_chosen(
    offered: list[Wording], variant: int, language: str | None, chosen: int | None
) -> None:
    assert choose(offered, variant, language) == chosen


def test_messages_name_the_wording_of_their_person(rt: Runtime) -> None:
    broadcast_id = campaigns.make_running(
        rt,
        profiles=[{"language": "pt"}, {"language": "de"}, {}],
        wordings=[{"language": "pt_BR", "template_language": "pt_BR"}],
    )
    with rt.transaction() as session:
        mine = select(BroadcastWording).where(BroadcastWording.broadcast_id == broadcast_id)
        portuguese = session.scalars(mine).one()

    assert [each.wording_id for each in messages(rt, broadcast_id)] == [portuguese.id, None, None]
    assert portuguese.frozen_template is not None


def test_a_time_on_each_persons_clock_and_a_first_part_do_not_go_together(rt: Runtime) -> None:
    wall = campaigns.local_tomorrow()
    broadcast_id = campaigns.make_draft(rt, local_time=wall, canary_percent=5)

    with pytest.raises(BroadcastError, match="nobody can go first"):
        campaigns.launch(rt, broadcast_id)
    assert gate.of_times(campaigns.get(rt, broadcast_id), campaigns.get(rt, broadcast_id).created_at)


@pytest.mark.parametrize(
    "heeds, category, skipped", [(True, "MARKETING", 2), (False, "MARKETING", 0), (True, "UTILITY", 0)]
)
def test_whoever_got_as_much_marketing_as_allowed_gets_no_more(
    rt: Runtime, category: str, skipped: int, *, heeds: bool
) -> None:
    """Of three people two got both of the last two broadcasts, and the third one of them."""
    with rt.transaction() as session:
        policy.change(session, "live", Policy(frequency_messages=2), None)
    first = campaigns.make_running(rt, 3, category="MARKETING")
    settle(rt, first)
    second = campaigns.send_again(rt, first)
    settle(rt, second, limit=2)
    third = campaigns.send_again(rt, first, heeds_frequency=heeds, category=category)
    jobs.work()

    refused = [each for each in campaigns.audience(rt, third) if each.refusal]
    assert len(refused) == skipped
    assert {each.refusal for each in refused} <= {frequency.ENOUGH}
    assert campaigns.counts(rt, third).skipped == skipped
