import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from bot.models.team import Operator
from bot.models.words import Role
from tests.dashboard.visitor import Visitor
from tests.factories import PASSWORD, make_operator


def test_an_admin_adds_somebody_who_can_sign_in_with_the_password_shown(
    app: Flask, admin: Visitor, session: Session
) -> None:
    answer = admin.post("/team", {"name": "Kim", "email": "kim@example.org", "role": "coach"})
    assert answer.status_code == 200
    shown = re.search(r'class="secret">\s*<code>([\w-]+)</code>', answer.text)
    assert shown
    assert shown[1] not in admin.get("/team").text
    kim = session.query(Operator).filter_by(email="kim@example.org").one()
    visitor = Visitor(app.test_client()).sign_in(kim, shown[1])
    assert visitor.get("/inbox").status_code == 200
    assert visitor.get("/team").status_code == 403


def test_a_mistake_in_the_form_is_said_and_what_was_typed_is_kept(admin: Visitor) -> None:
    answer = admin.post("/team", {"name": "Kim", "email": "nonsense", "role": "coach"})
    assert answer.status_code == 422
    assert "must look like name@example.com" in answer.text
    assert 'value="Kim"' in answer.text


def test_fields_that_are_not_asked_for_change_nothing(admin: Visitor, session: Session) -> None:
    admin.post(
        "/team", {"name": "K", "email": "k@example.org", "role": "coach", "id": "1", "active": "", "password": "x"}
    )
    added = session.query(Operator).filter_by(email="k@example.org").one()
    assert (added.role, added.active) == (Role.COACH, True)


@pytest.mark.parametrize("change", ["password", "role", "deactivate"])
def test_a_change_takes_hold_at_once(app: Flask, admin: Visitor, session: Session, change: str) -> None:
    coach = make_operator(session, Role.COACH)
    session.commit()
    visitor = Visitor(app.test_client()).sign_in(coach)
    assert visitor.get("/inbox").status_code == 200
    admin.post(f"/team/{coach.id}/{change}", {"role": "marketer"})
    assert visitor.get("/inbox").status_code == (403 if change == "role" else 303)


def test_somebody_deactivated_can_come_back(app: Flask, admin: Visitor, session: Session) -> None:
    coach = make_operator(session, Role.COACH, active=False)
    session.commit()
    assert "deactivated" in admin.get("/team").text
    assert admin.post(f"/team/{coach.id}/activate").status_code == 303
    assert Visitor(app.test_client()).sign_in(coach, PASSWORD)


def test_the_last_admin_is_kept_from_locking_everybody_out(
    admin: Visitor, signed_in: Callable[[Role], Visitor], session: Session
) -> None:
    me = session.query(Operator).one()
    answer = admin.post(f"/team/{me.id}/deactivate")
    assert answer.status_code == 409
    assert "only active admin" in answer.text


def test_a_member_who_is_not_there_is_not_found(admin: Visitor) -> None:
    for change in ("password", "role", "deactivate", "activate"):
        assert admin.post(f"/team/999999/{change}", {"role": "coach"}).status_code == 404
