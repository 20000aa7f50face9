"""Making and changing a person: every field checked, all refusals at once, and nobody else's change lost."""

import contextlib
import threading
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.models.person import Address, Erasure, Person
from bot.models.words import AddressKind, PropertyType
from bot.people import identify, keys, profiles, properties, suppressions
from bot.people.profiles import ProfileError
from bot.people.tellers import Teller
from bot.providers.events import Sender
from bot.runtime import Runtime
from tests import factories as make

COACH = Teller("coach")
TYPED: dict[PropertyType, Any] = {
    PropertyType.TEXT: "Algebra",
    PropertyType.NUMBER: 12.5,
    PropertyType.DATE: "2026-01-31",
    PropertyType.TIME: "14:30:00",
    PropertyType.DATETIME: "2026-01-31T12:00:00Z",
    PropertyType.BOOLEAN: False,
    PropertyType.ARRAY: ["red", 3],
    PropertyType.OBJECT: {"floor": 3},
    PropertyType.LOCATION: {"latitude": 30.04, "longitude": 31.23},
}


def create(session: Session, **given: Any) -> Person:
    return profiles.create(session, "live", given, COACH)


def addresses(session: Session, person: Person) -> set[tuple[str, str]]:
    found = session.execute(select(Address.kind, Address.value).where(Address.person_id == person.id))
    return {(kind, value) for kind, value in found}


def test_a_person_is_made_with_everything_that_is_known(session: Session) -> None:
    types = {kind.lower(): kind for kind in TYPED}
    attributes = {kind.lower(): value for kind, value in TYPED.items()}
    person = create(
        session,
        distinct_id=" customer-7 ",
        first_name="Mona",
        country="eg",
        time_zone="Africa/Cairo",
        language="ar",
        addresses={"phone": "0100 123 4567", "email": ["Mona@Example.org", "mona@example.org"], "slack": "U024BE7LH"},
        attributes=attributes,
        types=types,
    )
    session.expire_all()
    assert (person.distinct_id, person.distinct_id_given, person.country, person.enabled) == (
        "customer-7",
        True,
        "EG",
        True,
    )
    assert person.attributes == attributes
    assert properties.custom(session, "live") == types
    assert addresses(session, person) == {
        ("phone", "+201001234567"),
        ("email", "mona@example.org"),
        ("slack", "U024BE7LH"),
    }


def test_a_phone_number_is_enough_and_tells_the_country(session: Session) -> None:
    person = create(session, addresses={"phone": "+4930901820"})
    assert (person.country, person.distinct_id_given) == ("DE", False)


def test_every_kind_of_address_can_be_kept(session: Session) -> None:
    given = {kind.value: "+201001234567" if kind in {"phone", "sms"} else f"x@{kind}.example" for kind in AddressKind}
    person = create(session, addresses=given)
    assert addresses(session, person) == set(given.items())


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "distinct_id", "Give a distinct ID"),
    ({"distinct_id": " "}, "distinct_id", "cannot be blank"),
    ({"distinct_id": 7}, "distinct_id", "must be a text and not a number"),
    ({"distinct_id": "x" * 201}, "distinct_id", "200 are the most"),
    ({"distinct_id": "a\x00"}, "distinct_id", "NUL"),
    ({"distinct_id": "a\nb"}, "distinct_id", "line break"),
    ({"nickname": "\ud800"}, "nickname", "half a character"),
    ({"country": "Egypt"}, "country", "two letters"),
    ({"country": "QQ"}, "country", "two letters"),
    ({"time_zone": "Cairo"}, "time_zone", "Africa/Cairo"),
    ({"language": "Arabic!"}, "language", "like en"),
    ({"enabled": "yes"}, "enabled", "true or false"),
    ({"addresses": ["+20100"]}, "addresses", "must be an object"),
    ({"addresses": {"fax": "1"}}, "addresses.fax", "no kind of address"),
    ({"addresses": {"phone": "12"}}, "addresses.phone", "write plus"),
    ({"addresses": {"email": "mona"}}, "addresses.email", "not an e-mail"),
    ({"addresses": {"push": ["x"] * 21}}, "addresses.push", "20 are the most"),
    ({"attributes": "x"}, "attributes", "must be an object"),
    ({"attributes": {"grade": 7}}, "attributes.grade", "no property 'grade'"),
    ({"attributes": {"grade": "7"}, "types": {"grade": "NUMBER"}}, "attributes.grade", "not of type NUMBER"),
    ({"types": {"grade": "INTEGER"}}, "types.grade", "no type 'INTEGER'"),
    ({"types": {"phone_no": "TEXT"}}, "types", "meaning of its own"),
    ({"id": 7}, "id", "no field 'id'"),
    ({"environment": "test"}, "environment", "no field 'environment'"),
    ({"created_at": "2020-01-01"}, "created_at", "no field"),
    ({"marketing_opted_out_at": None}, "marketing_opted_out_at", "no field"),
]


