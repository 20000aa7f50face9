"""What a preview says of two people is what the merge then does."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person, PersonMerge
from bot.people import consent, merging
from bot.people.consent import Word
from bot.people.merging import MergeError
from tests import factories as make

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


@pytest.fixture
def pair(session: Session) -> tuple[Person, Person]:
    """The one who stays, and the one who goes."""
    elder = make.make_person(
        session,
        created_at=NOW - timedelta(days=9),
        last_name=None,
        country="EG",
        attributes={"city": "Cairo", "age": 3},
    )
    younger = make.make_person(
        session, last_name="Nour", country="SD", attributes={"city": "Giza", "vip": True, "age": 3}, enabled=False
    )
    return elder, younger


@pytest.mark.parametrize("is_reversed", [False, True])
def test_the_preview_tells_who_stays_what_wins_and_what_moves(
    session: Session, number: Number, pair: tuple[Person, Person], is_reversed: bool
) -> None:
    elder, younger = pair
    make.make_segment(session, [elder, younger])
    make.make_segment(session, [younger])
    make.make_conversation(session, elder, number)
    make.make_conversation(session, younger, number)
    for _ in range(3):
        make.make_outbound(session, younger, number)
    said = ((elder, "stop", 2), (younger, "resume", 1))
    consent.tell(
        session,
        [Word(p.id, consent.MARKETING, value, "webhook", NOW - timedelta(days=days)) for p, value, days in said],
    )
    named = [elder.id, younger.id]
    seen = merging.preview(session, *(named[::-1] if is_reversed else named))
    assert (seen.stays, seen.goes) == (elder, younger)
    assert {each.label: (each.result, each.winner) for each in seen.fields if each.winner != "neither"} == {
        "User ID": (elder.distinct_id, "stays"),
        "First name": ("Ada", "both"),
        "Last name": ("Nour", "goes"),
        "Country": ("EG", "stays"),
        "Messages": ("off", "goes"),
        "Marketing": ("not stopped", "goes"),
        "city": ("Cairo", "stays"),
        "vip": ("true", "goes"),
        "age": ("3", "both"),
    }
    assert {each.label for each in seen.fields if each.is_conflict} >= {"User ID", "Country", "city"}
    assert (seen.moves["messages"], seen.moves["segments"], seen.moves["words of consent"]) == (3, 2, 1)
    assert seen.joined == {"conversations": 1, "segments": 1, "broadcasts": 0}

    stays = session.get_one(Person, merging.become_one(session, named[0], named[1], "by hand"), populate_existing=True)
    results = {each.label: each.result for each in seen.fields}
    assert (stays.id, stays.last_name, stays.country) == (elder.id, results["Last name"], results["Country"])
    assert ("on" if stays.enabled else "off") == results["Messages"]
    assert ("not stopped" if stays.marketing_opted_out_at is None else "stopped") == results["Marketing"]
    assert stays.attributes == {"city": "Cairo", "vip": True, "age": 3}
    assert session.scalar(select(func.count()).where(Message.person_id == stays.id)) == 3
    assert session.scalars(select(PersonMerge.reason)).all() == ["by hand"]


def test_the_reason_why_one_stays_is_the_one_that_counts(session: Session, pair: tuple[Person, Person]) -> None:
    elder, younger = pair
    assert "known longer" in merging.preview(session, elder.id, younger.id).reason
    elder.distinct_id_given = False
    session.flush()
    seen = merging.preview(session, elder.id, younger.id)
    assert (seen.stays, "user ID was given" in seen.reason) == (younger, True)


def test_who_cannot_become_one_is_refused_with_the_reason(session: Session, pair: tuple[Person, Person]) -> None:
    elder, _ = pair
    tester = make.make_person(session, environment="test")
    erased = make.make_person(session, erased_at=NOW)
    refused = {elder.id: "same person", tester.id: "Live and one to Test", erased.id: "erased", 10**12: "no person"}
    for other, words in refused.items():
        for ask in (merging.preview, lambda asked, one, two: merging.become_one(asked, one, two, "by hand")):
            with pytest.raises(MergeError, match=words):
                ask(session, elder.id, other)
