"""Who lacks a value is found before the launch as the sender would find it, and a default helps."""

import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.models.person import Person
from bot.models.words import BroadcastState
from bot.runtime import Runtime
from broadcasts.broadcasts import BroadcastError
from broadcasts.control import lifecycle
from broadcasts.preflight import lacking, remedies
from broadcasts.transitions import NOBODY
from tests import factories
from tests.broadcasts.drafted import add_segment, load, make_draft


@pytest.mark.parametrize(
    "person, lacks",
    [
        ({"first_name": None}, True),
        ({"first_name": " \u00a0\u2003"}, True),
        ({"first_name": None, "nickname": "Ada L"}, False),
        ({"first_name": None, "nickname": "🌸"}, True),
        ({"first_name": None, "nickname": "عادل"}, False),
        ({"first_name": None, "nickname": "ಆದಿ ☀"}, False),
        ({"first_name": "", "nickname": "\u00a0", "attributes": {"first_name": "Ada"}}, False),
        ({"first_name": None, "attributes": {"first_name": "Ada"}}, False),
        ({"first_name": " ", "attributes": {"first_name": "Ada"}}, True),
    ],
)
def test_a_missing_name_is_found_as_the_sender_would_find_it(
    rt: Runtime, session: Session, person: dict[str, Any], lacks: bool
) -> None:
    broadcast = make_draft(session, 1)
    add_segment(session, broadcast, [factories.make_person(session, **person)])
    session.commit()

    told = load(rt, broadcast.id)
    assert told.gaps.missing == ({"first_name": 1} if lacks else {})
    assert bool(told.blocks) is lacks


@pytest.mark.parametrize(
    "name, attributes, lacks",
    [
        ("office", {"office": "Cairo"}, False),
        ("office", {"office": 7}, False),
        ("office", {"office": False}, False),
        ("office", {"office": ["a"]}, False),
        ("office", {"office": []}, True),
        ("office", {"office": None}, True),
        ("office", {"office": ""}, True),
        ("office", {"office": {"no": 1}}, True),
        ("office.no", {"office": {"no": 1}}, False),
        ("office.no", {"office": {}}, True),
        ("office.no", {"office.no": " ", "office": {"no": 1}}, True),
        ("office.no", {"office.no": None, "office": {"no": 1}}, False),
        ("office.no.b", {"office": {"no.b": ["a"]}}, False),
        ("phone_no", {}, False),
        ("email", {}, True),
        ("email", {"email": "a@b.org"}, False),
        ("username", {}, False),
    ],
)
def test_a_missing_attribute_is_found_as_the_sender_would_find_it(
    rt: Runtime, session: Session, name: str, attributes: dict[str, Any], lacks: bool
) -> None:
    broadcast = make_draft(session, 0, slots={"body.1": f"<<user.{name}>>"})
    add_segment(session, broadcast, [factories.make_person(session, attributes=attributes)])
    session.commit()

    assert load(rt, broadcast.id).gaps.missing == ({name: 1} if lacks else {})


def test_gaps_are_counted_as_they_are_listed_whatever_people_have(rt: Runtime, session: Session) -> None:
    lots = random.Random(5)
    slots = {"body.1": "<<user.first_name>> <<user.office.no>> <<user.email>>", "body.2": "<<user.username>>"}
    broadcast = make_draft(session, 0, slots=slots)
    names, numbers = [None, "", " ", "Ada"], [None, "", "7", 7, False, [], [1], {}, {"no": "1"}, {"no": " "}]
    people = []
    for _ in range(150):
        attributes = {name: lots.choice(numbers) for name in ("office", "office.no", "email") if lots.random() < 0.5}
        known: dict[str, Any] = {"first_name": lots.choice(names), "nickname": lots.choice([*names, "🌸", "Ζωή"])}
        person = factories.make_person(session, attributes=attributes, enabled=lots.random() < 0.8, **known)
        person.distinct_id_given = lots.random() < 0.8
        people.append(person)
    add_segment(session, broadcast, people)
    session.commit()

    listed = dict(lacking.people(session, broadcast, lacking.names(session, broadcast)))
    told = load(rt, broadcast.id).gaps
    assert told.people == len(listed) > 20
    assert told.missing == Counter(name for lacked in listed.values() for name in lacked)


def test_of_somebody_who_gets_nothing_anyway_nothing_need_be_known(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 1)
    add_segment(session, broadcast, [factories.make_person(session, first_name=None, enabled=False)])
    session.commit()

    assert (load(rt, broadcast.id).gaps.people, load(rt, broadcast.id).blocks) == (0, [])


def test_gaps_are_found_over_many_pages_of_people(
    rt: Runtime, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lacking, "_CHUNK", 3)
    broadcast = make_draft(session, 2)
    nameless = [factories.make_person(session, first_name=None, enabled=number % 4 > 0) for number in range(10)]
    add_segment(session, broadcast, nameless)
    session.commit()

    assert load(rt, broadcast.id).gaps.people == 7


def test_a_default_can_be_given_where_a_value_is_missing(rt: Runtime, session: Session) -> None:
    broadcast = make_draft(session, 1, slots={"body.1": "<<user.first_name>> and {{user.first_name}}"})
    session.execute(update(Person).values(first_name=None))
    with pytest.raises(BroadcastError, match="first_name is not known"):
        lifecycle.launch(session, broadcast.id, NOBODY)

    remedies.give_default(session, broadcast.id, "first_name", " there ")

    assert broadcast.slots["body.1"] == "<<user.first_name|default('there')>> and <<user.first_name|default('there')>>"
    assert lifecycle.launch(session, broadcast.id, NOBODY) == BroadcastState.MATERIALISING


@pytest.mark.parametrize("words", ["", " ", "it's", 'a"b', "a\\b", "a>>b", "a|b", "{{x}}", "a\nb", "x" * 61])
def test_a_default_that_would_break_the_text_is_refused(session: Session, words: str) -> None:
    broadcast = make_draft(session)

    with pytest.raises(BroadcastError, match="A default is"):
        remedies.give_default(session, broadcast.id, "first_name", words)


def test_a_default_for_what_no_text_has_by_itself_is_refused(session: Session) -> None:
    broadcast = make_draft(session)

    with pytest.raises(BroadcastError, match="No text has last_name"):
        remedies.give_default(session, broadcast.id, "last_name", "there")
