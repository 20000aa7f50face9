"""The second factor, from its drawing to the lost phone."""

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pyotp
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.team import Operator
from bot.models.words import Role
from bot.runtime import Runtime
from bot.team import factor, throttle
from tests.dashboard.visitor import Visitor
from tests.factories import PASSWORD, make_operator


@pytest.fixture
def kim(session: Session) -> Operator:
    made = make_operator(session, Role.COACH)
    session.commit()
    return made


@pytest.fixture
def browser(app: Flask) -> Callable[[], Visitor]:
    return lambda: Visitor(app.test_client())


def earlier(app: pyotp.TOTP) -> str:
    """The code of half a minute ago, so that the one of now is left for the test."""
    return app.generate_otp(int(time.time()) // factor.STEP_S - 1)


def set_up(visitor: Visitor) -> tuple[pyotp.TOTP, list[str]]:
    """As somebody does with an app on their phone; returns the app and the recovery codes."""
    page = visitor.get("/account/factor").text
    assert "<svg" in page
    typed, proposal = (
        re.search(r"type <code[^>]*>([A-Z2-7 ]+)</code>", page),
        re.search(r'name="proposal" value="([^"]+)"', page),
    )
    assert typed
    assert proposal
    app = pyotp.TOTP(typed[1].replace(" ", ""))
    done = visitor.post("/account/factor", {"proposal": proposal[1], "code": earlier(app)})
    assert done.status_code == 200, done.text
    return app, re.findall(r"<code>(\w{5}-\w{5})</code>", done.text)


def half_way(visitor: Visitor, operator: Operator) -> Visitor:
    """The password was right."""
    visitor.get("/sign-in")
    asked = visitor.post("/sign-in?next=/people", {"email": operator.email, "password": PASSWORD})
    assert asked.location.startswith("/sign-in/code")
    visitor.get(asked.location)
    return visitor


def test_with_a_second_factor_the_password_alone_opens_nothing(browser: Callable[[], Visitor], kim: Operator) -> None:
    app, codes = set_up(browser().sign_in(kim))
    assert len(codes) == factor.CODES
    visitor = half_way(browser(), kim)
    assert visitor.get("/people").status_code == 303
    wrong = visitor.post("/sign-in/code", {"code": "000000" if app.now() != "000000" else "000001"})
    assert wrong.status_code == 422
    assert visitor.get("/people").status_code == 303
    half_way(visitor, kim)
    passed = visitor.post("/sign-in/code?next=/people", {"code": app.now()})
    assert passed.location == "/people"
    assert visitor.get("/people").status_code == 200


def test_a_code_is_taken_once(browser: Callable[[], Visitor], kim: Operator) -> None:
    app, codes = set_up(browser().sign_in(kim))
    for code in (app.now(), codes[0].upper().replace("-", " ")):
        first, second = half_way(browser(), kim), half_way(browser(), kim)
        assert first.post("/sign-in/code", {"code": code}).status_code == 303
        assert second.post("/sign-in/code", {"code": code}).status_code == 422
    assert "9 of your recovery codes" in first.get("/account/factor").text


def test_codes_are_throttled_whatever_address_they_come_from(
    browser: Callable[[], Visitor], kim: Operator, rt: Runtime
) -> None:
    app, _ = set_up(browser().sign_in(kim))
    visitor = half_way(browser(), kim)
    for number in range(throttle.PER_CODE):
        visitor.client.environ_base["REMOTE_ADDR"] = f"10.0.0.{number}"
        assert visitor.post("/sign-in/code", {"code": "nonsense"}).status_code == 422
    answer = visitor.post("/sign-in/code", {"code": app.now()})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_the_database_holds_no_secret_of_a_factor(
    browser: Callable[[], Visitor], kim: Operator, session: Session
) -> None:
    app, codes = set_up(browser().sign_in(kim))
    tables = ("operator", "recovery_code", "audit_entry")
    dump = str([session.execute(text(f"SELECT t::text FROM {name} t")).all() for name in tables])
    sealed = session.scalar(text("SELECT sealed_factor FROM operator WHERE sealed_factor IS NOT NULL"))
    assert app.secret not in dump
    assert app.secret.encode() not in bytes(sealed)
    assert not any(code.replace("-", "") in dump for code in codes)


def test_a_proposal_that_is_not_ours_is_not_taken(browser: Callable[[], Visitor], kim: Operator) -> None:
    visitor = browser().sign_in(kim)
    visitor.get("/account/factor")
    secret = pyotp.random_base32()
    form = {"proposal": secret, "code": pyotp.TOTP(secret).now()}
    assert visitor.post("/account/factor", form).status_code == 422


def test_who_has_one_does_not_lose_it_to_a_browser_left_open(browser: Callable[[], Visitor], kim: Operator) -> None:
    visitor = browser().sign_in(kim)
    set_up(visitor)
    for path in ("/account/factor", "/account/factor/off", "/account/factor/codes"):
        assert visitor.post(path, {"current": "a guess", "proposal": "x", "code": "1"}).status_code == 422
    assert visitor.post("/account/factor/off", {"current": PASSWORD}).status_code == 303
    assert browser().sign_in(kim)


def test_a_team_can_ask_everybody_for_one(
    admin: Visitor, browser: Callable[[], Visitor], kim: Operator, session: Session
) -> None:
    visitor = browser().sign_in(kim)
    admin.post("/team/policy", {"required": "yes"})
    for path in ("/", "/people", "/account"):
        assert visitor.get(path).location == "/account/factor"
    set_up(visitor)
    assert visitor.get("/people").status_code == 200
    assert visitor.post("/account/factor/off", {"current": PASSWORD}).status_code == 422


def test_an_admin_resets_the_factor_of_somebody_whose_phone_is_gone(
    admin: Visitor, browser: Callable[[], Visitor], kim: Operator
) -> None:
    visitor = browser().sign_in(kim)
    set_up(visitor)
    assert admin.post(f"/team/{kim.id}/factor").status_code == 303
    assert visitor.get("/account").status_code == 303
    assert browser().sign_in(kim)


def test_a_factor_outlives_a_change_of_the_secret_key(rt: Runtime, kim: Operator, session: Session) -> None:
    sealed = factor.propose(rt.settings)
    newer = replace(rt.settings, secret_key="k" * 32, former_secret_keys=(rt.settings.secret_key,))
    app = pyotp.parse_uri(factor.address(newer, sealed, kim.email))
    assert isinstance(app, pyotp.TOTP)
    assert factor.turn_on(session, newer, kim.id, sealed, earlier(app))
    assert factor.passes(session, newer, kim.id, app.now())
