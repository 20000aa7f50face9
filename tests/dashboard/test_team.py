"""The team: invited by link, given a role, deactivated, given a new password, signed out."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from bot.models.team import Invitation, Operator, PasswordReset
from bot.models.words import Role
from bot.team import invitations
from tests.dashboard.visitor import Visitor
from tests.factories import PASSWORD, make_operator

KIM = "kim@example.org"
NEW = {"password": "a much longer passphrase", "again": "a much longer passphrase"}


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    return Visitor(app.test_client())


@pytest.fixture
def link(admin: Visitor) -> str:
    """Where Kim was invited to."""
    return link_in(admin.post("/team/invitations", {"email": KIM, "role": "coach"}).text)


def link_in(page: str) -> str:
    shown = re.search(r'secret">\s*<code>http://localhost:\d+(/(?:join|password)/[\w-]{43})</code>', page)
    assert shown
    return shown[1]


def member(session: Session, role: str = Role.COACH) -> Operator:
    made = make_operator(session, role)
    session.commit()
    return made


def test_somebody_invited_chooses_name_and_password_and_signs_in(
    admin: Visitor, stranger: Visitor, session: Session, link: str
) -> None:
    assert link not in admin.get("/team").text
    assert KIM in stranger.get(link).text
    joined = stranger.post(link, {"name": "Kim", **NEW})
    assert joined.location.startswith("/sign-in")
    kim = session.query(Operator).filter_by(email=KIM).one()
    assert (kim.name, kim.role) == ("Kim", Role.COACH)
    stranger.sign_in(kim, NEW["password"])
    assert stranger.get("/people").status_code == 200
    assert stranger.get("/team").status_code == 403


@pytest.mark.parametrize("ending", ["used", "taken back", "renewed", "a week old"])
def test_a_link_that_has_ended_leads_nowhere(
    admin: Visitor, stranger: Visitor, session: Session, link: str, ending: str
) -> None:
    stranger.get(link)
    found = session.query(Invitation).one()
    match ending:
        case "used":
            stranger.post(link, {"name": "Kim", **NEW})
        case "taken back":
            assert admin.post(f"/team/invitations/{found.id}/revoke").status_code == 303
        case "renewed":
            newer = link_in(admin.post(f"/team/invitations/{found.id}/renew").text)
            assert stranger.get(newer).status_code == 200
        case _:
            past = datetime.now(UTC) - timedelta(seconds=1)
            session.execute(update(Invitation).values(expires_at=past))
            session.commit()
    assert stranger.get(link).status_code == 410
    assert stranger.post(link, {"name": "Mallory", **NEW}).status_code == 410
    assert session.query(Operator).filter_by(name="Mallory").count() == 0


def test_a_mistake_leaves_the_link_good_for_another_try(stranger: Visitor, link: str) -> None:
    stranger.get(link)
    for form, said in (
        ({"name": "Kim", "password": "short", "again": "short"}, "12 to 256 characters"),
        ({"name": "Kim", **NEW, "again": "another"}, "not the same"),
        ({"name": " ", **NEW}, "1 to 80"),
    ):
        answer = stranger.post(link, form)
        assert answer.status_code == 422
        assert said in answer.text
    assert stranger.post(link, {"name": "Kim", **NEW}).status_code == 303


def test_the_database_holds_no_usable_link(session: Session, link: str) -> None:
    secret = link.rsplit("/", 1)[-1]
    dump = str(session.execute(text("SELECT t::text, encode(secret_hash, 'escape') FROM invitation t")).all())
    assert secret not in dump
    assert invitations.find(session, secret)


def test_nobody_is_invited_twice_or_by_an_unreadable_address(admin: Visitor, session: Session, link: str) -> None:
    taken = member(session).email
    for email, said in ((KIM, "invited already"), (taken, "already signs in"), ("nonsense", "must look like")):
        answer = admin.post("/team/invitations", {"email": email, "role": "coach"})
        assert answer.status_code == 422
        assert said in answer.text


def test_a_change_of_role_takes_hold_at_once(app: Flask, admin: Visitor, session: Session) -> None:
    coach = member(session)
    visitor = Visitor(app.test_client()).sign_in(coach)
    assert visitor.get("/segments").status_code == 403
    admin.post(f"/team/{coach.id}/role", {"role": "marketer"})
    assert visitor.get("/segments").status_code == 200


def test_who_is_deactivated_is_signed_out_at_once_and_can_come_back(
    app: Flask, admin: Visitor, session: Session
) -> None:
    coach = member(session)
    visitor = Visitor(app.test_client()).sign_in(coach)
    assert admin.post(f"/team/{coach.id}/deactivate").status_code == 303
    assert visitor.get("/account").status_code == 303
    assert "deactivated" in admin.get("/team").text
    assert admin.post(f"/team/{coach.id}/activate").status_code == 303
    assert visitor.get("/account").status_code == 303
    assert visitor.sign_in(coach, PASSWORD)


def test_the_last_admin_is_kept_from_locking_everybody_out(admin: Visitor, session: Session) -> None:
    me = session.query(Operator).one()
    for change, form in (("deactivate", {}), ("role", {"role": "coach"})):
        answer = admin.post(f"/team/{me.id}/{change}", form)
        assert answer.status_code == 409
        assert "only active admin" in answer.text


def test_a_link_for_a_new_password_works_once_and_signs_out_everywhere(
    app: Flask, admin: Visitor, stranger: Visitor, session: Session
) -> None:
    coach = member(session)
    browser = Visitor(app.test_client()).sign_in(coach)
    first, link = (link_in(admin.post(f"/team/{coach.id}/password").text) for _ in range(2))
    assert browser.get("/account").status_code == 200, "the old password works until the link is used"
    assert stranger.get(first).status_code == 410
    stranger.get(link)
    assert stranger.post(link, NEW).status_code == 303
    assert browser.get("/account").status_code == 303
    assert stranger.get(link).status_code == 410
    assert stranger.sign_in(coach, NEW["password"])
    assert session.query(PasswordReset).filter(PasswordReset.used_at.is_(None)).count() == 0


def test_no_link_is_made_for_a_name_that_is_not_ours(admin: Visitor, session: Session) -> None:
    """Case 126; that links are of BACKCHAT_BASE_URL, link_in shows."""
    invited = {"email": KIM, "role": "coach"}
    assert admin.post("/team/invitations", invited, headers={"Host": "evil.example"}).status_code == 400
    assert session.query(Invitation).count() == 0


def test_a_member_who_is_not_there_is_not_found(admin: Visitor) -> None:
    for change in ("password", "role", "deactivate", "activate", "factor", "sessions/end"):
        assert admin.post(f"/team/999999/{change}", {"role": "coach"}).status_code == 404


def test_browsers_are_listed_and_ended_by_their_owner(app: Flask, session: Session) -> None:
    coach = member(session)
    here, phone, old = (Visitor(app.test_client()) for _ in range(3))
    phone.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (iPhone) AppleWebKit/605.1 Version/18.0 Safari/604.1"
    for browser in (here, phone, old):
        browser.sign_in(coach)
    page = here.get("/account").text
    assert "Safari on iPhone" in page
    assert "127.0.0.1" in page
    assert page.count("last seen") == 3
    ids = [int(found) for found in re.findall(r"/account/sessions/(\d+)/end", page)]
    assert len(ids) == 2, "not the one that is looked with"
    assert here.post(f"/account/sessions/{ids[0]}/end").status_code == 303
    assert sorted(browser.get("/account").status_code for browser in (here, phone, old)) == [200, 200, 303]
    here.post("/account/sessions/end")
    assert [browser.get("/account").status_code for browser in (here, phone, old)] == [200, 303, 303]


def test_nobody_ends_another_s_session_but_who_manages_the_team(
    app: Flask, admin: Visitor, signed_in: Callable[[Role], Visitor], session: Session
) -> None:
    coach = member(session)
    victim, other = Visitor(app.test_client()).sign_in(coach), signed_in(Role.MARKETER)
    page = admin.get(f"/team/{coach.id}").text
    (sign_in_id,) = re.findall(r'name="sign_in" value="(\d+)"', page)
    assert other.post(f"/account/sessions/{sign_in_id}/end").status_code == 404
    assert victim.get("/account").status_code == 200
    assert admin.post(f"/team/{coach.id}/sessions/end", {"sign_in": sign_in_id}).status_code == 303
    assert victim.get("/account").status_code == 303
