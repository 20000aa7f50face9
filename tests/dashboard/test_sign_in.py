from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import queue, runtime
from bot.dashboard.sign_in import REFUSED, local_path
from bot.models.team import SignIn
from bot.models.words import Role
from bot.runtime import Runtime
from bot.team import operators, passwords, sign_ins, throttle
from tests.dashboard.visitor import Visitor
from tests.factories import PASSWORD, make_operator


def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_where_they_wanted_to_go(
    visitor: Visitor, session: Session
) -> None:
    operator = make_operator(session)
    session.commit()
    response = visitor.get("/account")
    assert response.status_code == 303
    assert response.location == "/sign-in?next=/account"
    visitor.get(response.location)
    response = visitor.post(response.location, {"email": operator.email.upper(), "password": PASSWORD})
    assert response.location == "/account"
    assert operator.name in visitor.get("/account").text


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
    ],
)
def test_the_sign_in_never_leads_off_the_site(app: Flask, wanted: str) -> None:
    with app.test_request_context("/sign-in"):
        assert local_path(wanted) == "/"


def test_a_sign_in_ends_the_session_the_browser_had_before(visitor: Visitor, session: Session) -> None:
    operator = make_operator(session)
    session.commit()
    visitor.get("/sign-in")
    before = visitor.client.get_cookie("backchat")
    token = visitor.token
    visitor.sign_in(operator)
    after = visitor.client.get_cookie("backchat")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert visitor.client.post("/sign-out", data={"csrf_token": token}).status_code == 400


def test_a_planted_cookie_does_not_become_a_session(app: Flask, session: Session) -> None:
    victim, attacker = make_operator(session), make_operator(session)
    session.commit()
    planted = Visitor(app.test_client()).sign_in(attacker).client.get_cookie("backchat")
    assert planted is not None
    browser = Visitor(app.test_client())
    browser.client.set_cookie("backchat", planted.value)
    browser.get("/account")
    browser.post("/sign-in", {"email": victim.email, "password": PASSWORD})
    eavesdropper = app.test_client()
    eavesdropper.set_cookie("backchat", planted.value)
    assert eavesdropper.get("/account").status_code == 303


def test_after_signing_out_the_old_cookie_opens_nothing(app: Flask, admin: Visitor) -> None:
    cookie = admin.client.get_cookie("backchat")
    assert cookie is not None
    assert admin.post("/sign-out").status_code == 303
    thief = app.test_client()
    thief.set_cookie("backchat", cookie.value)
    assert thief.get("/account").status_code == 303


def test_a_changed_password_ends_every_other_session(app: Flask, session: Session) -> None:
    operator = make_operator(session)
    session.commit()
    here, elsewhere = (Visitor(app.test_client()).sign_in(operator) for _ in range(2))
    new = "a much longer passphrase"
    response = here.post("/account/password", {"current": PASSWORD, "new": new, "again": new})
    assert response.status_code == 303
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    assert Visitor(app.test_client()).sign_in(operator, new)


@pytest.mark.parametrize(
    "form, complaint",
    [
        ({"current": "wrong", "new": "long enough for us", "again": "long enough for us"}, "not your present password"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, "12 to 256 characters"),
        ({"current": PASSWORD, "new": "long enough for us", "again": "long enough for me"}, "not the same"),
    ],
)
def test_a_password_is_not_changed_by_mistake(admin: Visitor, form: dict[str, object], complaint: str) -> None:
    response = admin.post("/account/password", form)
    assert response.status_code == 422
    assert complaint in response.text
    assert admin.get("/account").status_code == 200


@pytest.mark.parametrize(
    "column, age, is_in",
    [
        ("seen_at", timedelta(hours=1, minutes=59), True),
        ("seen_at", timedelta(hours=2, minutes=1), False),
        ("created_at", timedelta(hours=11, minutes=59), True),
        ("created_at", timedelta(hours=12, minutes=1), False),
    ],
)
def test_a_session_ends_after_two_idle_hours_or_a_working_day(
    admin: Visitor, session: Session, column: str, age: timedelta, is_in: bool
) -> None:
    session.execute(update(SignIn).values({column: datetime.now(UTC) - age}))
    session.commit()
    assert (admin.get("/account").status_code == 200) is is_in