@pytest.mark.parametrize("given, path, reason", WRONG)
def test_a_refusal_names_the_field_and_what_would_be_right(
    session: Session, given: dict[str, Any], path: str, reason: str
) -> None:
    """Case 123: what belongs to us cannot be set, and nobody moves to another environment (B22)."""
    whole = {"distinct_id": "customer-7"} | given if given else given
    with pytest.raises(ProfileError) as caught:
        profiles.create(session, "live", whole, COACH)
    assert list(caught.value.problems) == [path]
    assert reason in caught.value.problems[path]


def test_all_that_is_wrong_is_said_at_once(session: Session) -> None:
    with pytest.raises(ProfileError) as caught:
        create(session, distinct_id="", country="Egypt", addresses={"email": "mona", "phone": "12"})
    assert set(caught.value.problems) == {"distinct_id", "country", "addresses.email", "addresses.phone"}


def test_no_two_people_share_a_distinct_id_or_an_address(session: Session) -> None:
    mona = create(session, distinct_id="mona", addresses={"email": "mona@example.org"})
    with pytest.raises(ProfileError, match="somebody else's") as caught:
        create(session, distinct_id="mona")
    assert caught.value.owner_id == mona.id
    other = create(session, distinct_id="other")
    for given, path in (
        ({"distinct_id": "mona"}, "distinct_id"),
        ({"addresses": {"email": "MONA@example.org"}}, "addresses.email"),
    ):
        with pytest.raises(ProfileError) as caught:
            profiles.change(session, other.id, given, COACH)
        assert (list(caught.value.problems), caught.value.owner_id) == ([path], mona.id)


def test_the_two_ways_to_write_an_argentine_number_are_one_person(session: Session) -> None:
    create(session, addresses={"phone": "+5491123456789"})
    with pytest.raises(ProfileError, match="merge them"):
        create(session, addresses={"phone": "+541123456789"})


def test_the_same_id_may_be_somebody_in_each_environment(session: Session) -> None:
    for environment in ("live", "test"):
        profiles.create(session, environment, {"distinct_id": "mona"}, COACH)
    assert session.scalar(select(func.count()).where(Person.distinct_id == "mona")) == 2


def test_a_change_touches_only_what_it_names(session: Session) -> None:
    properties.declare(session, "live", {"grade": PropertyType.NUMBER, "room": PropertyType.TEXT})
    person = create(
        session,
        distinct_id="mona",
        nickname="Mo",
        attributes={"grade": 7, "room": "A"},
        addresses={"sms": "+4930901820"},
    )
    given = {
        "first_name": "Mona",
        "nickname": "",
        "attributes": {"grade": 8, "room": None},
        "addresses": {"email": "m@example.org"},
    }
    profiles.change(session, person.id, given, COACH)
    session.expire_all()
    assert (person.distinct_id, person.first_name, person.nickname) == ("mona", "Mona", None)
    assert person.attributes == {"grade": 8}
    assert addresses(session, person) == {("sms", "+4930901820"), ("email", "m@example.org")}
    profiles.change(session, person.id, {"addresses": {"sms": None}}, COACH)
    assert addresses(session, person) == {("email", "m@example.org")}


def test_a_change_that_changes_nothing_is_none(session: Session) -> None:
    person = create(session, distinct_id="mona", addresses={"email": "m@example.org"})
    session.execute(Person.__table__.update().values(updated_at="2020-01-01T00:00:00Z"))  # type: ignore[attr-defined]
    profiles.change(session, person.id, {"distinct_id": "mona", "addresses": {"email": "M@example.org"}}, COACH)
    session.expire_all()
    assert person.updated_at.year == 2020
    profiles.change(session, person.id, {"nickname": "Mo"}, COACH)
    session.expire_all()
    assert person.updated_at.year > 2020


def test_nobody_can_be_changed_who_is_not_there(session: Session) -> None:
    with pytest.raises(ProfileError, match="There is no person 7"):
        profiles.change(session, 7, {}, COACH)


