import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from bot.goals import watching
from bot.journeys import loading, runner
from bot.journeys.runner import Arrival
from bot.models.connection import Number
from bot.models.goals import BehaviourKind
from bot.models.journey import Journey, JourneyRun
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import AuthorKind, MessageState, RunState
from bot.runtime import Runtime
from tests.factories import make_number, make_person

WELCOME = """
journey: welcome
start:
  first_message: true
  keywords: [hi, hello there]
steps:
  - say: "Hi <<user.first_name|default('you')>>!"
  - ask: What brings you here?
    buttons: [Learn, Talk to a coach]
    save_as: goal
    otherwise: Please tap one of the buttons.
  - say: <<user.goal>> it is, <<user.first_name>>.
  - say: Bye.
"""
COURSES = """
journey: courses
start: {keywords: [Courses!]}
steps:
  - say: There are two.
"""

_message_ids = itertools.count(1_000_000)


@pytest.fixture
def number(session: Session) -> Number:
    return make_number(session)


@pytest.fixture
def welcome(session: Session, number: Number) -> Journey:
    return loading.load(session, number.environment, WELCOME, "welcome.yaml")


def arrival(
    person: Person, body: str | None = "hi", *, choice: str | None = None, ago: timedelta = timedelta(0)
) -> Arrival:
    return Arrival(person.id, next(_message_ids), body, choice, first_ever=False, occurred_at=datetime.now(UTC) - ago)


def first(person: Person, body: str = "good morning") -> Arrival:
    return Arrival(person.id, next(_message_ids), body, None, first_ever=True, occurred_at=datetime.now(UTC))


def said_to(session: Session, person: Person) -> list[str | None]:
    return list(session.scalars(select(Message.body).where(Message.person_id == person.id).order_by(Message.id)))


def runs_of(session: Session, person: Person) -> list[JourneyRun]:
    found = select(JourneyRun).where(JourneyRun.person_id == person.id).order_by(JourneyRun.id)
    return list(session.scalars(found.execution_options(populate_existing=True)))


def test_a_first_message_starts_the_stack_and_it_waits_at_its_question(
    session: Session, number: Number, welcome: Journey
) -> None:
    ada = make_person(session)
    came = first(ada)
    assert runner.receive(session, number, [came]) == 2
    messages = session.scalars(select(Message).where(Message.person_id == ada.id).order_by(Message.id)).all()
    assert [message.body for message in messages] == ["Hi Ada!", "What brings you here?"]
    [run] = runs_of(session, ada)
    assert (run.state, run.step, run.journey_id) == (RunState.WAITING, 1, welcome.id)
    for step, message in enumerate(messages):
        assert (message.author_kind, message.journey_id) == (AuthorKind.STACK, welcome.id)
        assert (message.source_key, message.cause_message_id) == (f"j:{run.id}:{step}", came.message_id)
        assert (message.priority, message.state) == (0, MessageState.QUEUED)
    assert messages[1].content is not None
    assert messages[1].content["interactive"]["action"]["buttons"] == [
        {"type": "reply", "reply": {"id": f"j:{run.id}:1:0", "title": "Learn"}},
        {"type": "reply", "reply": {"id": f"j:{run.id}:1:1", "title": "Talk to a coach"}},
    ]


@pytest.mark.parametrize("body", ["Hi", "  HI!! ", "hello   there 👋", "\u200fhi."])
def test_a_keyword_is_the_whole_message_whatever_its_capitals_and_ends(
    session: Session, number: Number, welcome: Journey, body: str
) -> None:
    ada = make_person(session)
    assert runner.receive(session, number, [arrival(ada, body)]) == 2


@pytest.mark.parametrize("body", ["hi there", "", None, "h i", "hi " * 2000])
def test_other_messages_start_nothing(session: Session, number: Number, welcome: Journey, body: str | None) -> None:
    ada = make_person(session)
    assert runner.receive(session, number, [arrival(ada, body)]) == 0
    assert runs_of(session, ada) == []


@pytest.mark.parametrize("tapped", [True, False])
def test_the_answer_is_kept_as_an_attribute_and_the_journey_goes_on(
    session: Session, number: Number, welcome: Journey, tapped: bool
) -> None:
    ada = make_person(session, attributes={"city": "Cairo"})
    runner.receive(session, number, [arrival(ada)])
    [run] = runs_of(session, ada)
    answer = arrival(ada, "x", choice=f"j:{run.id}:1:1") if tapped else arrival(ada, " talk to a COACH.")
    assert runner.receive(session, number, [answer]) == 2
    assert said_to(session, ada)[2:] == ["Talk to a coach it is, Ada.", "Bye."]
    session.refresh(ada)
    assert ada.attributes == {"city": "Cairo", "goal": "Talk to a coach"}
    [run] = runs_of(session, ada)
    assert run.state == RunState.FINISHED
    assert run.ended_at is not None
    assert runner.receive(session, number, [arrival(ada, "Learn")]) == 0


def test_what_is_no_answer_brings_the_question_back_once_and_then_waits_quietly(
    session: Session, number: Number, welcome: Journey
) -> None:
    ada = make_person(session)
    runner.receive(session, number, [arrival(ada)])
    assert [runner.receive(session, number, [arrival(ada, body)]) for body in ("what?", None, "hm")] == [1, 0, 0]
    assert said_to(session, ada)[2:] == ["Please tap one of the buttons."]
    assert runner.receive(session, number, [arrival(ada, "Learn")]) == 2


def test_a_question_is_not_repeated_days_later(session: Session, number: Number, welcome: Journey) -> None:
    ada = make_person(session)
    runner.receive(session, number, [arrival(ada)])
    session.execute(text("UPDATE journey_run SET started_at = now() - interval '25 hours'"))
    assert runner.receive(session, number, [arrival(ada, "I have a problem")]) == 0