def test_somebody_deactivated_is_out_at_once(admin: Visitor, session: Session) -> None:
    operator_id = session.scalars(select(SignIn.operator_id)).one()
    make_operator(session)
    operators.deactivate(session, operator_id)
    session.commit()
    assert admin.get("/account").status_code == 303


def test_the_database_holds_nothing_that_signs_in(admin: Visitor, session: Session) -> None:
    kept = session.scalars(select(SignIn.secret_hash)).one()
    with admin.client.session_transaction() as cookie:
        assert cookie["secret"].encode() not in kept


@pytest.mark.parametrize("who", ["unknown", "wrong password", "deactivated"])
def test_a_refusal_does_not_tell_why(visitor: Visitor, session: Session, who: str) -> None:
    known, gone = make_operator(session), make_operator(session, active=False)
    session.commit()
    email = {"unknown": "nobody@example.org", "wrong password": known.email, "deactivated": gone.email}[who]
    visitor.get("/sign-in")
    response = visitor.post("/sign-in", {"email": email, "password": PASSWORD if who == "deactivated" else "guess"})
    assert response.status_code == 422
    assert REFUSED in response.text


def test_a_refusal_costs_as_much_work_for_an_e_mail_nobody_has(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = operators.add(session, email="a@example.org", name="A", role=Role.COACH, password=PASSWORD)
    tried: list[Parameters] = []

    class Witness(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 (the library's name)
            tried.append(extract_parameters(str(hash)))
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "COST", Witness.from_parameters(extract_parameters(passwords.COST.hash("x"))))
    for email in (known.email, "nobody@example.org"):
        assert operators.authenticate(session, email, "guess") is None
    for_known, for_nobody = tried
    assert for_known == for_nobody


def test_guessing_is_slowed_down_for_the_guesser_alone(app: Flask, session: Session) -> None:
    operator = make_operator(session)
    session.commit()
    guesser = Visitor(app.test_client())
    guesser.get("/sign-in")
    for _ in range(throttle.PER_ACCOUNT_AND_ADDRESS):
        assert guesser.post("/sign-in", {"email": operator.email, "password": "guess"}).status_code == 422
    refused = guesser.post("/sign-in", {"email": operator.email, "password": PASSWORD})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= throttle.WITHIN_S
    owner = app.test_client()
    owner.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    Visitor(owner).sign_in(operator)


def test_an_address_that_tries_many_accounts_is_slowed_down_too(rt: Runtime) -> None:
    waits = [throttle.seconds_to_wait(rt.redis, f"{n}@example.org", "192.0.2.9") for n in range(51)]
    assert not any(waits[: throttle.PER_ADDRESS])
    assert waits[-1] > 0


def test_a_forged_forwarding_header_buys_no_more_tries(visitor: Visitor, session: Session) -> None:
    visitor.get("/sign-in")
    answers = [
        visitor.post(
            "/sign-in", {"email": "a@example.org", "password": "guess"}, headers={"X-Forwarded-For": f"192.0.2.{n}"}
        ).status_code
        for n in range(6)
    ]
    assert answers == [422] * 5 + [429]


def test_while_redis_is_away_people_still_sign_in(rt: Runtime, app: Flask, session: Session) -> None:
    operator = make_operator(session)
    session.commit()
    runtime.use(replace(rt, redis=queue.connect("unix:///nowhere/redis.sock")))
    assert Visitor(app.test_client()).sign_in(operator)


def test_sessions_long_gone_are_forgotten(session: Session) -> None:
    operator = make_operator(session)
    sign_ins.begin(session, operator.id, datetime.now(UTC) - timedelta(days=31))
    sign_ins.begin(session, operator.id)
    assert len(session.scalars(select(SignIn.id)).all()) == 1
