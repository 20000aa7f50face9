"""A broadcast goes once to everybody who is in its segment when it is launched, and the numbers always add up."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, func, insert, select, update

from bot import failpoints
from bot.models.broadcast import Broadcast, BroadcastTransition, Template
from bot.models.message import Message
from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember
from bot.models.words import AddressKind, BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.broadcasts import AlreadyLaunchedError, BroadcastError
from broadcasts.control import lifecycle
from broadcasts.drafting import drafts
from broadcasts.drafting.drafts import Wanted
from broadcasts.results.ledger import PART_OF
from broadcasts.running import materialising
from broadcasts.transitions import NOBODY, Actor
from tests import factories
from tests.broadcasts import lists
from tests.broadcasts.launches import (
    counts,
    launch,
    make_draft,
    make_launched,
    make_running,
    set_states,
    state_of,
    told,
)


@pytest.fixture(autouse=True)
def _no_failpoint() -> Iterator[None]:
    yield
    failpoints.arm("")
    failpoints._passed.clear()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materialising, "CHUNK_PEOPLE", 10)


def test_launching_prepares_a_message_for_everybody_and_then_runs(rt: Runtime) -> None:
    broadcast_id = make_launched(rt)
    with rt.transaction() as session:
        materialising.materialise(session, broadcast_id)  # writes down who they are
    before = counts(rt, broadcast_id)
    jobs.work()

    with rt.transaction() as session:
        messages = session.scalars(select(Message).where(Message.broadcast_id == broadcast_id)).all()
    assert state_of(rt, broadcast_id) == BroadcastState.RUNNING
    assert [message.state for message in messages] == [MessageState.QUEUED] * 3
    assert (before.audience, before.waiting) == (3, 3)
    assert counts(rt, broadcast_id) == before
    assert told(rt, broadcast_id) == [("draft", "materialising"), ("materialising", "running")]
    assert rt.redis.keys("backchat:rung:*") == [b"backchat:rung:send"]


def test_of_many_who_launch_at_once_one_does(live_rt: Runtime) -> None:
    broadcast_id = make_draft(live_rt)
    with live_rt.transaction() as session:
        operators = [factories.make_operator(session).id for _ in range(8)]
    ready = threading.Barrier(8)
    outcomes: list[type[Exception] | None] = []

    def click(operator_id: int) -> None:
        ready.wait()
        try:
            launch(live_rt, broadcast_id, Actor(operator_id=operator_id))
            outcomes.append(None)
        except BroadcastError as error:
            outcomes.append(type(error))

    clicks = [threading.Thread(target=click, args=[operator]) for operator in operators]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()

    assert sorted(outcomes, key=str) == [AlreadyLaunchedError] * 7 + [None]
    with live_rt.transaction() as session:
        lines = session.scalars(select(BroadcastTransition)).all()
        broadcast = session.get_one(Broadcast, broadcast_id)
    assert [line.operator_id for line in lines] == [broadcast.launched_by_operator_id]


def test_an_audience_is_who_was_in_the_segment_at_launch_however_often_the_worker_dies(
    rt: Runtime, small_chunks: None
) -> None:
    broadcast_id = make_draft(rt, people=60)
    with rt.transaction() as session:
        segment_id = session.scalars(select(Segment.id)).one()
        at_launch = set(session.scalars(select(SegmentMember.person_id)))
        # known before the launch, so that their ids are among those still to come when they join after it
        joining = [factories.make_person(session).id for _ in range(5)]
        member = {"segment_id": segment_id, "environment": "live", "person_id": 10**9}
        session.execute(insert(Person).values(id=10**9, environment="live", distinct_id="last", first_name="Zoe"))
        session.execute(insert(SegmentMember).values(member))
    launch(rt, broadcast_id)
    cursors = []
    for number, join in zip([1, 2, 1, 1, 2], joining, strict=True):
        failpoints._passed.clear()
        failpoints.arm(f"AU1:raise:{number}")
        with pytest.raises(failpoints.FailpointError):
            jobs.work()
        failpoints.arm("")
        with rt.transaction() as session:
            session.execute(insert(SegmentMember).values({**member, "person_id": join}))
            cursors.append(session.scalars(select(Broadcast.cursor)).one())
        assert counts(rt, broadcast_id).audience == 61
    jobs.work()

    with rt.transaction() as session:
        written_to = session.scalars(select(Message.person_id).where(Message.broadcast_id == broadcast_id)).all()
    assert sorted(written_to) == sorted({*at_launch, 10**9})
    assert cursors == sorted(cursors)
    assert counts(rt, broadcast_id).audience == 61


def test_whoever_must_not_be_written_to_is_counted_as_skipped(rt: Runtime) -> None:
    with rt.transaction() as session:
        number = factories.make_number(session)
        people = [
            factories.make_person(session),
            factories.make_person(session, enabled=False),
            factories.make_person(session, marketing_opted_out_at=datetime.now(UTC)),
            factories.make_person(session, phone=None),
        ]
        user = factories.make_person(session, phone=None)
        factories.make_address(session, user, AddressKind.USER_ID, "EG.1234")
        segment = factories.make_segment(session, [*people, user])
        template = factories.make_template(session, number.connection, category="MARKETING")
        broadcast = factories.make_broadcast(session, number, segment, template)
    launch(rt, broadcast.id)
    jobs.work()

    found = counts(rt, broadcast.id)
    assert (found.audience, found.waiting, found.skipped) == (5, 2, 3)


def test_every_state_a_message_can_have_is_in_exactly_one_part(rt: Runtime) -> None:
    states = [state for state in MessageState if state is not MessageState.RECEIVED]
    broadcast_id = make_running(rt, people=len(states))
    set_states(rt, broadcast_id, *states, delivery_level=3)

    found = counts(rt, broadcast_id)
    assert set(PART_OF) == set(states)
    assert found.as_dict() == {
        "audience": 9,
        "accepted": 1,
        "failed": 1,
        "skipped": 1,
        "cancelled": 1,
        "waiting": 3,
        "in_doubt": 2,
        "in_flight": 2,
        "attempted": 1,
        "sent": 9,
        "delivered": 9,
        "read": 9,
        "replied": 0,
        "opted_out": 0,
        "unread": 0,
        "unreplied": 1,
    }


def test_a_draft_cannot_be_launched_to_nobody_or_with_an_unapproved_template(rt: Runtime) -> None:
    broadcast_id = make_draft(rt, people=0, status="PAUSED")

    with pytest.raises(BroadcastError) as caught:
        launch(rt, broadcast_id)

    assert "is PAUSED, not APPROVED" in str(caught.value)
    assert "nobody in the segment" in str(caught.value)
    assert state_of(rt, broadcast_id) == BroadcastState.DRAFT


def test_a_template_that_is_edited_after_the_launch_does_not_change_what_is_sent(rt: Runtime) -> None:
    broadcast_id = make_launched(rt)
    with rt.transaction() as session:
        session.execute(update(Template).values(components=[{"type": "BODY", "text": "Other {{1}}"}]))
    jobs.work()

    with rt.transaction() as session:
        broadcast = session.get_one(Broadcast, broadcast_id)
    assert broadcast.frozen_template
    assert broadcast.frozen_template["components"] == factories.GREETING


def test_a_number_segment_and_template_must_belong_together(rt: Runtime) -> None:
    with rt.transaction() as session:
        number = factories.make_number(session)
        segment = factories.make_segment(session, environment="test")
        template = factories.make_template(session, factories.make_connection(session))

    wanted = Wanted(
        name="", number_id=number.id, template_id=template.id, segment_ids=[segment.id], slots={"body.2": "x"}
    )
    with pytest.raises(BroadcastError) as caught, rt.transaction() as session:
        drafts.create(session, "live", wanted)

    told = str(caught.value).splitlines()
    assert [line.split()[0] for line in told] == ["Give", "The", "The", "body.2:", "body.1"]


def test_a_launch_that_no_worker_heard_of_is_found_by_the_sweep(rt: Runtime) -> None:
    make_launched(rt)

    jobs.sweep(rt)

    assert rt.redis.keys("backchat:rung:*") == [b"backchat:rung:bulk"]


def test_a_person_who_is_erased_takes_their_message_along_and_the_numbers_still_add_up(rt: Runtime) -> None:
    broadcast_id = make_running(rt)
    with rt.transaction() as session:
        session.execute(delete(Person).where(Person.id == select(func.min(Person.id)).scalar_subquery()))

    assert counts(rt, broadcast_id).audience == 2


def test_a_launch_waits_for_the_import_that_is_adding_people(live_rt: Runtime) -> None:
    broadcast_id = make_draft(live_rt)
    with live_rt.sessions() as importing:
        segment = importing.scalars(select(Segment).with_for_update(read=True, key_share=True)).one()
        late = factories.make_person(importing)
        member = {"segment_id": segment.id, "person_id": late.id, "environment": "live"}
        importing.execute(insert(SegmentMember).values(member))
        launching = threading.Thread(target=launch, args=[live_rt, broadcast_id])
        launching.start()
        launching.join(0.7)
        assert launching.is_alive()
        importing.commit()
    launching.join()
    jobs.work()

    assert counts(live_rt, broadcast_id).audience == 4


def test_people_of_a_list_that_waited_for_the_launch_are_not_in_it(live_rt: Runtime) -> None:
    broadcast_id = make_draft(live_rt)
    with live_rt.transaction() as session:
        name = session.scalars(select(Segment.name)).one()
    lists.upload(live_rt, "user_id,phone_number\nlate,+201112345678\n", segment_name=name)
    with live_rt.sessions() as launching:
        launching.execute(select(Segment.id).with_for_update())
        importing = threading.Thread(target=lists.run_worker, args=[live_rt])
        importing.start()
        importing.join(0.7)
        assert importing.is_alive()
        lifecycle.launch(launching, broadcast_id, NOBODY)
        launching.commit()
    importing.join()
    jobs.work()

    assert "late" in lists.members(live_rt)
    assert counts(live_rt, broadcast_id).audience == 3
