"""A thread is opened by the person, closed by a coach, and every opening remembers who did what."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations import threads, window
from bot.conversations.threads import Received, ThreadChange
from bot.models.connection import Number
from bot.models.conversation import Conversation, Episode
from bot.models.person import Person
from bot.models.words import AuthorKind
from bot.runtime import Runtime
from tests.factories import make_number, make_operator, make_outbound, make_person

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def number(session: Session) -> Number:
    return make_number(session)


@pytest.fixture
def person(session: Session) -> Person:
    return make_person(session)


def write(session: Session, number: Number, person: Person, at: datetime = NOW, times: int = 1) -> ThreadChange:
    return threads.receive(session, number, [Received(person.id, at)] * times)[person.id]


def thread_of(session: Session, change: ThreadChange) -> Conversation:
    session.expire_all()
    return session.get_one(Conversation, change.conversation_id)


def episodes(session: Session, change: ThreadChange) -> list[Episode]:
    session.expire_all()
    query = select(Episode).where(Episode.conversation_id == change.conversation_id).order_by(Episode.id)
    return list(session.scalars(query))


def test_the_first_message_opens_a_thread_with_an_episode(session: Session, number: Number, person: Person) -> None:
    change = write(session, number, person, times=3)
    assert (change.opened, change.reopened, change.first_ever) == (True, False, True)
    thread = thread_of(session, change)
    assert (thread.state, thread.unread_count, thread.last_inbound_at, thread.last_message_at) == ("open", 3, NOW, NOW)
    [episode] = episodes(session, change)
    assert (episode.opened_by, episode.opened_at, episode.closed_at) == ("person", NOW, None)


def test_the_next_message_only_adds_to_an_open_thread(session: Session, number: Number, person: Person) -> None:
    write(session, number, person, NOW - timedelta(minutes=5))
    change = write(session, number, person)
    assert (change.opened, change.reopened, change.first_ever) == (False, False, False)
    assert thread_of(session, change).unread_count == 2
    assert len(episodes(session, change)) == 1


def test_everybody_in_a_batch_gets_their_own_thread(session: Session, number: Number) -> None:
    people = [make_person(session) for _ in range(20)]
    other = make_number(session)
    changes = threads.receive(session, number, [Received(person.id, NOW) for person in people])
    threads.receive(session, other, [Received(people[0].id, NOW)])
    assert len({change.conversation_id for change in changes.values()}) == 20
    assert threads.receive(session, number, []) == {}


def test_a_coach_closes_once_and_the_person_reopens(session: Session, number: Number, person: Person) -> None:
    coach = make_operator(session)
    change = write(session, number, person, NOW - timedelta(hours=1))
    assert threads.close(session, change.conversation_id, coach.id) is True
    assert threads.close(session, change.conversation_id, coach.id) is False
    assert thread_of(session, change).unread_count == 0
    [episode] = episodes(session, change)
    assert episode.closed_by_operator_id == coach.id
    again = write(session, number, person)
    assert (again.opened, again.reopened, again.first_ever) == (False, True, False)
    assert thread_of(session, change).state == "open"
    assert [each.opened_by for each in episodes(session, change)] == ["person", "person"]


def test_a_coach_reopens_in_their_own_name(session: Session, number: Number, person: Person) -> None:
    coach = make_operator(session)
    change = write(session, number, person)
    assert threads.reopen(session, change.conversation_id, coach.id) is False
    threads.close(session, change.conversation_id, coach.id)
    assert threads.reopen(session, change.conversation_id, coach.id) is True
    last = episodes(session, change)[-1]
    assert (last.opened_by, last.opened_by_operator_id, last.closed_at) == ("coach", coach.id, None)


def test_closing_records_whether_a_coach_had_answered(session: Session, number: Number, person: Person) -> None:
    coach = make_operator(session)
    change = write(session, number, person, NOW - timedelta(hours=1))
    make_outbound(session, person, number)  # somebody else's message is no answer of a coach
    threads.close(session, change.conversation_id, coach.id)
    write(session, number, person)
    make_outbound(session, person, number, author_kind=AuthorKind.COACH, operator_id=coach.id)
    threads.close(session, change.conversation_id, coach.id)
    assert [each.closed_without_reply for each in episodes(session, change)] == [True, False]


def test_an_answer_in_an_earlier_episode_does_not_count_for_the_next(live_rt: Runtime) -> None:
    with live_rt.transaction() as session:
        number, person, coach = make_number(session), make_person(session), make_operator(session)
        change = write(session, number, person, NOW - timedelta(hours=1))
    with live_rt.transaction() as session:
        make_outbound(session, person, number, author_kind=AuthorKind.COACH, operator_id=coach.id)
    with live_rt.transaction() as session:
        threads.close(session, change.conversation_id, coach.id)
    with live_rt.transaction() as session:  # written before that answer, heard of after the thread was closed
        write(session, number, person, NOW - timedelta(minutes=50))
    with live_rt.transaction() as session:
        threads.close(session, change.conversation_id, coach.id)
        first, second = episodes(session, change)
        assert [first.closed_without_reply, second.closed_without_reply] == [False, True]
        assert first.closed_at is not None
        assert second.opened_at >= first.closed_at


def test_a_message_from_the_future_begins_no_episode_in_the_future(
    session: Session, number: Number, person: Person
) -> None:
    change = write(session, number, person, NOW + timedelta(minutes=9))
    [episode] = episodes(session, change)
    assert episode.opened_at <= datetime.now(UTC)


def test_the_window_counts_from_when_the_person_wrote(session: Session, number: Number, person: Person) -> None:
    change = write(session, number, person, NOW - timedelta(hours=30))
    thread = thread_of(session, change)
    assert window.closes_at(thread) == NOW - timedelta(hours=6)
    assert not window.is_open(thread, NOW)
    write(session, number, person, NOW - timedelta(hours=23))
    write(session, number, person, NOW - timedelta(hours=40))
    thread = thread_of(session, change)
    assert window.closes_at(thread) == NOW + timedelta(hours=1)
    assert window.is_open(thread, NOW)
    assert window.is_open(thread, NOW + timedelta(minutes=59))
    assert not window.is_open(thread, NOW + timedelta(hours=1))


def test_there_is_no_window_for_who_never_wrote() -> None:
    assert window.closes_at(Conversation(last_inbound_at=None)) is None
    assert not window.is_open(Conversation(last_inbound_at=None), NOW)


def test_a_close_and_a_message_at_once_end_in_one_order(live_rt: Runtime) -> None:
    with live_rt.transaction() as session:
        number, person, coach = make_number(session), make_person(session), make_operator(session)
        change = write(session, number, person)
    gate = threading.Barrier(2)

    def close() -> None:
        gate.wait()
        with live_rt.transaction() as session:
            threads.close(session, change.conversation_id, coach.id)

    def say() -> None:
        gate.wait()
        with live_rt.transaction() as session:
            write(session, number, person)

    for _ in range(10):
        with ThreadPoolExecutor(2) as pool:
            for done in (pool.submit(close), pool.submit(say)):
                done.result()
        with live_rt.sessions() as session:
            is_open = thread_of(session, change).state == "open"
            assert sum(each.closed_at is None for each in episodes(session, change)) == is_open
