"""Since when somebody waits for a human, and who first answered: whichever way the answer went, in whatever order."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations import threads
from bot.conversations.threads import Received
from bot.messages import answering, compose
from bot.messages.compose import Author, Draft, Elsewhere
from bot.models.connection import Number
from bot.models.conversation import Conversation, Episode
from bot.models.inbox import Assignment
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import AuthorKind
from tests.factories import make_inbound, make_journey, make_number, make_operator, make_person, make_token

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def number(session: Session) -> Number:
    return make_number(session)


@pytest.fixture
def person(session: Session) -> Person:
    return make_person(session)


def write(session: Session, number: Number, person: Person, minutes_ago: float) -> None:
    at = NOW - timedelta(minutes=minutes_ago)
    make_inbound(session, person, number, "hello", occurred_at=at)
    threads.receive(session, number, [Received(person.id, at)])


def answer(session: Session, number: Number, person: Person, author: Author, kind: str = "text") -> None:
    draft = Draft(person.id, kind, compose.text_content("here"), "here")
    compose.compose(session, number, author, [draft])


def echo(session: Session, number: Number, person: Person, minutes_ago: float) -> None:
    at = NOW - timedelta(minutes=minutes_ago)
    said = Elsewhere(number, person.id, AuthorKind.APP, "+201000000000", "text", "yes", {}, f"wamid.{at}", None, at)
    made = compose.echo(session, [said])
    answering.elsewhere(session, list(made.values()), threads.SILENT_KINDS)


def waiting(session: Session) -> timedelta | None:
    """How long ago somebody began to wait."""
    session.expire_all()
    since = session.scalars(select(Conversation.waiting_since)).one()
    return None if since is None else NOW - since


def test_somebody_waits_from_their_first_message_that_nobody_answered(
    session: Session, number: Number, person: Person
) -> None:
    write(session, number, person, 9)
    write(session, number, person, 4)
    assert waiting(session) == timedelta(minutes=9)


@pytest.mark.parametrize("kind", [AuthorKind.COACH, AuthorKind.API])
def test_a_human_s_answer_ends_the_waiting_and_is_the_episode_s_first(
    session: Session, number: Number, person: Person, kind: AuthorKind
) -> None:
    write(session, number, person, -300)  # by a clock that is ahead of ours
    coach = make_operator(session)
    author = Author(kind, coach.id if kind is AuthorKind.COACH else make_token(session).id)
    answer(session, number, person, author)
    assert waiting(session) is None
    episode = session.scalars(select(Episode)).one()
    assert episode.first_reply_at is not None
    assert episode.first_reply_operator_id == (coach.id if kind is AuthorKind.COACH else None)
    answer(session, number, person, Author(AuthorKind.COACH, make_operator(session).id))
    session.expire_all()
    assert session.scalars(select(Episode.first_reply_at)).one() == episode.first_reply_at


def test_neither_the_stack_nor_a_coach_s_reaction_answers_anybody(
    session: Session, number: Number, person: Person
) -> None:
    write(session, number, person, 3)
    answer(session, number, person, Author(AuthorKind.STACK, make_journey(session).id))
    answer(session, number, person, Author(AuthorKind.COACH, make_operator(session).id), kind="reaction")
    assert waiting(session) == timedelta(minutes=3)
    assert session.scalars(select(Episode.first_reply_at)).one() is None


def test_whoever_answers_first_looks_after_the_conversation(session: Session, number: Number, person: Person) -> None:
    write(session, number, person, 3)
    first, second = make_operator(session), make_operator(session)
    for coach in (first, second):
        answer(session, number, person, Author(AuthorKind.COACH, coach.id))
    session.expire_all()
    assert session.scalars(select(Conversation.assigned_to_id)).one() == first.id
    taken = session.scalars(select(Assignment)).one()
    assert (taken.to_operator_id, taken.by_operator_id, taken.rule) == (first.id, first.id, "reply")


@pytest.mark.parametrize("echo_is_late", [True, False])
def test_an_answer_from_the_phone_app_counts_by_when_it_was_written(
    session: Session, number: Number, person: Person, *, echo_is_late: bool
) -> None:
    write(session, number, person, 9)
    if not echo_is_late:
        echo(session, number, person, 5)
        assert waiting(session) is None
    write(session, number, person, 2)
    if echo_is_late:
        echo(session, number, person, 5)
    assert waiting(session) == timedelta(minutes=2)
    assert session.scalars(select(Episode.first_reply_at)).one() == NOW - timedelta(minutes=5)


def test_what_was_answered_before_it_was_heard_of_waits_for_nobody(
    session: Session, number: Number, person: Person
) -> None:
    write(session, number, person, 9)
    echo(session, number, person, 5)
    write(session, number, person, 7)
    assert waiting(session) is None


def test_a_closed_conversation_waits_for_nobody_until_the_person_writes(
    session: Session, number: Number, person: Person
) -> None:
    write(session, number, person, 9)
    threads.close(session, session.scalars(select(Conversation.id)).one(), make_operator(session).id)
    assert waiting(session) is None
    write(session, number, person, 1)
    assert waiting(session) == timedelta(minutes=1)


def test_a_form_sent_twice_is_one_answer(session: Session, number: Number, person: Person) -> None:
    coach = Author(AuthorKind.COACH, make_operator(session).id)
    draft = Draft(person.id, "text", compose.text_content("here"), "here", source_key="c:once")
    write(session, number, person, 9)
    compose.compose(session, number, coach, [draft])
    write(session, number, person, -300)
    compose.compose(session, number, coach, [draft])
    assert session.scalars(select(Message.id).where(Message.source_key == "c:once")).one()
    assert waiting(session) is not None
