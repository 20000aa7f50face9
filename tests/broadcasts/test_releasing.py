"""Who is presumed unsent gets it once more only where somebody says so, and the timeline tells who did."""

import pytest

from bot.models.words import BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts.broadcasts import BroadcastError
from broadcasts.control import lifecycle, releasing
from broadcasts.results import ledger
from broadcasts.running import settling
from broadcasts.transitions import NOBODY, timeline
from tests.broadcasts.launches import make_running, set_states, state_of


def test_a_finished_broadcast_goes_on_for_those_it_is_sent_to_once_more(rt: Runtime) -> None:
    broadcast_id = make_running(rt)
    set_states(rt, broadcast_id, MessageState.ACCEPTED, MessageState.PRESUMED_UNSENT, MessageState.UNKNOWN)
    with rt.transaction() as session:
        settling.settle(session)
        assert ledger.figures(session, broadcast_id).unsent == 1
    with rt.transaction() as session:
        assert releasing.release(session, broadcast_id, NOBODY, "they asked") == 1

    assert state_of(rt, broadcast_id) == BroadcastState.RUNNING
    with rt.transaction() as session:
        found = ledger.counts(session, broadcast_id)
        assert (found.accepted, found.waiting, found.in_doubt, found.audience) == (1, 1, 1, 3)
        assert timeline(session, broadcast_id)[-1].transition.why == "Once more to 1 presumed unsent. they asked"


def test_with_nobody_presumed_unsent_there_is_nothing_to_send_once_more(rt: Runtime) -> None:
    broadcast_id = make_running(rt)
    with pytest.raises(BroadcastError, match="Nobody is presumed unsent"), rt.transaction() as session:
        releasing.release(session, broadcast_id, NOBODY)
    set_states(rt, broadcast_id, MessageState.PRESUMED_UNSENT)
    with rt.transaction() as session:
        lifecycle.cancel(session, broadcast_id, NOBODY)
    with pytest.raises(BroadcastError, match="is cancelled"), rt.transaction() as session:
        releasing.release(session, broadcast_id, NOBODY)
