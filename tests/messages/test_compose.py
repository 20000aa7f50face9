"""Every outbound message has its author, its address and its one row."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.messages.compose import Author, Draft, compose, compose_audience, text_content
from bot.models.message import Message
from bot.models.segment import SegmentMember
from bot.models.words import AddressKind, AuthorKind, Environment, MessageState
from tests import factories as make

HELLO = text_content("hello")


def said(session: Session, ids: list[int]) -> list[Message]:
    found = {row.id: row for row in session.scalars(select(Message).where(Message.id.in_(ids)))}
    return [found[id_] for id_ in ids]


def test_ids_come_back_in_the_order_of_the_drafts(session: Session) -> None:
    number, operator = make.make_number(session), make.make_operator(session)
    people = [make.make_person(session) for _ in range(3)]
    drafts = [Draft(person.id, "text", HELLO, body=str(n), source_key=f"c:{n}") for n, person in enumerate(people)]

    rows = said(session, compose(session, number, Author(AuthorKind.COACH, operator.id), drafts))

    assert [row.body for row in rows] == ["0", "1", "2"]
    assert [row.person_id for row in rows] == [person.id for person in people]
    assert {row.author_kind for row in rows} == {"coach"}
    assert {row.operator_id for row in rows} == {operator.id}


def test_asking_twice_with_one_source_key_makes_one_message(session: Session) -> None:
    number, token, person = make.make_number(session), make.make_token(session), make.make_person(session)
    author = Author(AuthorKind.API, token.id)

    first = compose(session, number, author, [Draft(person.id, "text", HELLO, source_key="api:1:k")])
    again = compose(session, number, author, [Draft(person.id, "text", HELLO, source_key="api:1:k")])

    assert first == again


@pytest.mark.parametrize(
    "columns, phone, reason",
    [
        ({}, None, "no WhatsApp address is known for this person"),
        ({"enabled": False}, "", "messages to this person are switched off"),
    ],
)
def test_who_cannot_be_written_to_gets_a_row_that_says_why(
    session: Session, columns: dict[str, Any], phone: str | None, reason: str
) -> None:
    number, operator = make.make_number(session), make.make_operator(session)
    person = make.make_person(session, phone=phone, **columns)

    ids = compose(session, number, Author(AuthorKind.COACH, operator.id), [Draft(person.id, "text", HELLO)])

    (row,) = said(session, ids)
    assert (row.state, row.error_text) == ("suppressed", reason)


def test_a_person_known_by_user_id_only_is_dialled_by_it(session: Session) -> None:
    number, operator = make.make_number(session), make.make_operator(session)
    person = make.make_person(session, phone=None)
    make.make_address(session, person, AddressKind.USER_ID, "US.13491208655302741918")

    ids = compose(session, number, Author(AuthorKind.COACH, operator.id), [Draft(person.id, "text", HELLO)])

    assert said(session, ids)[0].to_address == "US.13491208655302741918"


def test_the_number_as_the_provider_gave_it_is_dialled(session: Session) -> None:
    number, operator = make.make_number(session), make.make_operator(session)
    person = make.make_person(session, phone=None)
    make.make_address(session, person, AddressKind.PHONE, "+5511987654321", dial="551187654321")
    make.make_address(session, person, AddressKind.USER_ID, "BR.1")

    ids = compose(session, number, Author(AuthorKind.COACH, operator.id), [Draft(person.id, "text", HELLO)])

    assert said(session, ids)[0].to_address == "551187654321"


def test_an_audience_becomes_one_row_each_and_skips_who_wants_no_marketing(session: Session) -> None:
    number = make.make_number(session)
    wants, wants_not = (
        make.make_person(session),
        make.make_person(session, marketing_opted_out_at=datetime.now(UTC)),
    )
    segment = make.make_segment(session, [wants, wants_not])
    template = make.make_template(session, number.connection)
    broadcast = make.make_broadcast(session, number, segment, template, frozen_template={"category": "MARKETING"})
    people = select(SegmentMember.person_id).where(SegmentMember.segment_id == segment.id)

    made = compose_audience(session, broadcast, number, people)
    made_again = compose_audience(session, broadcast, number, people)

    rows = session.execute(select(Message.person_id, Message.state).where(Message.broadcast_id == broadcast.id))
    states = {row.person_id: row.state for row in rows}
    assert (made, made_again) == (2, 0)
    assert states == {wants.id: MessageState.QUEUED, wants_not.id: MessageState.SUPPRESSED}


def test_the_database_refuses_an_outbound_message_without_author(session: Session) -> None:
    number, person = make.make_number(session), make.make_person(session)

    with pytest.raises(IntegrityError, match="ck_message_author"):
        make.make_outbound(session, person, number, author_kind=AuthorKind.COACH)


def test_the_database_refuses_a_live_number_writing_to_a_test_person(session: Session) -> None:
    number = make.make_number(session, environment=Environment.LIVE)
    person = make.make_person(session, environment=Environment.TEST)

    with pytest.raises(IntegrityError, match="fk_message_person_id_environment"):
        make.make_outbound(session, person, number)
