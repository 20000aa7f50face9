"""Two people who turn out to be one lose nothing, whichever of the two is named first."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson
from bot.models.connection import Number
from bot.models.conversation import Conversation, Episode
from bot.models.imports import ImportChange, ImportRun, StoredFile
from bot.models.journey import JourneyRun, Reminder
from bot.models.message import Message, MessageChange, Reaction
from bot.models.person import ConsentEvent, Person, PersonMerge
from bot.models.preference import Preference, Topic
from bot.models.schema import metadata
from bot.models.segment import SegmentMember
from bot.models.words import AddressKind, Opener
from bot.people import consent, merge
from bot.people.consent import Word
from bot.runtime import Runtime
from tests import factories as make
from tests.harness.children import wait_until

NOW = datetime.now(UTC).replace(microsecond=0)
WHY = "WhatsApp said so"

OLD = "+201000000001"
NEW = "+201000000002"


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


@pytest.fixture
def elder(session: Session) -> Person:
    """Whoever was known first."""
    columns: dict[str, Any] = {
        "created_at": ago(days=9),
        "first_name": None,
        "attributes": {"city": "Cairo", "age": 30},
    }
    return make.make_person(session, phone=OLD, distinct_id="elder", country="EG", **columns)


@pytest.fixture
def younger(session: Session) -> Person:
    columns: dict[str, Any] = {
        "created_at": ago(days=1),
        "attributes": {"city": "Giza", "course": "maths"},
        "nickname": "Mina",
    }
    return make.make_person(session, phone=NEW, distinct_id="younger", country="SD", language="ar", **columns)


@pytest.fixture(params=["elder first", "younger first"])
def made_one(request: pytest.FixtureRequest, session: Session, elder: Person, younger: Person) -> Callable[[], Person]:
    """Merges them, in either order, and twice; whoever stays."""
    named = [elder.id, younger.id] if request.param == "elder first" else [younger.id, elder.id]

    def do() -> Person:
        session.flush()
        stays = merge.merge(session, named, WHY)
        assert merge.merge(session, [stays], WHY) == stays
        session.expire_all()
        return session.get_one(Person, stays)

    return do


def added(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def all_of(session: Session, *columns: Any) -> list[Any]:
    return [tuple(row) for row in session.execute(select(*columns).order_by(*columns))]


def test_the_older_stays_with_what_is_known_of_both(
    session: Session, elder: Person, made_one: Callable[[], Person]
) -> None:
    stays = made_one()
    assert (stays.id, stays.distinct_id, stays.created_at) == (elder.id, "elder", ago(days=9))
    assert (stays.first_name, stays.nickname, stays.country, stays.language) == ("Ada", "Mina", "EG", "ar")
    assert stays.attributes == {"city": "Cairo", "age": 30, "course": "maths"}
    assert sorted(address.value for address in stays.addresses) == [OLD, NEW]
    assert session.scalar(select(func.count()).select_from(Person)) == 1


def test_a_distinct_id_that_was_given_stays_before_one_we_made_up(
    session: Session, elder: Person, younger: Person, made_one: Callable[[], Person]
) -> None:
    elder.distinct_id_given = False
    elder_id = elder.id
    stays = made_one()
    assert (stays.id, stays.distinct_id) == (younger.id, "younger")
    [found] = session.scalars(select(PersonMerge))
    assert (found.person_id, found.gone_id, found.gone_distinct_id, found.reason) == (stays.id, elder_id, "elder", WHY)


def test_whoever_wants_no_messages_under_one_name_gets_none_under_the_other(
    session: Session, younger: Person, made_one: Callable[[], Person]
) -> None:
    younger.enabled, younger.marketing_opted_out_at = False, ago(days=1)
    stays = made_one()
    assert (stays.enabled, stays.marketing_opted_out_at) == (False, ago(days=1))


def test_of_what_they_said_they_want_the_latest_word_counts(
    session: Session, elder: Person, younger: Person, made_one: Callable[[], Person]
) -> None:
    said = [(elder, "stop", ago(days=2)), (younger, "resume", ago(days=1))]
    words = [Word(person.id, consent.MARKETING, value, "webhook", at) for person, value, at in said]
    consent.tell(session, words)
    assert made_one().marketing_opted_out_at is None


def test_two_threads_become_one_with_the_episodes_of_both(
    session: Session, number: Number, elder: Person, younger: Person, made_one: Callable[[], Person]
) -> None:
    first = make.make_conversation(session, elder, number, last_inbound_at=ago(hours=5))
    second = make.make_conversation(session, younger, number, last_inbound_at=ago(hours=2), unread_count=3)
    make.make_inbound(session, elder, number, "from the old phone", occurred_at=ago(hours=5))
    make.make_inbound(session, younger, number, "from the new phone", occurred_at=ago(hours=2))
    elsewhere = make.make_conversation(session, younger, make.make_number(session), last_inbound_at=ago(hours=1))
    session.add(
        Episode(conversation_id=second.id, opened_at=ago(days=3), closed_at=ago(days=2), opened_by=Opener.PERSON)
    )
    first_id, second_id, elsewhere_id = first.id, second.id, elsewhere.id
    stays = made_one()
    kept = session.get_one(Conversation, first_id)
    assert (kept.person_id, kept.state, kept.unread_count) == (stays.id, "open", 4)
    assert (kept.last_inbound_at, kept.last_message_at) == (ago(hours=2), ago(hours=2))
    episodes = select(Episode.conversation_id, Episode.opened_at, Episode.closed_at).order_by(Episode.opened_at)
    assert [tuple(row) for row in session.execute(episodes)] == [
        (kept.id, ago(days=3), ago(days=2)),
        (kept.id, ago(hours=5), None),
        (elsewhere_id, ago(hours=1), None),
    ]
    assert session.get(Conversation, second_id) is None
    assert session.get_one(Conversation, elsewhere_id).person_id == stays.id
    thread = select(Message.body).where(Message.person_id == stays.id).order_by(Message.occurred_at)
    assert list(session.scalars(thread)) == ["from the old phone", "from the new phone"]


@pytest.mark.parametrize("open_one", ["elder", "younger"])
def test_a_thread_is_open_if_either_was(
    session: Session, number: Number, elder: Person, younger: Person, made_one: Callable[[], Person], open_one: str
) -> None:
    opened_first = (elder, younger) if open_one == "elder" else (younger, elder)
    for person in opened_first:
        conversation = make.make_conversation(session, person, number)
        if person.distinct_id != open_one:
            conversation.state = "closed"
            session.execute(
                text("UPDATE episode SET closed_at = now() WHERE conversation_id = :id"), {"id": conversation.id}
            )
    made_one()
    assert list(session.scalars(select(Conversation.state))) == ["open"]
    assert session.scalar(select(func.count()).where(Episode.closed_at.is_(None))) == 1
    assert list(session.scalars(select(Episode.reopens).order_by(Episode.id))) == [False, True]


def test_of_two_journeys_that_wait_in_a_thread_the_newer_waits_on(
    session: Session, number: Number, elder: Person, younger: Person, made_one: Callable[[], Person]
) -> None:
    journey = make.make_journey(session)
    for person, started in ((elder, ago(hours=3)), (younger, ago(hours=1))):
        columns = {"journey_id": journey.id, "environment": "live", "number_id": number.id, "step": 0}
        session.add(JourneyRun(person_id=person.id, state="waiting", started_at=started, **columns))
    stays = made_one()
    assert all_of(session, JourneyRun.person_id, JourneyRun.started_at, JourneyRun.state) == [
        (stays.id, ago(hours=3), "replaced"),
        (stays.id, ago(hours=1), "waiting"),
    ]


def test_reactions_changes_reminders_segments_and_consent_come_along(
    session: Session, number: Number, elder: Person, younger: Person, made_one: Callable[[], Person]
) -> None:
    both = make.make_segment(session, [elder, younger])
    one = make.make_segment(session, [younger])
    for person, emoji, at in ((elder, "❤", ago(hours=2)), (younger, None, ago(hours=1))):
        common = {"environment": "live", "person_id": person.id}
        session.add(Reaction(number_id=number.id, target="m", emoji=emoji, occurred_at=at, **common))
        session.add(
            ConsentEvent(category="marketing", value="stop", source="webhook", occurred_at=ago(days=2), **common)
        )
        session.add(
            MessageChange(
                number_id=number.id, person_id=person.id, provider_message_id=f"c.{person.id}", target="m",
                kind="revoke", occurred_at=at,
            )
        )  # fmt: skip
        session.add(
            Reminder(number_id=number.id, name="r", text="hi", due_at=NOW, state="scheduled", **common)
        )  # fmt: skip
    stays = made_one()
    assert all_of(session, Reaction.person_id, Reaction.emoji) == [(stays.id, None)]
    assert all_of(session, ConsentEvent.person_id, ConsentEvent.value) == [(stays.id, "stop")]
    assert all_of(session, MessageChange.person_id) == [(stays.id,)] * 2
    assert all_of(session, Reminder.person_id) == [(stays.id,)] * 2
    assert all_of(session, SegmentMember.person_id, SegmentMember.segment_id) == [
        (stays.id, both.id),
        (stays.id, one.id),
    ]


def test_preferences_audiences_and_what_imports_did_come_along(
    session: Session, number: Number, elder: Person, younger: Person, made_one: Callable[[], Person]
) -> None:
    segment = make.make_segment(session)
    broadcast = make.make_broadcast(session, number, segment, make.make_template(session, number.connection))
    file = added(session, StoredFile(name="a.csv", size=1, sha256=""))
    run = ImportRun(environment="live", segment_id=segment.id, file_id=file.id, dialect="auto", state="finished")
    session.add(run)
    topics = [added(session, Topic(environment="live", name=name)) for name in ("news", "offers")]
    session.flush()
    said = ((elder, 0, False, 3), (younger, 0, True, 1), (younger, 1, False, 2))
    for person, topic, wants, days in said:
        session.add(
            Preference(
                environment="live", person_id=person.id, topic_id=topics[topic].id, channel="whatsapp", wants=wants,
                source="coach", changed_at=ago(days=days),
            )
        )  # fmt: skip
    session.add(AudiencePerson(broadcast_id=broadcast.id, person_id=younger.id, environment="live"))
    younger.import_id = run.id
    stays = made_one()
    assert all_of(session, Preference.person_id, Preference.topic_id, Preference.wants) == [
        (stays.id, topics[0].id, True),
        (stays.id, topics[1].id, False),
    ]
    assert all_of(session, AudiencePerson.person_id) == [(stays.id,)]
    assert all_of(session, ImportChange.person_id, ImportChange.has_joined) == [(stays.id, True)]
    assert all_of(session, Person.import_id) == [(None,)]


def test_who_recorded_a_word_of_consent_is_still_known_afterwards(
    session: Session, elder: Person, younger: Person, made_one: Callable[[], Person]
) -> None:
    coach = make.make_operator(session, "coach")
    said = {"category": "marketing", "value": "stop", "source": "coach", "occurred_at": ago(days=2)}
    session.add(ConsentEvent(environment="live", person_id=younger.id, operator_id=coach.id, **said))
    stays = made_one()
    assert all_of(session, ConsentEvent.person_id, ConsentEvent.operator_id) == [(stays.id, coach.id)]


def test_whatever_is_of_a_person_comes_along() -> None:
    """A table that is added tomorrow must be in the merge, or deleting the one who goes takes its rows away."""
    source = Path(merge.__file__).read_text()
    ours = {
        table.name
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "person"
    }
    assert ours - set(re.findall(r"\b(?:UPDATE|INTO) (\w+)", source)) == set()


def test_whoever_was_to_get_a_broadcast_under_both_names_gets_it_once(
    session: Session, number: Number, elder: Person, younger: Person, made_one: Callable[[], Person]
) -> None:
    template = make.make_template(session, number.connection)
    both, one = (make.make_broadcast(session, number, make.make_segment(session), template) for _ in range(2))
    for broadcast, person in ((both, elder), (both, younger), (one, younger)):
        make.make_outbound(
            session, person, number, author_kind="broadcast", broadcast_id=broadcast.id,
            source_key=f"b:{broadcast.id}:{person.id}",
        )  # fmt: skip
    gone_id = younger.id
    stays = made_one()
    assert all_of(session, Message.broadcast_id, Message.state, Message.source_key) == [
        (both.id, "queued", f"b:{both.id}:{stays.id}"),
        (both.id, "suppressed", f"b:{both.id}:{gone_id}"),
        (one.id, "queued", f"b:{one.id}:{stays.id}"),
    ]


def test_three_people_become_one_and_earlier_merges_are_remembered(session: Session) -> None:
    people = [make.make_person(session, created_at=ago(days=n), distinct_id=f"p{n}") for n in (1, 2, 3)]
    earlier = merge.merge(session, [people[0].id, people[1].id], WHY)
    assert merge.merge(session, [people[2].id, earlier], WHY) == people[2].id
    assert all_of(session, PersonMerge.person_id, PersonMerge.gone_distinct_id) == [
        (people[2].id, "p1"),
        (people[2].id, "p2"),
    ]


def test_a_message_written_while_two_become_one_is_not_lost(live_rt: Runtime) -> None:
    with live_rt.transaction() as session:
        number = make.make_number(session)
        elder = make.make_person(session, created_at=ago(days=2))
        younger = make.make_person(session)
        make.make_address(session, younger, AddressKind.USER_ID, "EG.1")

    def become_one() -> None:
        with live_rt.transaction() as merging:
            merge.merge(merging, [elder.id, younger.id], WHY)

    with ThreadPoolExecutor(1) as other, live_rt.sessions() as writing:
        make.make_outbound(writing, younger, number, "just now")
        merged = other.submit(become_one)
        wait_until(lambda: is_waiting(live_rt), "the merge to wait for the message")
        writing.commit()
        merged.result()
    with live_rt.sessions() as session:
        assert all_of(session, Message.person_id, Message.body) == [(elder.id, "just now")]


def is_waiting(rt: Runtime) -> bool:
    """Whether some transaction waits for another."""
    with rt.sessions() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