def together(rt: Runtime, *works: Any) -> None:
    """Each in a transaction and a thread of its own, all of them begun before any ends."""
    barrier = threading.Barrier(len(works))
    trouble: list[Exception] = []

    def run(work: Any) -> None:
        barrier.wait(timeout=30)
        try:
            with rt.transaction() as session:
                work(session)
        except Exception as error:  # noqa: BLE001 (told below)
            trouble.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []


def test_changes_at_the_same_time_are_all_kept(live_rt: Runtime) -> None:
    names = [f"field{count}" for count in range(8)]
    with live_rt.transaction() as session:
        properties.declare(session, "live", dict.fromkeys(names, PropertyType.NUMBER))
        person_id = create(session, distinct_id="mona").id
    changes = [lambda s, n=name: profiles.change(s, person_id, {"attributes": {n: 1}}, COACH) for name in names]
    mails = [
        lambda s, n=count: profiles.add_address(s, person_id, AddressKind.EMAIL, f"m{n}@example.org")
        for count in range(4)
    ]
    together(live_rt, *changes, *mails)
    with live_rt.transaction() as session:
        assert session.get_one(Person, person_id).attributes == dict.fromkeys(names, 1)
        assert len(addresses(session, session.get_one(Person, person_id))) == 4


@pytest.mark.parametrize(
    "work",
    [
        lambda session, _: create(session, addresses={"phone": "+4930901820"}),
        lambda session, person_id: profiles.change(session, person_id, {"addresses": {"phone": "+4930901820"}}, COACH),
        lambda session, person_id: profiles.add_address(session, person_id, AddressKind.PHONE, "+4930901820"),
    ],
    ids=["create", "change", "add_address"],
)
def test_who_adds_an_address_waits_for_a_message_from_it(live_rt: Runtime, work: Any) -> None:
    with live_rt.transaction() as session:
        person_id = create(session, distinct_id="mona").id
    with live_rt.transaction() as arriving:
        keys.lock(arriving, [("live", Sender(phone="4930901820"))])
        assert waits(live_rt, lambda session: work(session, person_id))
    assert not waits(live_rt, lambda session: work(session, person_id))


def test_a_change_waits_for_who_holds_the_person(live_rt: Runtime) -> None:
    with live_rt.transaction() as session:
        person_id = create(session, distinct_id="mona").id
    with live_rt.transaction() as merging:
        merging.execute(select(Person.id).where(Person.id == person_id).with_for_update())
        assert waits(live_rt, lambda session: profiles.change(session, person_id, {"distinct_id": "mona"}, COACH))


def waits(rt: Runtime, work: Any) -> bool:
    """Whether it has to wait for somebody's lock, which it here gives up at once."""
    try:
        with rt.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            work(session)
    except OperationalError as error:
        return isinstance(error.orig, psycopg.errors.LockNotAvailable)
    return False


def test_a_message_and_a_profile_at_the_same_time_make_one_person(live_rt: Runtime) -> None:
    phones = [make.next_phone() for _ in range(8)]

    def arrive(session: Session) -> None:
        identify.find_or_create(session, "live", [Sender(phone=phone.removeprefix("+")) for phone in phones])

    def add(_: Session) -> None:
        for phone in phones:
            with contextlib.suppress(ProfileError), live_rt.transaction() as session:  # the message may be quicker
                create(session, addresses={"phone": phone})

    together(live_rt, arrive, add)
    with live_rt.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == len(phones)


def test_whoever_was_erased_is_not_brought_back(rt: Runtime, session: Session) -> None:
    erasure = Erasure(environment="live", person_id=1, receipt={})
    session.add(erasure)
    session.flush()
    gone = [("phone", "+4930901820"), ("distinct_id", "mona")]
    digests = suppressions.digests(rt.settings.secret_key, "live", gone)
    suppressions.keep(session, "live", erasure.id, digests)
    with pytest.raises(ProfileError, match="erased at their own wish") as caught:
        create(session, distinct_id="mona", addresses={"phone": "+49 30 901820"})
    assert set(caught.value.problems) == {"distinct_id", "addresses.phone"}
    person = create(session, distinct_id="other")
    with pytest.raises(ProfileError, match="erased"):
        profiles.add_address(session, person.id, AddressKind.PHONE, "+49 30 901820")
    with pytest.raises(ProfileError, match="erased"):
        profiles.change(session, person.id, {"distinct_id": "mona"}, COACH)
