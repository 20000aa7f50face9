"""A conversation goes back from a coach to the stack."""

from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.conversations import assigning
from bot.conversations.coach import ReplyError
from bot.dashboard.inbox import offers
from bot.journeys.handing import hand_back
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.inbox import InboxPolicy
from bot.models.journey import Journey, JourneyRun
from bot.models.message import Message
from bot.models.team import Operator
from tests import factories as make

SPEC: dict[str, Any] = {
    "start": {"keywords": [], "first_message": True},
    "steps": [
        {"say": "Hi <<user.first_name>>!"},
        {"ask": "What brings you here?", "buttons": ["Learn", "Talk"], "save_as": "goal"},
        {"say": "Fine."},
    ],
}


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


@pytest.fixture
def kim(session: Session) -> Operator:
    return make.make_operator(session, "coach")


@pytest.fixture
def journey(session: Session) -> Journey:
    return make.make_journey(session, spec=SPEC, name="welcome")


@pytest.fixture
def conversation(session: Session, number: Number, kim: Operator) -> Conversation:
    """Kim looks after it, and Ada waits."""
    ada = make.make_person(session)
    heard = make.make_inbound(session, ada, number)
    return make.make_conversation(session, ada, number, assigned_to_id=kim.id, waiting_since=heard.occurred_at)


def test_the_stack_begins_at_once_and_nobody_is_given_it_by_itself(
    session: Session, conversation: Conversation, journey: Journey, kim: Operator
) -> None:
    hand_back(session, conversation.id, journey.id, kim.id)
    session.flush()
    said = session.scalars(select(Message).where(Message.direction == "out").order_by(Message.id)).all()
    assert [(each.body, each.author_kind, each.journey_id) for each in said] == [
        ("Hi Ada!", "stack", journey.id),
        ("What brings you here?", "stack", journey.id),
    ]
    assert session.scalars(select(JourneyRun.state)).all() == ["waiting"]
    session.refresh(conversation)
    assert (conversation.assigned_to_id, conversation.waiting_since, conversation.unread_count) == (None, None, 0)
    session.execute(update(Conversation).values(waiting_since=conversation.last_message_at))
    policy = InboxPolicy(environment="live", assigning="round_robin", capacity=9, away_after_min=15)
    assert assigning.share_out(session, policy, {kim.id}) == 0


def test_a_form_sent_twice_begins_it_once(
    session: Session, conversation: Conversation, journey: Journey, kim: Operator
) -> None:
    hand_back(session, conversation.id, journey.id, kim.id)
    with pytest.raises(ReplyError, match="welcome has spoken since they last wrote"):
        hand_back(session, conversation.id, journey.id, kim.id)
    assert len(session.scalars(select(JourneyRun)).all()) == 1


@pytest.mark.parametrize("reason", ["closed", "retired", "of test", "out of the window", "blank"])
def test_what_cannot_go_back_stays_with_the_coach_and_says_why(
    session: Session, conversation: Conversation, journey: Journey, kim: Operator, reason: str
) -> None:
    match reason:
        case "closed":
            conversation.state = "closed"
        case "retired":
            journey.active = False
            session.flush()
            assert offers.load(session, "live").journeys == []
        case "of test":
            journey.environment = "test"
        case "out of the window":
            conversation.last_inbound_at = conversation.created_at.replace(year=2020)
        case "blank":
            journey.spec = SPEC | {"steps": [{"say": "<<user.last_name>>"}]}
    session.flush()
    with pytest.raises(ReplyError):
        hand_back(session, conversation.id, journey.id, kim.id)
    assert conversation.assigned_to_id == kim.id
