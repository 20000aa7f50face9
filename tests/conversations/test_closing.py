"""Many conversations closed at once can be opened again as they were; the rule closes what went quiet."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.conversations import closing, rounds, threads
from bot.conversations.threads import Received
from bot.models.connection import Number
from bot.models.conversation import Conversation, Episode
from bot.models.inbox import BulkClose, InboxPolicy
from bot.runtime import Runtime
from tests.factories import make_number, make_operator, make_person

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def number(session: Session) -> Number:
    return make_number(session)


def come_in(session: Session, number: Number, people: int, at: datetime = NOW) -> list[int]:
    items = [Received(make_person(session).id, at) for _ in range(people)]
    return [change.conversation_id for change in threads.receive(session, number, items).values()]


def states(session: Session, ids: list[int]) -> list[tuple[str, int, datetime | None]]:
    session.expire_all()
    found = [session.get_one(Conversation, id_) for id_ in ids]
    return [(each.state, each.unread_count, each.waiting_since) for each in found]


def close(session: Session, ids: list[int], operator_id: int) -> int:
    bulk_id = closing.begin(session, "live", operator_id)
    closing.close(session, bulk_id, "live", ids, operator_id)
    return bulk_id


def test_an_undo_opens_them_as_they_were_but_for_what_happened_since(session: Session, number: Number) -> None:
    coach = make_operator(session)
    ids = come_in(session, number, 3)
    before = states(session, ids)
    bulk_id = close(session, ids, coach.id)
    assert states(session, ids) == [("closed", 0, None)] * 3
    told = session.execute(select(Episode.closed_by_operator_id, Episode.closed_without_reply)).all()
    assert [tuple(each) for each in told] == [(coach.id, True)] * 3
    again = session.get_one(Conversation, ids[2])
    threads.receive(session, number, [Received(again.person_id, NOW + timedelta(minutes=2))])
    assert closing.undo(session, bulk_id, coach.id) == 2
    assert states(session, ids)[:2] == before[:2]
    open_now = select(Episode.conversation_id).where(Episode.closed_at.is_(None)).order_by(Episode.conversation_id)
    assert list(session.scalars(open_now)) == sorted(ids)
    assert closing.undo(session, bulk_id, coach.id) is None


@pytest.mark.parametrize("whose", ["too late", "somebody else's"])
def test_an_undo_is_refused(session: Session, number: Number, whose: str) -> None:
    coach, other = make_operator(session), make_operator(session)
    ids = come_in(session, number, 1)
    bulk_id = close(session, ids, coach.id)
    if whose == "too late":
        session.execute(update(BulkClose).values(at=NOW - timedelta(minutes=5)))
    assert closing.undo(session, bulk_id, coach.id if whose == "too late" else other.id) is None
    assert states(session, ids)[0][0] == "closed"


def test_nothing_of_another_environment_is_closed(session: Session, number: Number) -> None:
    coach = make_operator(session)
    ids = come_in(session, number, 1)
    bulk_id = closing.begin(session, "test", coach.id)
    assert closing.close(session, bulk_id, "test", ids, coach.id) == 0
    assert states(session, ids)[0][0] == "open"


def test_the_rule_closes_what_went_quiet_and_says_that_it_was_the_rule(
    rt: Runtime, session: Session, number: Number
) -> None:
    [quiet] = come_in(session, number, 1, NOW - timedelta(hours=5))
    [busy] = come_in(session, number, 1, NOW - timedelta(hours=3))
    session.commit()
    rounds.close_idle(rt)
    assert [state for state, *_ in states(session, [quiet, busy])] == ["open", "open"]
    session.add(InboxPolicy(environment="live", close_after_h=4))
    session.commit()
    rounds.close_idle(rt)
    assert [state for state, *_ in states(session, [quiet, busy])] == ["closed", "open"]
    episode = session.scalars(select(Episode).where(Episode.conversation_id == quiet)).one()
    assert (episode.closed_by_rule, episode.closed_by_operator_id, episode.closed_without_reply) == (True, None, True)


def test_a_message_that_comes_in_the_same_moment_wins_over_the_rule(live_rt: Runtime) -> None:
    with live_rt.transaction() as session:
        number = make_number(session)
        session.add(InboxPolicy(environment="live", close_after_h=4))
        [id_] = come_in(session, number, 1, NOW - timedelta(hours=5))
        person_id = session.get_one(Conversation, id_).person_id
    with live_rt.transaction() as session:
        threads.receive(session, number, [Received(person_id, NOW)])
        rounds.close_idle(live_rt)  # finds the row held, and leaves it
    with live_rt.sessions() as session:
        assert states(session, [id_])[0][0] == "open"
