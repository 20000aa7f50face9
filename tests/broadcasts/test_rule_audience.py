"""A broadcast to a segment by rule goes to whom it matched at its launch, whatever changes while it is prepared."""

from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import failpoints
from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.message import Message
from bot.models.person import Person
from bot.models.segment import Segment
from bot.models.words import BroadcastState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.broadcasts import BroadcastError
from broadcasts.control import lifecycle
from broadcasts.drafting import preview
from broadcasts.results import ledger
from broadcasts.running import materialising
from broadcasts.segments import editing, segments
from broadcasts.transitions import NOBODY
from tests import factories

IN_EGYPT = {"version": 1, "all": [{"what": "country", "operator": "is", "value": "EG"}]}


def make_draft(rt: Runtime, people: int = 25, rule: dict[str, Any] = IN_EGYPT) -> int:
    with rt.transaction() as session:
        number = factories.make_number(session)
        for _ in range(people):
            factories.make_person(session, country="EG")
        factories.make_person(session, country="DE")
        segment = editing.create_rule(session, "live", "Egypt", rule)
        template = factories.make_template(session, number.connection)
        return factories.make_broadcast(session, number, segment, template).id


def launch(rt: Runtime, broadcast_id: int) -> None:
    with rt.transaction() as session:
        lifecycle.launch(session, broadcast_id, NOBODY)


def everybody_moves(rt: Runtime) -> None:
    with rt.transaction() as session:
        session.execute(update(Person).values(country="DE"))


def sent_to(rt: Runtime, broadcast_id: int) -> list[int]:
    with rt.transaction() as session:
        found = select(Message.person_id).where(Message.broadcast_id == broadcast_id).order_by(Message.person_id)
        return list(session.scalars(found))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materialising, "CHUNK_PEOPLE", 10)


def test_it_goes_to_whom_the_rule_matched_at_launch(rt: Runtime, small_chunks: None) -> None:
    broadcast_id = make_draft(rt)
    launch(rt, broadcast_id)
    with rt.transaction() as session:
        assert materialising.materialise(session, broadcast_id)  # writes down who they are
        assert materialising.materialise(session, broadcast_id)  # the first ten
        assert ledger.counts(session, broadcast_id).audience == 25
    everybody_moves(rt)
    jobs.work()
    with rt.transaction() as session:
        counts = ledger.counts(session, broadcast_id)
        assert (counts.audience, counts.waiting) == (25, 25)
        assert session.get_one(Broadcast, broadcast_id).state == BroadcastState.RUNNING
    assert len(set(sent_to(rt, broadcast_id))) == 25


def test_a_worker_that_dies_while_writing_them_down_leaves_nothing(rt: Runtime) -> None:
    broadcast_id = make_draft(rt)
    launch(rt, broadcast_id)
    failpoints.arm("AU2:raise:1")
    try:
        with pytest.raises(failpoints.FailpointError), rt.transaction() as session:
            materialising.materialise(session, broadcast_id)
    finally:
        failpoints.arm("")
        failpoints._passed.clear()
    with rt.transaction() as session:
        assert session.scalar(select(func.count()).select_from(AudiencePerson)) == 0
    jobs.work()
    assert len(sent_to(rt, broadcast_id)) == 25


def test_paused_before_anybody_is_known_it_goes_on_to_find_them(rt: Runtime) -> None:
    broadcast_id = make_draft(rt)
    launch(rt, broadcast_id)
    with rt.transaction() as session:
        lifecycle.pause(session, broadcast_id, NOBODY)
    jobs.work()
    assert sent_to(rt, broadcast_id) == []
    with rt.transaction() as session:
        lifecycle.resume(session, broadcast_id, NOBODY)
    jobs.work()
    assert len(sent_to(rt, broadcast_id)) == 25


def test_paused_half_way_it_goes_on_where_it_stood(rt: Runtime, small_chunks: None) -> None:
    broadcast_id = make_draft(rt)
    launch(rt, broadcast_id)
    with rt.transaction() as session:
        materialising.materialise(session, broadcast_id)
        materialising.materialise(session, broadcast_id)
        lifecycle.pause(session, broadcast_id, NOBODY)
        lifecycle.resume(session, broadcast_id, NOBODY)
        assert session.get_one(Broadcast, broadcast_id).state == BroadcastState.MATERIALISING
    jobs.work()
    assert len(sent_to(rt, broadcast_id)) == 25


def test_the_rule_stays_as_it_is_until_its_people_are_written_down(rt: Runtime) -> None:
    broadcast_id = make_draft(rt)
    launch(rt, broadcast_id)
    with rt.transaction() as session, pytest.raises(segments.SegmentError, match="was launched and is just asking"):
        editing.change_rule(session, session.scalars(select(Segment)).one(), IN_EGYPT)
    jobs.work()
    with rt.transaction() as session:
        editing.change_rule(session, session.scalars(select(Segment)).one(), IN_EGYPT)


def test_a_rule_that_matches_nobody_is_no_audience(rt: Runtime) -> None:
    broadcast_id = make_draft(rt, people=0)
    with pytest.raises(BroadcastError, match="The rule of Egypt matches nobody"):
        launch(rt, broadcast_id)


def test_a_draft_is_previewed_with_whom_the_rule_matches_now(rt: Runtime) -> None:
    broadcast_id = make_draft(rt, people=3)
    with rt.transaction() as session:
        draft = session.get_one(Broadcast, broadcast_id)
        assert [read.text.body for seen in preview.people(session, draft) for read in seen.readings] == [
            "Hello Ada"
        ] * 3


def add(session: Session, row: AudiencePerson) -> None:
    session.add(row)
    session.flush()


def test_the_database_itself_keeps_the_other_environment_out_of_an_audience(rt: Runtime) -> None:
    broadcast_id = make_draft(rt)
    with rt.transaction() as session:
        stranger = factories.make_person(session, environment="test").id
    for environment in ("live", "test"):
        with rt.sessions() as session, pytest.raises(IntegrityError):
            add(session, AudiencePerson(broadcast_id=broadcast_id, person_id=stranger, environment=environment))
