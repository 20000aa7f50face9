"""Who looks after a conversation: by hand, or shared out among coaches who are there, each up to what they take."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations import assigning, at_work, rounds, threads
from bot.conversations.assigning import AssignError
from bot.conversations.threads import Received
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.inbox import Assignment, InboxPolicy
from bot.models.team import Operator
from bot.models.words import Assigning, Role
from bot.runtime import Runtime
from tests.factories import make_number, make_operator, make_person

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def number(session: Session) -> Number:
    return make_number(session)


def come_in(session: Session, number: Number, people: int) -> list[int]:
    items = [Received(make_person(session).id, NOW - timedelta(minutes=people - each)) for each in range(people)]
    changes = threads.receive(session, number, items)
    return [changes[item.person_id].conversation_id for item in items]


def keep(session: Session, rule: Assigning, **columns: int) -> None:
    session.add(InboxPolicy(environment="live", assigning=rule, **columns))
    session.commit()


def present(rt: Runtime, *coaches: Operator) -> None:
    for coach in coaches:
        at_work.tell(rt.redis, coach.id)


def owners(session: Session, ids: list[int]) -> list[int | None]:
    session.expire_all()
    return [session.get_one(Conversation, id_).assigned_to_id for id_ in ids]


def test_a_hand_over_is_kept_with_who_did_it_and_the_word_that_went_with_it(session: Session, number: Number) -> None:
    [id_] = come_in(session, number, 1)
    ann, ben = make_operator(session, Role.COACH), make_operator(session, Role.COACH)
    assert assigning.assign(session, id_, ann.id, ann.id)
    assert not assigning.assign(session, id_, ann.id, ann.id)
    assert assigning.assign(session, id_, ben.id, ann.id, "knows the order")
    assert assigning.assign(session, id_, None, ben.id)
    told = session.scalars(select(Assignment).order_by(Assignment.id)).all()
    assert [(each.from_operator_id, each.to_operator_id, each.by_operator_id, each.remark) for each in told] == [
        (None, ann.id, ann.id, None),
        (ann.id, ben.id, ann.id, "knows the order"),
        (ben.id, None, ben.id, None),
    ]
    assert owners(session, [id_]) == [None]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MARKETER])
def test_nobody_is_given_what_they_may_not_answer(session: Session, number: Number, role: Role) -> None:
    [id_] = come_in(session, number, 1)
    with pytest.raises(AssignError, match="choose somebody else"):
        assigning.assign(session, id_, make_operator(session, role).id, make_operator(session).id)


def test_in_turn_everybody_who_is_there_gets_the_next(rt: Runtime, session: Session, number: Number) -> None:
    ann, ben, gone, away = (make_operator(session, Role.COACH) for _ in range(4))
    ids = come_in(session, number, 4)
    at_work.leave(session, away.id, is_away=True)
    keep(session, Assigning.ROUND_ROBIN)
    present(rt, ann, ben, away)
    rounds.share_out(rt)
    assert owners(session, ids) == [ann.id, ben.id, ann.id, ben.id]
    [more] = come_in(session, number, 1)
    session.commit()
    rounds.share_out(rt)
    assert owners(session, [more]) == [ann.id]
    assert gone.id not in owners(session, ids)
    rounds.share_out(rt)
    assert len(session.scalars(select(Assignment)).all()) == 5


def test_the_least_loaded_gets_the_next_and_nobody_more_than_they_take(
    rt: Runtime, session: Session, number: Number
) -> None:
    ann, ben = make_operator(session, Role.COACH), make_operator(session, Role.COACH)
    for id_ in come_in(session, number, 2):
        assigning.assign(session, id_, ann.id, ann.id)
    ids = come_in(session, number, 6)
    at_work.limit(session, ben.id, 3)
    keep(session, Assigning.LEAST_LOADED, capacity=4)
    present(rt, ann, ben)
    rounds.share_out(rt)
    assert owners(session, ids) == [ben.id, ben.id, ann.id, ben.id, ann.id, None]


def test_reopened_while_its_coach_is_gone_it_goes_to_one_who_is_there(
    rt: Runtime, session: Session, number: Number
) -> None:
    ann, ben = make_operator(session, Role.COACH), make_operator(session, Role.COACH)
    ids = come_in(session, number, 2)
    for id_ in ids:
        assigning.assign(session, id_, ann.id, ann.id)
    threads.close(session, ids[0], ann.id)
    person_id = session.get_one(Conversation, ids[0]).person_id
    threads.receive(session, number, [Received(person_id, datetime.now(UTC) + timedelta(seconds=5))])
    session.execute(
        Conversation.__table__.update().values(assigned_at=datetime.now(UTC) - timedelta(hours=1))  # type: ignore[attr-defined]
    )
    keep(session, Assigning.LEAST_LOADED)
    session.connection().exec_driver_sql(
        "UPDATE episode SET opened_at = now() - interval '2 hours' WHERE conversation_id = %s", (ids[1],)
    )
    session.commit()
    present(rt, ben)
    rounds.share_out(rt)
    assert owners(session, ids) == [ben.id, ann.id]


def test_what_was_handed_back_by_hand_stays_with_nobody(rt: Runtime, session: Session, number: Number) -> None:
    ann = make_operator(session, Role.COACH)
    [id_] = come_in(session, number, 1)
    assigning.assign(session, id_, ann.id, ann.id)
    assigning.assign(session, id_, None, ann.id)
    keep(session, Assigning.ROUND_ROBIN)
    present(rt, ann)
    rounds.share_out(rt)
    assert owners(session, [id_]) == [None]


def test_by_hand_nobody_is_given_anything(rt: Runtime, session: Session, number: Number) -> None:
    ids = come_in(session, number, 1)
    session.commit()
    present(rt, make_operator(session, Role.COACH))
    rounds.share_out(rt)
    assert owners(session, ids) == [None]
