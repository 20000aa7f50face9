"""Whoever writes is one person, by whatever they show of themselves."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.models.person import Address, Person, PersonMerge
from bot.models.words import AddressKind, Environment
from bot.people import identify
from bot.providers.events import Sender
from bot.runtime import Runtime
from tests.factories import make_address, make_person

LIVE = Environment.LIVE
PHONE = "201000000001"


def find(session: Session, *senders: Sender, environment: str = LIVE) -> list[int]:
    return identify.find_or_create(session, environment, senders)


def addresses(session: Session, person_id: int) -> dict[str, str | None]:
    """Value → what is dialled."""
    rows = session.execute(select(Address.value, Address.dial).where(Address.person_id == person_id))
    return {row.value: row.dial for row in rows}


def people(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Person)) or 0


def test_a_stranger_becomes_a_person_with_all_they_showed(session: Session) -> None:
    shown = Sender(PHONE, "EG.1", "EG.ENT.9", "Amina", "amina")
    [person_id] = find(session, shown)
    person = session.get_one(Person, person_id)
    assert (person.nickname, person.country, person.distinct_id_given) == ("Amina", "EG", False)
    assert addresses(session, person_id) == {f"+{PHONE}": f"+{PHONE}", "EG.1": None, "EG.ENT.9": None}


@pytest.mark.parametrize("user_id, country", [("BR.1349", "BR"), ("US.ENT.77", "US"), ("1349", None), ("br.1", None)])
def test_whoever_hides_their_number_is_of_the_country_of_their_user_id(
    session: Session, user_id: str, country: str | None
) -> None:
    [person_id] = find(session, Sender(user_id=user_id))
    assert session.get_one(Person, person_id).country == country


def test_a_person_is_found_by_phone_then_by_user_id(session: Session) -> None:
    by_phone = make_person(session, phone=f"+{PHONE}")
    by_id = make_person(session, phone=None)
    make_address(session, by_id, AddressKind.USER_ID, "EG.1")
    assert find(session, Sender(PHONE), Sender(user_id="EG.1")) == [by_phone.id, by_id.id]


def test_two_people_of_whom_one_message_shows_that_they_are_one_become_one(session: Session) -> None:
    by_phone = make_person(session, phone=f"+{PHONE}", distinct_id="imported")
    [by_id] = find(session, Sender(user_id="EG.1", name="Amina"))
    assert find(session, Sender(PHONE), Sender(PHONE, "EG.1"), Sender(user_id="EG.1")) == [by_phone.id] * 3
    assert people(session) == 1
    session.expire_all()
    assert (by_phone.distinct_id, by_phone.nickname) == ("imported", "Amina")
    assert session.scalars(select(PersonMerge.gone_id)).all() == [by_id]


def test_a_phone_whose_owner_has_another_user_id_was_given_to_somebody_else(session: Session) -> None:
    [before] = find(session, Sender(PHONE, "EG.1"))
    [after] = find(session, Sender(user_id="EG.2"))
    assert find(session, Sender(PHONE, "EG.2")) == [before]
    assert people(session) == 2
    assert addresses(session, after) == {"EG.2": None}


def test_a_user_id_that_has_another_phone_is_not_taken_for_this_one(session: Session) -> None:
    [moved] = find(session, Sender("2012", "EG.1"))
    by_phone = make_person(session, phone=f"+{PHONE}")
    assert find(session, Sender(PHONE, "EG.1")) == [by_phone.id]
    assert find(session, Sender(user_id="EG.1")) == [moved]


def test_a_person_known_by_phone_is_found_by_the_user_id_they_showed_once(session: Session) -> None:
    person = make_person(session, phone=f"+{PHONE}")
    find(session, Sender(PHONE, "EG.1"))
    assert find(session, Sender(user_id="EG.1")) == [person.id]


def test_a_person_known_by_user_id_gets_their_phone_when_it_shows(session: Session) -> None:
    [first] = find(session, Sender(user_id="EG.1", username="amina"))
    assert session.get_one(Person, first).nickname == "@amina"
    assert find(session, Sender(PHONE), Sender(PHONE, "EG.1")) == [first, first]


def test_a_portfolio_wide_id_makes_nobody_the_same(session: Session) -> None:
    one, other = find(session, Sender(user_id="EG.1", parent_user_id="EG.ENT.9"), Sender("2010", None, "EG.ENT.9"))
    assert one != other


def test_a_batch_of_strangers_is_made_once_each(session: Session) -> None:
    shown = [Sender(PHONE), Sender(PHONE, "EG.1"), Sender(user_id="EG.1"), Sender("2012"), Sender(PHONE)]
    found = find(session, *shown)
    assert len(set(found)) == 2
    assert found[0] == found[1] == found[2] == found[4]
    assert find(session, *shown) == found


@pytest.mark.parametrize(
    "received, stored",
    [
        ("551187654321", "+5511987654321"),
        ("5511987654321", "+5511987654321"),
        ("5215512345678", "+525512345678"),
        ("525512345678", "+525512345678"),
        ("5491143211234", "+541143211234"),
        ("541143211234", "+5491143211234"),
        ("5491143211234", "+5491143211234"),
    ],
)
def test_all_forms_of_a_number_lead_to_one_person_and_the_received_form_is_dialled(
    session: Session, received: str, stored: str
) -> None:
    person = make_person(session, phone=stored)
    assert find(session, Sender(received)) == [person.id]
    assert f"+{received}" in addresses(session, person.id).values()
    assert find(session, Sender(received), Sender(stored[1:])) == [person.id] * 2


def test_two_argentines_who_differ_by_the_nine_stay_apart_once_both_are_known(session: Session) -> None:
    landline = make_person(session, phone="+541143211234")
    mobile = make_person(session, phone="+5491143211234")
    assert find(session, Sender("541143211234"), Sender("5491143211234")) == [landline.id, mobile.id]


def test_a_name_is_given_only_where_there_is_none(session: Session) -> None:
    named = make_person(session, phone="+20101", nickname="Auntie")
    nameless = make_person(session, phone="+20102")
    find(session, Sender("20101", name="Fatma"), Sender("20102", name="  "), Sender("20102", name="x" * 500))
    session.expire_all()
    assert named.nickname == "Auntie"
    assert nameless.nickname == "x" * 200


def test_environments_do_not_see_each_other(session: Session) -> None:
    [live] = find(session, Sender(PHONE))
    [test] = find(session, Sender(PHONE), environment=Environment.TEST)
    assert live != test


def test_looking_changes_nothing(session: Session) -> None:
    person = make_person(session, phone=f"+{PHONE}")
    assert identify.find(session, LIVE, [Sender(PHONE, "EG.1"), Sender("2012")]) == [person.id, None]
    assert people(session) == 1
    assert addresses(session, person.id) == {f"+{PHONE}": None}


def test_nothing_is_asked_for_nobody(session: Session) -> None:
    assert find(session) == []


def test_a_stranger_seen_by_many_at_once_is_one_person(live_rt: Runtime) -> None:
    gate = threading.Barrier(8)
    shown = [Sender(PHONE), Sender(PHONE, "EG.1"), Sender(user_id="EG.1", name="Amina"), Sender("2012")]

    def meet(turn: int) -> list[int]:
        gate.wait()
        with live_rt.transaction() as session:
            return find(session, *(shown if turn % 2 else reversed(shown)))

    with ThreadPoolExecutor(8) as threads:
        found = {frozenset(ids) for ids in threads.map(meet, range(8))}
    assert len(found) == 1
    with live_rt.sessions() as session:
        assert people(session) == 2


def test_two_messages_of_one_person_are_taken_one_after_the_other(live_rt: Runtime) -> None:
    with live_rt.transaction() as session:
        make_person(session, phone="+5491143211234")
        make_person(session, phone="+2012")
    with live_rt.transaction() as first:
        find(first, Sender("5491143211234", "AR.1"))
        for same in (Sender("5491143211234"), Sender("541143211234"), Sender(user_id="AR.1")):
            with live_rt.sessions() as second:
                second.execute(text("SET LOCAL lock_timeout = '100ms'"))
                with pytest.raises(OperationalError, match="lock timeout"):
                    find(second, same)
        with live_rt.transaction() as second:
            find(second, Sender("2012"))


def test_whoever_an_import_stores_meanwhile_is_not_made_again(
    live_rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = identify._create_strangers
    imported: list[int] = []

    def import_first(*arguments: object) -> None:
        if not imported:
            with live_rt.transaction() as other:  # an import takes no locks of ours
                imported.append(make_person(other, phone=f"+{PHONE}").id)
        create(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(identify, "_create_strangers", import_first)
    with live_rt.transaction() as session:
        assert find(session, Sender(PHONE)) == imported
        assert people(session) == 1


def test_many_people_are_found_in_few_statements(session: Session) -> None:
    shown = [Sender(f"2010{number:07d}", f"EG.{number}") for number in range(3000)]
    found = find(session, *shown)
    assert len(set(found)) == 3000
    held = session.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"))
    assert 0 < (held or 0) <= 2048
