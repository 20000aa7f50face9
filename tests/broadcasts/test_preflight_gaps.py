"""Who lacks a value is found before the launch as the sender would find it, and a default helps."""

import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, BroadcastWording, Template
from bot.models.connection import Connection
from bot.models.person import Person
from bot.models.words import BroadcastState
from bot.runtime import Runtime
from broadcasts.audience import wordings
from broadcasts.audience.waves import REST
from broadcasts.broadcasts import BroadcastError
from broadcasts.control import lifecycle
from broadcasts.preflight import lacking, needing, remedies
from broadcasts.running import materialising
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

    listed = dict(lacking.people(session, broadcast, needing.of(session, broadcast)))
    told = load(rt, broadcast.id).gaps
    assert told.people == len(listed) > 20
    assert told.missing == Counter(name for lacked in listed.values() for name in lacked)


@pytest.mark.parametrize(
    "trial",
    [{}, {"trial_percent": 60, "winner_metric": "read", "winner_minutes": 5, "canary_percent": 10}],
    ids=["each its variant", "a winner for the rest"],
)
def test_of_nobody_need_be_known_what_only_the_texts_of_others_say(
    rt: Runtime, session: Session, trial: dict[str, Any]
) -> None:
    """A in German and B for everybody need nothing; A for everybody needs one value, B in Portuguese another."""
    broadcast = make_draft(session, 0, slots={"body.1": "<<user.level>>"}, skips_gaps=True, **trial)
    own = session.get_one(Template, broadcast.template_id)
    connection = session.get_one(Connection, own.connection_id)
    german = factories.make_template(session, connection, language="de", category="MARKETING")
    brazilian = factories.make_template(session, connection, language="pt_BR", category="MARKETING")
    for variant, language, template, text in (
        (0, "de", german, "du"),
        (1, None, own, "you"),
        (1, "pt_BR", brazilian, "<<user.city>>"),
    ):
        row = {"variant": variant, "language": language, "template_id": template.id, "slots": {"body.1": text}}
        session.add(BroadcastWording(broadcast_id=broadcast.id, **row))
    spoken = (None, "de", "de_AT", "DE-ch", "pt", "pt_BR", "pt-PT", "en")
    people = [factories.make_person(session, language=language) for language in spoken for _ in range(8)]
    add_segment(session, broadcast, people)
    session.commit()

    told, listed = load(rt, broadcast.id).gaps, dict(lacking.people(session, broadcast, needing.of(session, broadcast)))
    lifecycle.launch(session, broadcast.id, NOBODY)
    session.expire_all()
    materialising.materialise(session, broadcast.id)

    wanted = {
        None: "level",
        **{each.id: "city" for each in wordings.of(session, broadcast) if each.language == "pt_br"},
    }
    lacked = {}
    for person, drawn in session.execute(select(Person, AudiencePerson).join_from(AudiencePerson, Person)):
        variants = (0, 1) if trial and drawn.wave == REST else (drawn.variant,)
        read = [wordings.choose(wordings.of(session, broadcast), each, person.language) for each in variants]
        lacked[person.id] = {wanted[each] for each in read if each in wanted}
    assert {id_: set(names) for id_, names in listed.items()} == {id_: names for id_, names in lacked.items() if names}
    assert told.people == len(listed)
    assert told.missing == Counter(name for names in listed.values() for name in names)
    assert {len(names) for names in lacked.values()} >= {0, 1}


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
