"""Case 144: whatever is done to an outbox, and in whatever order, its invariants hold after every step."""

from collections import Counter
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, text

from bot.runtime import Runtime
from broadcasts.results import ledger
from tests.harness.sizes import sizes
from tests.harness.world import DEEDS, World

deeds = st.sampled_from([name for name, often in DEEDS.items() for _ in range(often)])

_TOLD = text("""
    SELECT m.id, m.delivery_level, m.possible_duplicate, m.state,
           coalesce(max(array_position(ARRAY['sent', 'delivered', 'read'], e.status)), 0) AS recount
      FROM message m LEFT JOIN status_event e ON e.message_id = m.id
     WHERE m.direction = 'out' GROUP BY m.id
""")
_SOURCES = text("SELECT source_key FROM message WHERE source_key IS NOT NULL")
_UNOWNED = text("SELECT id FROM message WHERE state IN ('claimed', 'wire') AND (owner IS NULL OR lease_until IS NULL)")


class Outbox(RuleBasedStateMachine):
    """One rule for all deeds: hypothesis leaves some rules out of each run, and without a sender nothing happens."""

    engine: ClassVar[Engine]
    world: World | None = None

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.connection = self.engine.connect()
        self.outer = self.connection.begin()
        self.world = World(self.connection)
        self.levels: dict[int, int] = {}
        self.world.launch(data.draw)
        self.world.make_messages(data.draw)

    @rule(deed=deeds, data=st.data())
    def do(self, deed: str, data: st.DataObject) -> None:
        getattr(self.world, deed)(data.draw)

    def teardown(self) -> None:
        if self.world:
            self.world.session.close()
            self.outer.rollback()
            self.connection.close()

    @invariant()
    def each_source_has_one_row(self) -> None:
        if self.world:
            rows = Counter(self.world.session.scalars(_SOURCES))
            assert set(rows.values()) <= {1}, "I3: two rows for one source"
            assert self.world.asked_for <= set(rows), "I3: somebody was forgotten"

    @invariant()
    def nobody_is_sent_twice(self) -> None:
        if self.world:
            known, provider = self.rows(), self.world.provider
            assert set(provider.accepted.values()) == {1}, "I4: accepted twice"
            assert set(provider.asked.values()) <= {1}, "I4: two requests for one attempt"
            assert all(known[id_].possible_duplicate for id_, again in provider.accepted if again), "I4: unmarked"
            accepted = {id_ for id_, row in known.items() if row.state == "accepted"}
            assert accepted <= {id_ for id_, _ in provider.accepted}, "lost: nobody accepted it"

    @invariant()
    def the_parts_are_the_audience(self) -> None:
        if self.world:
            for id_, counts in ledger.counts_of(self.world.session, list(self.world.audiences)).items():
                parts = [counts.accepted, counts.failed, counts.skipped, counts.cancelled, counts.waiting]
                people = sum(parts) + counts.in_doubt
                assert people == counts.audience == self.world.audiences[id_], "I5: the parts are not the audience"

    @invariant()
    def delivery_never_falls(self) -> None:
        if self.world:
            for id_, row in self.rows().items():
                assert row.delivery_level >= self.levels.get(id_, 0), "I6: delivery fell"
                assert row.delivery_level == row.recount, "I6: not what was reported"
                self.levels[id_] = row.delivery_level

    @invariant()
    def whoever_is_in_hand_has_an_owner(self) -> None:
        if self.world:
            assert self.world.session.scalars(_UNOWNED).all() == [], "I10: nobody's, and nobody's to sweep"

    def rows(self) -> dict[int, Any]:
        assert self.world
        return {row.id: row for row in self.world.session.execute(_TOLD)}


@pytest.mark.parametrize("runs, steps", sizes((5, 60), (40, 50), (200, 50)))
def test_the_invariants_hold_after_every_step(rt: Runtime, runs: int, steps: int) -> None:
    """I7, that nothing leaves once it was stopped, is looked at where the world marks."""
    Outbox.engine = rt.engine
    run_state_machine_as_test(
        Outbox,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=runs < 20,
            phases=[Phase.generate],  # to shrink what was found takes longer than a test may
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
