import threading

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.journeys import loading
from bot.journeys.source import JourneyError
from bot.models.journey import Journey
from bot.runtime import Runtime

HELLO = "journey: hello\nstart:\n  keywords: [hi, hey]\nsteps:\n  - say: Hello\n"
FIRST = "journey: first\nstart:\n  first_message: true\nsteps:\n  - say: Welcome\n"


def active(session: Session, environment: str = "live") -> list[tuple[str, int]]:
    found = select(Journey).where(Journey.environment == environment, Journey.active).order_by(Journey.name)
    return [(journey.name, journey.version) for journey in session.scalars(found)]


def test_loading_makes_a_version_only_when_the_text_has_changed(session: Session) -> None:
    first = loading.load(session, "live", HELLO, "hello.yaml")
    assert loading.load(session, "live", HELLO, "hello.yaml").id == first.id
    second = loading.load(session, "live", HELLO.replace("Hello", "Hello!"), "hello.yaml")
    assert (first.version, second.version) == (1, 2)
    assert active(session) == [("hello", 2)]


def test_a_keyword_starts_one_journey_only_and_the_refusal_names_both(session: Session) -> None:
    loading.load(session, "live", HELLO, "hello.yaml")
    other = HELLO.replace("journey: hello", "journey: other").replace("[hi, hey]", "\n    - ho\n    - HEY!")
    with pytest.raises(JourneyError) as refusal:
        loading.load(session, "live", other, "other.yaml")
    assert str(refusal.value) == (
        "other.yaml:5: The keyword 'hey' starts the journey 'hello' already, so it cannot start 'other'."
        " Take it out of one of them."
    )
    assert active(session) == [("hello", 1)]
    loading.load(session, "test", other, "other.yaml")
    assert active(session, "test") == [("other", 1)]


def test_the_first_message_starts_one_journey_only(session: Session) -> None:
    loading.load(session, "live", FIRST, "first.yaml")
    with pytest.raises(JourneyError, match=r"other\.yaml:3: Everybody's first message starts the journey 'first'"):
        loading.load(session, "live", FIRST.replace("journey: first", "journey: other"), "other.yaml")


def test_a_retired_journey_gives_its_keywords_back_and_may_return(session: Session) -> None:
    loading.load(session, "live", HELLO, "hello.yaml")
    assert [loading.retire(session, "live", "hello"), loading.retire(session, "live", "hello")] == [True, False]
    loading.load(session, "live", HELLO.replace("journey: hello", "journey: other"), "other.yaml")
    assert active(session) == [("other", 1)]
    with pytest.raises(JourneyError):
        loading.load(session, "live", HELLO, "hello.yaml")
    loading.retire(session, "live", "other")
    assert loading.load(session, "live", HELLO, "hello.yaml").version == 2


def test_two_loads_at_once_do_not_both_get_the_keyword(live_rt: Runtime) -> None:
    gate = threading.Barrier(2)
    refused = []

    def load(name: str) -> None:
        gate.wait()
        try:
            with live_rt.transaction() as session:
                loading.load(session, "live", HELLO.replace("journey: hello", f"journey: {name}"), f"{name}.yaml")
        except JourneyError:
            refused.append(name)

    loads = [threading.Thread(target=load, args=(name,)) for name in ("one", "two")]
    for each in loads:
        each.start()
    for each in loads:
        each.join()
    assert len(refused) == 1
