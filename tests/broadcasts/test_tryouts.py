"""A test send goes to a few people chosen by name, at once, and says on the draft's page what became of it."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast, Template
from bot.models.connection import Connection, Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import BroadcastOrigin, BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting import drafts, tryouts
from broadcasts.drafting.drafts import Wanted, Wording
from broadcasts.transitions import NOBODY
from tests import factories
from tests.dashboard.visitor import Visitor

PHONE = "+201012345678"
Try = Callable[..., list[str]]


@pytest.fixture
def number(rt: Runtime) -> Number:
    with rt.transaction() as session:
        return factories.make_number(session)


@pytest.fixture
def draft(rt: Runtime, number: Number) -> Broadcast:
    """To one person, with a variant B, in five years."""
    with rt.transaction() as session:
        line = session.get_one(Connection, number.connection_id)
        template = factories.make_template(session, line)
        segment = factories.make_segment(session, [factories.make_person(session)])
        wanted = Wanted(
            name="Spring",
            number_id=number.id,
            template_id=template.id,
            segment_ids=[segment.id],
            slots={"body.1": "<<user.first_name|default('you')>>"},
            wordings=[Wording(variant=1, template_id=template.id, slots={"body.1": "friend"})],
        )
        return drafts.create(session, "live", wanted)


@pytest.fixture
def try_out(rt: Runtime, draft: Broadcast) -> Try:
    def send(*to: str, which: tuple[int, ...] = (0,)) -> list[str]:
        with rt.transaction() as session:
            return tryouts.send(session, session.get_one(Broadcast, draft.id), to, which, NOBODY)

    return send


def children(session: Session) -> list[Broadcast]:
    return list(session.scalars(select(Broadcast).where(Broadcast.parent_id.is_not(None)).order_by(Broadcast.id)))


def test_a_test_goes_the_usual_way_to_whom_was_named_and_to_nobody_else(
    rt: Runtime, session: Session, draft: Broadcast, try_out: Try
) -> None:
    chosen = factories.make_person(session, distinct_id="ann", first_name="Ann", phone=PHONE)
    session.commit()

    assert try_out("ann", PHONE, which=(0, 1)) == []
    jobs.work()

    made = session.execute(select(Message.person_id, Message.state).order_by(Message.id)).all()
    assert made == [(chosen.id, MessageState.QUEUED)] * 2
    own, other = children(session)
    assert (own.origin, own.parent_id, own.state) == (BroadcastOrigin.TEST, draft.id, BroadcastState.RUNNING)
    assert [each.slots["body.1"] for each in (own, other)] == ["<<user.first_name|default('you')>>", "friend"]
    assert session.get_one(Broadcast, draft.id).state == BroadcastState.DRAFT


def test_a_phone_nobody_has_becomes_a_person_and_it_says_so(session: Session, try_out: Try) -> None:
    assert try_out(PHONE) == [f"Nobody had {PHONE}: it is now a new person of Live."]
    assert try_out("+20 101 234 5678") == []

    assert len(set(session.scalars(select(AudiencePerson.person_id)).all())) == 1


def test_people_of_test_are_reached_by_the_number_of_test(
    rt: Runtime, session: Session, number: Number, try_out: Try
) -> None:
    factories.make_person(session, distinct_id="tester", environment="test")
    session.commit()
    with pytest.raises(BroadcastError, match=r"tester is a person of Test, .* has no number of Test"):
        try_out("tester")
    line = session.get_one(Connection, number.connection_id)
    number_of_test = factories.make_number(session, line, environment="test")
    session.commit()

    try_out("tester")

    assert [(each.environment, each.number_id) for each in children(session)] == [("test", number_of_test.id)]


def test_what_keeps_a_test_back_is_told_all_at_once(rt: Runtime, session: Session, try_out: Try) -> None:
    with pytest.raises(BroadcastError, match=r"neither a phone number .* nor the id of anybody") as caught:
        try_out("nobody", "never")
    assert len(str(caught.value).splitlines()) == 2
    with pytest.raises(BroadcastError, match="10 people at most, and these are 11"):
        try_out(*(f"+2010123456{each}" for each in range(10, 21)))
    session.execute(update(Template).values(status="PAUSED"))
    session.commit()
    with pytest.raises(BroadcastError, match=r"Say who gets the test.*\n.*is PAUSED"):
        try_out(" ")

    assert children(session) == []
    assert session.scalars(select(Person.id).where(Person.distinct_id.startswith("+"))).all() == []


def test_a_draft_that_was_launched_is_not_tried_out_any_more(session: Session, draft: Broadcast, try_out: Try) -> None:
    session.execute(update(Broadcast).values(state=BroadcastState.RUNNING))
    session.commit()

    with pytest.raises(BroadcastError, match="only a draft is tried out"):
        try_out(PHONE)


def test_the_draft_s_page_says_what_became_of_it(
    rt: Runtime, session: Session, draft: Broadcast, marketer: Visitor
) -> None:
    page = f"/broadcasts/{draft.id}"

    def outcome() -> str:
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", marketer.get(f"{page}/tests").text))

    marketer.get(page)
    answer = marketer.post(f"{page}/test", {"to": PHONE, "version": ["0"]})
    assert answer.status_code == 303
    shown = marketer.get(page).text
    assert "a new person of Live" in shown
    assert f'value="{PHONE}"' in shown  # whom it went to the last time
    assert "Being prepared" in outcome()
    jobs.work()
    assert "Waiting to be sent" in outcome()
    session.execute(update(Message).values(state=MessageState.ACCEPTED, delivery_level=2))
    session.commit()
    assert "Delivered" in outcome()
    session.execute(update(Message).values(state=MessageState.FAILED, error_text="the phone is off"))
    session.commit()
    assert "Not delivered The phone is off." in outcome()


def test_a_test_that_is_refused_keeps_what_was_typed(draft: Broadcast, marketer: Visitor) -> None:
    marketer.get(f"/broadcasts/{draft.id}")
    answer = marketer.post(f"/broadcasts/{draft.id}/test", {"to": "ann, +201012345678", "version": ["0"]})

    assert answer.status_code == 422
    assert 'value="ann, +201012345678"' in answer.text
    assert "ann is neither a phone number" in answer.text
