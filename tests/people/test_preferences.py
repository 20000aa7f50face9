"""What people said no to keeps broadcasts away from them: when the audience is made, and at the last moment too."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.messages import compose, outbox
from bot.messages.compose import Author, Draft
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.journey import Reminder
from bot.models.message import AUTHOR_COLUMNS, Message
from bot.models.person import Person
from bot.models.preference import Topic
from bot.models.words import AuthorKind, Channel
from bot.people import preferences, topics
from bot.people.preferences import NO_CHANNEL, NO_TOPIC, Choice
from bot.people.tellers import Teller
from tests import factories as make

COACH = Teller("coach")


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


@pytest.fixture
def news(session: Session) -> Topic:
    return topics.create(session, "live", "News")


def broadcast_of(session: Session, number: Number, category: str, topic: Topic | None) -> Broadcast:
    template = make.make_template(session, number.connection, category=category)
    columns: dict[str, Any] = {"frozen_template": {"category": category}, "topic_id": topic and topic.id}
    return make.make_broadcast(session, number, make.make_segment(session), template, state="running", **columns)


def wishes(topic: Topic, *, whatsapp: bool | None = None, about: bool | None = None) -> list[Choice]:
    channel = [] if whatsapp is None else [Choice(Channel.WHATSAPP, whatsapp)]
    return channel + ([] if about is None else [Choice(Channel.WHATSAPP, about, topic.id)])


def at_compose(
    session: Session, broadcast: Broadcast, number: Number, person: Person, decide: Callable[[], Any]
) -> None:
    decide()
    compose.compose_audience(session, broadcast, number, select(Person.id).where(Person.id == person.id))


def at_the_wire(
    session: Session, broadcast: Broadcast, number: Number, person: Person, decide: Callable[[], Any]
) -> None:
    compose.compose_audience(session, broadcast, number, select(Person.id).where(Person.id == person.id))
    claimed = outbox.claim(session, number.id, "me", 10, 60)
    decide()
    outbox.to_wire(session, "me", claimed, 60)


MOMENTS = [at_compose, at_the_wire]
CASES: list[tuple[str, bool, dict[str, bool], str | None]] = [
    ("MARKETING", False, {"whatsapp": False}, NO_CHANNEL),
    ("UTILITY", True, {"whatsapp": False}, NO_CHANNEL),
    ("UTILITY", False, {"whatsapp": False}, None),
    ("MARKETING", True, {"about": False}, NO_TOPIC),
    ("UTILITY", True, {"about": False}, NO_TOPIC),
    ("MARKETING", False, {"about": False}, None),
    ("MARKETING", True, {"whatsapp": False, "about": True}, NO_CHANNEL),
    ("MARKETING", True, {"whatsapp": True, "about": True}, None),
    ("MARKETING", True, {}, None),
]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("category, is_about, said, reason", CASES)
def test_a_no_to_the_topic_or_to_whatsapp_is_obeyed(
    session: Session,
    number: Number,
    news: Topic,
    moment: Callable[..., None],
    category: str,
    is_about: bool,
    said: dict[str, bool],
    reason: str | None,
) -> None:
    broadcast = broadcast_of(session, number, category, news if is_about else None)
    person = make.make_person(session)
    moment(
        session,
        broadcast,
        number,
        person,
        lambda: preferences.choose(session, person, wishes(news, **said), COACH),
    )
    session.expire_all()
    found = session.scalars(select(Message).where(Message.broadcast_id == broadcast.id)).one()
    assert found.error_text == reason
    assert (found.state == "suppressed") == (reason is not None)


def test_another_channel_and_another_topic_keep_nothing_away(session: Session, number: Number, news: Topic) -> None:
    broadcast, person = broadcast_of(session, number, "MARKETING", news), make.make_person(session)
    other = topics.create(session, "live", "Offers")
    choices = [
        Choice(Channel.EMAIL, False),
        Choice(Channel.SMS, False, news.id),
        Choice(Channel.WHATSAPP, False, other.id),
    ]
    preferences.choose(session, person, choices, COACH)
    compose.compose_audience(session, broadcast, number, select(Person.id).where(Person.id == person.id))
    assert session.scalars(select(Message.state).where(Message.broadcast_id == broadcast.id)).one() == "queued"


def test_a_reply_reaches_somebody_who_wants_no_broadcasts(session: Session, number: Number, news: Topic) -> None:
    person = make.make_person(session)
    preferences.choose(session, person, wishes(news, whatsapp=False, about=False), COACH)
    author = Author(AuthorKind.COACH, make.make_operator(session).id)
    compose.compose(session, number, author, [Draft(person.id, "text", compose.text_content("Hello"))])
    claimed = outbox.claim(session, number.id, "me", 10, 60)
    assert [row.person_id for row in outbox.to_wire(session, "me", claimed, 60)] == [person.id]


def reminder_of(session: Session, number: Number) -> Reminder:
    told = {"name": "Water", "text": "Drink", "due_at": datetime.now(UTC), "state": "fired"}
    made = Reminder(environment="live", number_id=number.id, **told)
    session.add(made)
    session.flush()
    return made


def author_of(session: Session, kind: AuthorKind, number: Number) -> int:
    made: dict[AuthorKind, Callable[[], Any]] = {
        AuthorKind.STACK: lambda: make.make_journey(session),
        AuthorKind.COACH: lambda: make.make_operator(session),
        AuthorKind.API: lambda: make.make_token(session),
        AuthorKind.BROADCAST: lambda: broadcast_of(session, number, "UTILITY", None),
        AuthorKind.REMINDER: lambda: reminder_of(session, number),
    }
    author_id: int = made[kind]().id
    return author_id


@pytest.mark.parametrize("kind", AUTHOR_COLUMNS)
@pytest.mark.parametrize("is_late", [False, True], ids=["when it is written", "just before it leaves"])
def test_one_switch_stops_every_kind_of_message(
    session: Session, number: Number, kind: AuthorKind, is_late: bool
) -> None:
    """B6: stack, coach, reminder, API and broadcast, all of them leave by the same door."""
    person = make.make_person(session, enabled=is_late)
    author_id = author_of(session, kind, number)
    if kind == AuthorKind.BROADCAST:
        broadcast = session.get_one(Broadcast, author_id)
        compose.compose_audience(session, broadcast, number, select(Person.id).where(Person.id == person.id))
    else:
        draft = Draft(person.id, "text", compose.text_content("Hello"))
        compose.compose(session, number, Author(kind, author_id), [draft])
    claimed = outbox.claim(session, number.id, "me", 10, 60)
    assert len(claimed) == is_late
    person.enabled = False
    session.flush()
    assert outbox.to_wire(session, "me", claimed, 60) == []
    session.expire_all()
    found = session.scalars(select(Message).where(Message.person_id == person.id)).one()
    assert (found.state, found.error_text) == ("suppressed", compose.SWITCHED_OFF)


def test_saying_the_same_again_keeps_who_said_it_first(session: Session, news: Topic) -> None:
    person, operator = make.make_person(session), make.make_operator(session)
    first = Teller("coach", operator_id=operator.id)
    assert preferences.choose(session, person, wishes(news, whatsapp=False, about=False), first) == 2
    assert preferences.choose(session, person, wishes(news, whatsapp=False, about=True), Teller("api")) == 1
    told = {
        each.choice.topic_id: (each.choice.wants, each.source, each.by)
        for each in preferences.of_person(session, person.id)
    }
    assert told == {None: (False, "coach", operator.name), news.id: (True, "api", None)}


def test_a_topic_of_the_other_environment_cannot_be_chosen(session: Session) -> None:
    other = topics.create(session, "test", "News")
    with pytest.raises(preferences.PreferenceError, match="no topic"):
        preferences.choose(session, make.make_person(session), wishes(other, about=False), COACH)


@pytest.mark.parametrize(
    "name, reason", [("", "1 to 80"), ("x" * 81, "1 to 80"), ("ne\u200bws", "1 to 80"), (" News ", "already")]
)
def test_a_topic_needs_a_name_of_its_own(session: Session, news: Topic, name: str, reason: str) -> None:
    with pytest.raises(topics.TopicError, match=reason):
        topics.create(session, "live", name)


def test_the_list_of_topics_says_how_many_do_not_want_each(session: Session, news: Topic) -> None:
    for _ in range(3):
        preferences.choose(session, make.make_person(session), wishes(news, about=False), COACH)
    topics.archive(session, topics.create(session, "live", "Advent").id)
    session.flush()
    assert [(each.topic.name, each.unwilling) for each in topics.counted(session, "live")] == [
        ("News", 3),
        ("Advent", 0),
    ]
    assert [topic.name for topic in topics.every(session, "live", archived=False)] == ["News"]