def test_a_keyword_leaves_the_question_and_starts_its_own_journey(
    session: Session, number: Number, welcome: Journey
) -> None:
    loading.load(session, number.environment, COURSES, "courses.yaml")
    ada = make_person(session)
    runner.receive(session, number, [arrival(ada)])
    assert runner.receive(session, number, [arrival(ada, "courses")]) == 1
    assert said_to(session, ada)[-1] == "There are two."
    assert [run.state for run in runs_of(session, ada)] == [RunState.REPLACED, RunState.FINISHED]


def test_a_tap_on_a_question_that_was_left_is_no_answer_to_the_new_one(
    session: Session, number: Number, welcome: Journey
) -> None:
    ada = make_person(session)
    runner.receive(session, number, [arrival(ada)])
    [old] = runs_of(session, ada)
    runner.receive(session, number, [arrival(ada)])
    assert runner.receive(session, number, [arrival(ada, "?", choice=f"j:{old.id}:1:0")]) == 1
    assert said_to(session, ada)[-1] == "Please tap one of the buttons."


def test_what_comes_a_day_late_starts_and_continues_nothing(session: Session, number: Number, welcome: Journey) -> None:
    ada = make_person(session)
    assert runner.receive(session, number, [arrival(ada, "hi", ago=timedelta(hours=24, seconds=1))]) == 0
    assert runner.receive(session, number, [arrival(ada, "hi", ago=timedelta(hours=23))]) == 2
    assert runner.receive(session, number, [arrival(ada, "Learn", ago=timedelta(days=2))]) == 0
    assert [run.state for run in runs_of(session, ada)] == [RunState.WAITING]


def test_several_messages_of_one_person_in_one_call_are_taken_one_after_the_other(
    session: Session, number: Number, welcome: Journey
) -> None:
    ada, eve = make_person(session), make_person(session, first_name="Eve")
    together = [arrival(ada), arrival(eve), arrival(ada, "Learn"), arrival(ada, "hi")]
    assert runner.receive(session, number, together) == 8
    assert said_to(session, ada)[2:] == ["Learn it is, Ada.", "Bye.", "Hi Ada!", "What brings you here?"]
    assert said_to(session, eve) == ["Hi Eve!", "What brings you here?"]


def test_runs_stay_on_the_version_they_began_with(session: Session, number: Number, welcome: Journey) -> None:
    ada, eve = make_person(session), make_person(session)
    runner.receive(session, number, [arrival(ada)])
    changed = WELCOME.replace("Bye.", "See you.")
    newer = loading.load(session, number.environment, changed, "welcome.yaml")
    assert newer.version == 2
    runner.receive(session, number, [arrival(ada, "Learn"), arrival(eve), arrival(eve, "Learn")])
    assert said_to(session, ada)[-1] == "Bye."
    assert said_to(session, eve)[-1] == "See you."


def test_a_line_too_long_for_its_person_fails_the_run_and_sends_none_of_it(
    session: Session, number: Number, welcome: Journey
) -> None:
    ada, eve = make_person(session, first_name="A" * 5000), make_person(session)
    assert runner.receive(session, number, [arrival(ada), arrival(eve)]) == 2
    assert said_to(session, ada) == []
    assert [run.state for run in runs_of(session, ada)] == [RunState.FAILED]


def test_a_journey_of_the_test_environment_leaves_live_people_alone(session: Session, number: Number) -> None:
    loading.load(session, "test", WELCOME, "welcome.yaml")
    ada = make_person(session)
    assert runner.receive(session, number, [first(ada, "hi")]) == 0


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_a_thousand_people_cost_as_many_statements_as_one(session: Session, number: Number, welcome: Journey) -> None:
    counts = []
    watching.watched(session, "live", BehaviourKind.STEP)  # one look for goals in each transaction, whoever needs it
    for size in (1, 1000):
        people = [make_person(session) for _ in range(size)]
        with statements(session) as seen:
            runner.receive(session, number, [arrival(person) for person in people])
            runner.receive(session, number, [arrival(person, "Learn") for person in people])
        counts.append(len(seen))
    assert counts[0] == counts[1] < 30
    assert session.scalar(select(func.count()).select_from(Message)) == 4 * 1001


def test_two_workers_with_two_answers_of_one_person_take_one_step_each_time(live_rt: Runtime) -> None:
    """Case 72: serial for a person, whoever holds which message."""
    with live_rt.transaction() as session:
        number = make_number(session)
        people = [make_person(session) for _ in range(20)]
        loading.load(session, number.environment, WELCOME, "welcome.yaml")
        runner.receive(session, number, [arrival(person) for person in people])
    gate = threading.Barrier(4)
    composed = []

    def work() -> None:
        with live_rt.transaction() as session:
            mine = [arrival(person, "Learn") for person in people]
            gate.wait()
            composed.append(runner.receive(session, number, mine))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(composed) == 2 * len(people)
    with live_rt.transaction() as session:
        for person in people:
            assert len(said_to(session, person)) == 4
            assert [run.state for run in runs_of(session, person)] == [RunState.FINISHED]


def test_two_workers_start_one_journey_in_one_thread(live_rt: Runtime) -> None:
    with live_rt.transaction() as session:
        number = make_number(session)
        people = [make_person(session) for _ in range(20)]
        loading.load(session, number.environment, WELCOME, "welcome.yaml")
    gate = threading.Barrier(4)

    def work() -> None:
        with live_rt.transaction() as session:
            gate.wait()
            runner.receive(session, number, [first(person) for person in people])

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with live_rt.transaction() as session:
        for person in people:
            assert said_to(session, person) == ["Hi Ada!", "What brings you here?"]
