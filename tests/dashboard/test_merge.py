"""Two people are made one from a page, after seeing what would become of both."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.person import Person, PersonMerge
from bot.models.words import Role
from tests import factories as make
from tests.dashboard.visitor import Visitor


@pytest.fixture
def pair(session: Session) -> tuple[Person, Person]:
    """The one who stays, and the one who goes."""
    elder = make.make_person(session, first_name="Layla", last_name="Nour", country="EG", distinct_id="layla-1")
    younger = make.make_person(session, first_name="Leila", last_name="Nour", country="SD", distinct_id="layla-2")
    session.commit()
    return elder, younger


def test_the_other_is_searched_for_looked_at_and_merged(
    session: Session, admin: Visitor, pair: tuple[Person, Person]
) -> None:
    elder, younger = pair
    found = admin.get(f"/people/{younger.id}/merge?q=Nour").text
    link = re.search(rf'href="(/people/{younger.id}/merge\?with={elder.id})"', found)
    assert link
    assert f"with={younger.id}" not in found
    seen = admin.get(link[1]).text
    assert "conflict" in seen
    assert "They have been known longer." in seen
    done = admin.post(f"/people/{younger.id}/merge", {"with": elder.id, "stays": elder.id, "sure": "yes"})
    assert done.status_code == 303
    assert re.search(rf"/people/{elder.id}\b", done.location)
    gone_id = younger.id
    session.expire_all()
    assert session.get(Person, gone_id) is None
    assert "by hand, by Admin" in session.scalars(select(PersonMerge.reason)).one()


def test_nothing_is_merged_unless_the_box_is_ticked_and_what_was_shown_still_holds(
    session: Session, admin: Visitor, pair: tuple[Person, Person]
) -> None:
    elder, younger = pair
    address = f"/people/{elder.id}/merge"
    admin.get(f"{address}?with={younger.id}")
    assert admin.post(address, {"with": younger.id, "stays": elder.id}).status_code == 422
    stale = admin.post(address, {"with": younger.id, "stays": younger.id, "sure": "yes"})
    assert (stale.status_code, "They changed since you looked" in stale.text) == (409, True)
    assert session.get(Person, younger.id) is not None


def test_live_and_test_cannot_be_made_one(session: Session, admin: Visitor, pair: tuple[Person, Person]) -> None:
    elder, _ = pair
    tester = make.make_person(session, environment="test", first_name="Layla", last_name="Nour")
    session.commit()
    assert f"with={tester.id}" not in admin.get(f"/people/{elder.id}/merge?q=Nour").text
    assert "nobody crosses" in admin.get(f"/people/{elder.id}/merge?with={tester.id}").text
    crossing = admin.post(f"/people/{elder.id}/merge", {"with": tester.id, "stays": elder.id, "sure": "yes"})
    assert crossing.status_code == 409


def test_a_coach_may_not(signed_in: Callable[[Role], Visitor], pair: tuple[Person, Person]) -> None:
    assert signed_in(Role.COACH).get(f"/people/{pair[0].id}/merge").status_code == 403
