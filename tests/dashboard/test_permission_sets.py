"""Sets of permissions that a team makes itself."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from bot.models.team import Operator, PermissionSet
from bot.models.words import Role
from tests.dashboard.visitor import Visitor
from tests.factories import make_operator


@pytest.fixture
def auditor(app: Flask, admin: Visitor, session: Session) -> Visitor:
    """Somebody with a set of their own: people and the audit log."""
    made = make(admin, "Auditor", "people.read", "audit.read")
    assert made == 303
    return with_set(app, admin, session, "Auditor")


def make(visitor: Visitor, name: str, *permissions: str) -> int:
    return visitor.post("/team/permissions", {"name": name, "permission": list(permissions)}).status_code


def with_set(app: Flask, admin: Visitor, session: Session, name: str) -> Visitor:
    operator = make_operator(session, Role.COACH)
    session.commit()
    assert admin.post(f"/team/{operator.id}/role", {"role": name}).status_code == 303
    return Visitor(app.test_client()).sign_in(operator)


def test_a_set_opens_what_it_names_and_nothing_else(auditor: Visitor) -> None:
    opened = {path: auditor.get(path).status_code for path in ("/people", "/team/audit", "/inbox", "/team", "/logs")}
    assert opened == {"/people": 200, "/team/audit": 200, "/inbox": 403, "/team": 403, "/logs": 403}
    page = auditor.get("/account").text
    assert "Auditor" in page
    assert 'href="/inbox"' not in page


def test_a_changed_set_holds_from_the_next_click(admin: Visitor, auditor: Visitor, session: Session) -> None:
    found = session.query(PermissionSet).one()
    form = {"name": "Auditor", "permission": ["logs.read"]}
    assert admin.post(f"/team/permissions/{found.id}", form).status_code == 303
    assert auditor.get("/people").status_code == 403
    assert auditor.get("/logs").status_code == 200


def test_a_set_that_somebody_has_is_not_removed(admin: Visitor, auditor: Visitor, session: Session) -> None:
    found = session.query(PermissionSet).one()
    assert admin.post(f"/team/permissions/{found.id}/remove").status_code == 409
    session.query(Operator).filter_by(permission_set_id=found.id).update({"role": "coach", "permission_set_id": None})
    session.commit()
    assert admin.post(f"/team/permissions/{found.id}/remove").status_code == 303


@pytest.mark.parametrize(
    "name, permissions",
    [
        ("Admin", ["people.read"]),
        ("Auditor", []),
        ("Auditor", ["people.fly"]),
        ("", ["people.read"]),
        ("x" * 41, ["people.read"]),
    ],
)
def test_a_set_that_cannot_be_is_refused(admin: Visitor, session: Session, name: str, permissions: list[str]) -> None:
    assert make(admin, name, *permissions) == 422
    assert session.query(PermissionSet).count() == 0


def test_nobody_gives_what_they_do_not_have(
    app: Flask, admin: Visitor, signed_in: Callable[[Role], Visitor], session: Session
) -> None:
    assert make(admin, "Lead", "team.manage", "people.read") == 303
    lead = with_set(app, admin, session, "Lead")
    coach, boss = make_operator(session, Role.COACH), session.query(Operator).filter_by(role=Role.ADMIN).one()
    session.commit()
    assert lead.get("/team").status_code == 200
    assert make(lead, "Everything", "people.erase") == 422
    assert lead.post("/team/invitations", {"email": "a@example.org", "role": "admin"}).status_code == 422
    for change in ("role", "password", "factor", "deactivate", "sessions/end"):
        assert lead.post(f"/team/{boss.id}/{change}", {"role": "coach"}).status_code == 403, change
        assert lead.post(f"/team/{coach.id}/{change}", {"role": "admin"}).status_code == 403, change
    assert lead.post("/team/tokens", {"name": "t", "environment": "test", "all": "yes"}).status_code == 422
    only = {"name": "t", "environment": "test", "scope": ["people.read"]}
    assert lead.post("/team/tokens", only).status_code == 200
