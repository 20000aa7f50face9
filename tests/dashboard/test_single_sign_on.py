"""Sign-in by an identity provider: who gets in, and every way in which its answer cannot be believed."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bot import runtime
from bot.commands import console
from bot.commands import operator as operator_commands
from bot.models.team import AuditEntry, Operator, SignIn
from bot.models.words import Role
from bot.runtime import Runtime
from bot.settings import SettingsError
from bot.team import factor, invitations, operators, throttle
from bot.team.audit import Action
from tests.dashboard.visitor import Visitor
from tests.factories import PASSWORD, make_operator
from tests.harness.house import free_port
from tests.harness.provider import CLIENT, SECRET, Provider, running
from tests.harness.runtimes import make_settings

KIM = "kim@example.org"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with running(tmp_path_factory.mktemp("provider")) as started:
        yield started


@pytest.fixture
def provider(process: Provider, rt: Runtime) -> Provider:
    """The team's own, and its next sign-in is as it should be."""
    process.prepare()
    told: dict[str, Any] = {"oidc_issuer": process.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    runtime.use(replace(rt, settings=replace(rt.settings, **told)))
    return process


@pytest.fixture
def kim(session: Session) -> Operator:
    made = make_operator(session, Role.COACH)
    made.email = KIM
    session.commit()
    return made


@pytest.fixture
def come(app: Flask, provider: Provider) -> Callable[..., tuple[Visitor, TestResponse]]:
    """Sign in by the provider in a new browser, which is asked for `next` and comes back as `provider` was told."""

    def sign_in(wanted: str = "/account", **order: Any) -> tuple[Visitor, TestResponse]:
        provider.prepare(**order)
        visitor = Visitor(app.test_client())
        sent = visitor.get(f"/sign-in/oidc?{urlencode({'next': wanted})}")
        assert sent.status_code == 303, sent.text
        return visitor, visitor.get(path_of(provider.send_back(sent.location)))

    return sign_in


def path_of(address: str) -> str:
    parts = urlsplit(address)
    assert (parts.scheme, parts.hostname, parts.path) == ("http", "localhost", "/sign-in/oidc/back")
    return f"{parts.path}?{parts.query}"


Come = Callable[..., tuple[Visitor, TestResponse]]


def test_somebody_known_signs_in_and_lands_where_they_wanted_to(come: Come, kim: Operator, session: Session) -> None:
    visitor, back = come("/people?q=ada")
    assert (back.status_code, back.location) == (303, "/people?q=ada")
    assert kim.name in visitor.get("/account").text
    (entry,) = session.scalars(select(AuditEntry))
    assert (entry.operator_id, entry.action, entry.after) == (kim.id, Action.SIGNED_IN, {"by": "single sign-on"})


def test_the_page_offers_it_only_where_there_is_one(visitor: Visitor, process: Provider, rt: Runtime) -> None:
    assert "/sign-in/oidc" not in visitor.get("/sign-in").text
    assert visitor.get("/sign-in/oidc").status_code == 404
    assert visitor.get("/sign-in/oidc/back?code=1&state=1").status_code == 404
    told = replace(rt.settings, oidc_issuer=process.issuer, oidc_client_id=CLIENT, oidc_button="Continue with Example")
    runtime.use(replace(rt, settings=told))
    page = visitor.get("/sign-in?next=/people").text
    assert "Continue with Example" in page
    assert "/sign-in/oidc?next=/people" in page


def test_what_is_asked_of_the_provider_binds_its_answer_to_this_browser(visitor: Visitor, provider: Provider) -> None:
    asked = []
    for _ in range(2):
        sent = visitor.get("/sign-in/oidc").location
        assert sent.startswith(f"{provider.issuer}/authorize?")
        asked.append({name: values[0] for name, values in parse_qs(urlsplit(sent).query).items()})
    first, second = asked
    assert (first["client_id"], first["response_type"], first["code_challenge_method"]) == (CLIENT, "code", "S256")
    assert {"openid", "email"} <= set(first["scope"].split())
    for once in ("state", "nonce", "code_challenge"):
        assert len(first[once]) >= 32
        assert first[once] != second[once]


@pytest.mark.parametrize(
    "order, said",
    [
        ({"claims": {"nonce": "another"}}, "cannot be believed (nonce)"),
        ({"claims": {"nonce": None}}, "cannot be believed (nonce)"),
        ({"claims": {"aud": "somebody-else"}}, "cannot be believed (aud)"),
        ({"claims": {"aud": "somebody-else", "azp": CLIENT}}, "cannot be believed (aud)"),
        ({"claims": {"aud": [CLIENT, "somebody-else"], "azp": "somebody-else"}}, "cannot be believed (azp)"),
        ({"claims": {"aud": None}}, "cannot be believed (aud)"),
        ({"claims": {"iss": "https://evil.example"}}, "cannot be believed (iss)"),
        ({"claims": {"exp": 1_700_000_000}}, "had run out"),
        ({"claims": {"exp": None}}, "had run out"),
        ({"claims": {"iat": 4_000_000_000}}, "the clock there or here is wrong"),
        ({"claims": {"email_verified": False}}, "has not verified"),
        ({"claims": {"email_verified": None}, "userinfo": {"email_verified": False}}, "has not verified"),
        ({"claims": {"email_verified": ["true"]}}, "has not verified"),
        ({"claims": {"email": 7}}, "told no e-mail address"),
        ({"claims": {"sub": "1\u0000"}}, "cannot be believed (sub)"),
        ({"claims": {"sub": None}}, "cannot be believed (sub)"),
        ({"claims": {"email": "\u212aim@example.org"}}, "cannot be believed (e-mail)"),
        ({"claims": {"email": "stranger@example.org"}}, "Nobody invited this e-mail address"),
        ({"signed_by": "stranger"}, "cannot be believed (signature)"),
        ({"signed_by": "client"}, "cannot be believed (signature)"),
        ({"signed_by": "nobody"}, "cannot be believed (signature)"),
        ({"error": "access_denied"}, "did not let you in"),
        ({"answer": {"iss": "https://evil.example"}}, "cannot be believed (iss)"),
        ({"discovery": {"authorization_response_iss_parameter_supported": True}}, "cannot be believed (iss)"),
        ({"answer": {"code": "made-up"}}, "did not take the answer back (invalid_grant)"),
        ({"token_status": 500}, "does not answer as it should"),
        ({"claims": {"email": None}, "userinfo": {"sub": "2"}}, "told no e-mail address"),
    ],
)
def test_an_answer_that_is_not_right_opens_nothing(
    come: Come, kim: Operator, session: Session, order: dict[str, Any], said: str
) -> None:
    visitor, back = come(**order)
    assert back.status_code == 403
    assert said in back.text
    assert visitor.get("/account").status_code == 303
    assert session.scalars(select(SignIn)).all() == []
    assert session.scalars(select(Operator)).all() == [kim]


@pytest.mark.parametrize("claim, off_s", [("iat", 60), ("exp", -60)])
def test_clocks_a_minute_apart_do_no_harm(come: Come, kim: Operator, claim: str, off_s: int) -> None:
    assert come(claims={claim: time.time() + off_s})[1].location == "/account"


def test_an_audience_may_be_a_list(come: Come, kim: Operator) -> None:
    assert come(claims={"aud": [CLIENT]})[1].location == "/account"


@pytest.mark.parametrize("claims", [{"email": None}, {"email_verified": None}])
def test_a_provider_that_tells_the_address_elsewhere_is_asked_there(
    come: Come, kim: Operator, claims: dict[str, Any]
) -> None:
    assert come(claims=claims)[1].location == "/account"


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_it_never_leads_off_the_site(come: Come, kim: Operator, wanted: str) -> None:
    assert come(wanted)[1].location == "/"


def test_an_answer_counts_in_the_browser_that_asked_once_and_for_ten_minutes(
    app: Flask, visitor: Visitor, provider: Provider, kim: Operator
) -> None:
    answer = path_of(provider.send_back(visitor.get("/sign-in/oidc").location))
    victim = Visitor(app.test_client())
    assert victim.get(answer).status_code == 400, "somebody else's answer would sign the victim in as them"
    victim.get("/sign-in/oidc")
    assert victim.get(answer).status_code == 400
    assert visitor.get(answer.replace("state=", "state=x")).status_code == 400
    assert visitor.get(answer).status_code == 400, "a wrong try ends the errand"
    answer = path_of(provider.send_back(visitor.get("/sign-in/oidc").location))
    with visitor.client.session_transaction() as cookie:
        cookie["errand"] = {**cookie["errand"], "at": int(time.time()) - 601}
    refused = visitor.get(answer)
    assert refused.status_code == 400
    assert "start again" in refused.text


def test_a_planted_cookie_does_not_become_a_session(app: Flask, come: Come, kim: Operator, session: Session) -> None:
    attacker = make_operator(session)
    session.commit()
    planted = Visitor(app.test_client()).sign_in(attacker).client.get_cookie("backchat")
    visitor, _ = come()
    after = visitor.client.get_cookie("backchat")
    assert planted is not None
    assert after is not None
    assert after.value != planted.value


def test_somebody_invited_joins_without_the_link_and_a_stranger_does_not(
    come: Come, admin: Visitor, session: Session
) -> None:
    admin.post("/team/invitations", {"email": KIM, "role": "marketer"})
    assert come(claims={"email": "other@example.org"})[1].status_code == 403
    visitor, back = come(claims={"name": "Kim\u0000\u202e  Lee"})
    assert back.status_code == 303
    kim = operators.by_email(session, KIM)
    assert (kim.name, kim.role) == ("Kim Lee", Role.MARKETER)
    assert invitations.waiting(session) == []
    assert visitor.get("/segments").status_code == 200
    told = session.scalars(select(AuditEntry.action).where(AuditEntry.operator_id == kim.id)).all()
    assert told == [Action.JOINED, Action.SIGNED_IN]


def test_a_domain_may_come_as_what_was_chosen(come: Come, session: Session) -> None:
    rt = runtime.current()
    runtime.use(replace(rt, settings=replace(rt.settings, oidc_domain="example.org", oidc_domain_role="coach")))
    for outside in ("kim@evil-example.org", "kim@example.org.evil.example", "kim@sub.example.org"):
        assert come(claims={"email": outside})[1].status_code == 403
    assert come()[1].status_code == 303
    kim = operators.by_email(session, KIM)
    assert kim.role == Role.COACH
    kim.active = False
    session.commit()
    assert "deactivated" in come()[1].text


def test_the_providers_second_factor_stands_for_ours(come: Come, kim: Operator, session: Session) -> None:
    factor.require(session, required=True)
    session.commit()
    visitor, _ = come()
    assert visitor.get("/people").status_code == 200
    with visitor.client.session_transaction() as cookie:
        mine = cookie["secret"]
    forged = mine.removeprefix("sso.")
    assert forged != mine
    with visitor.client.session_transaction() as cookie:
        cookie["secret"] = forged
    assert visitor.get("/people").location.startswith("/sign-in")


def test_a_session_by_password_cannot_be_passed_off_as_one_by_the_provider(
    app: Flask, kim: Operator, session: Session
) -> None:
    visitor = Visitor(app.test_client()).sign_in(kim)
    factor.require(session, required=True)
    session.commit()
    with visitor.client.session_transaction() as cookie:
        cookie["secret"] = f"sso.{cookie['secret']}"
    assert visitor.get("/people").location.startswith("/sign-in")


def test_a_provider_that_is_away_or_somebody_else_is_told_of_plainly(
    visitor: Visitor, provider: Provider, rt: Runtime
) -> None:
    provider.prepare(discovery={"issuer": "https://evil.example"})
    assert "another name than BACKCHAT_OIDC_ISSUER" in visitor.get("/sign-in/oidc").text
    provider.prepare(discovery={"token_endpoint": None})
    assert "no usable token_endpoint" in visitor.get("/sign-in/oidc").text
    nobody = replace(rt.settings, oidc_issuer=f"http://127.0.0.1:{free_port()}", oidc_client_id=CLIENT)
    runtime.use(replace(rt, settings=nobody))
    away = visitor.get("/sign-in/oidc")
    assert away.status_code == 403
    assert "does not answer as it should" in away.text
    assert 'name="password"' in away.text, "the password is left"


def test_asking_the_provider_is_slowed_down_for_who_never_succeeds(
    come: Come, visitor: Visitor, kim: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PER_ADDRESS", 3)
    assert [come()[1].status_code for _ in range(3)] == [303] * 3
    assert [visitor.get("/sign-in/oidc").status_code for _ in range(4)] == [303, 303, 303, 429]


def test_an_address_given_to_somebody_else_does_not_open_the_old_account(
    come: Come, kim: Operator, admin: Visitor, session: Session
) -> None:
    come()
    heir, back = come(claims={"sub": "2"})
    assert back.status_code == 403
    assert "somebody&#39;s who has another account at the provider" in back.text
    assert heir.get("/account").status_code == 303
    page = admin.get(f"/team/{kim.id}").text
    assert "Forget that account" in page
    admin.post(f"/team/{kim.id}/provider")
    assert come(claims={"sub": "2"})[1].status_code == 303
    assert come()[1].status_code == 403, "now it is the one before who is a stranger"
    assert Action.PROVIDER_FORGOTTEN in session.scalars(select(AuditEntry.action)).all()


def test_an_address_that_changed_at_the_provider_locks_nobody_out_and_is_followed(
    come: Come, kim: Operator, session: Session
) -> None:
    come()
    for claims in ({"email_verified": False}, {"email": "kim.lee@example.org"}):
        assert come(claims=claims)[1].location == "/account"
    session.refresh(kim)
    assert kim.email == "kim.lee@example.org"
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == Action.EMAIL_CHANGED))
    assert (entry.before, entry.after) == ({"email": KIM}, {"email": "kim.lee@example.org"})
    assert "Nobody invited" in come(claims={"sub": "2"})[1].text, "who has the old address now is a stranger"


def test_an_address_that_is_a_colleagues_here_is_not_taken_from_them(
    come: Come, kim: Operator, session: Session
) -> None:
    lee = make_operator(session)
    session.commit()
    come()
    visitor, _ = come(claims={"email": lee.email})
    assert kim.name in visitor.get("/account").text
    session.refresh(kim)
    assert kim.email == KIM


def test_a_team_that_moves_to_another_provider_is_known_there_by_address(
    come: Come, kim: Operator, session: Session
) -> None:
    come()
    session.execute(update(Operator).values(oidc_issuer="https://former.example", oidc_subject="of Kim there"))
    session.commit()
    assert come()[1].location == "/account"


def test_the_command_line_forgets_an_account_of_the_provider(
    come: Come, kim: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    come()
    monkeypatch.setattr(console, "the_runtime", runtime.current)
    forget = CliRunner().invoke(operator_commands.operator, ["forget-provider", KIM])
    assert (forget.exit_code, come(claims={"sub": "2"})[1].status_code) == (0, 303)
    assert "No account" not in forget.output


def test_a_deactivated_member_stays_out(come: Come, kim: Operator, session: Session) -> None:
    session.execute(update(Operator).values(active=False))
    session.commit()
    assert come()[1].status_code == 403


@pytest.mark.parametrize(
    "told, said",
    [
        ({"BACKCHAT_OIDC_ISSUER": "http://id.example.org", "BACKCHAT_OIDC_CLIENT_ID": "x"}, "must start with https"),
        ({"BACKCHAT_OIDC_ISSUER": "http://localhost@evil.example", "BACKCHAT_OIDC_CLIENT_ID": "x"}, "https"),
        ({"BACKCHAT_OIDC_ISSUER": "https://id.example.org"}, "BACKCHAT_OIDC_CLIENT_ID"),
        ({"BACKCHAT_OIDC_DOMAIN": "@example"}, "after the @"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(rt: Runtime, told: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        make_settings(rt.settings.home, rt.settings.database_url, rt.settings.redis_url, **told)


def test_passwords_are_refused_by_whom_the_provider_let_in_and_let_in_again_by_a_command(
    app: Flask, come: Come, kim: Operator, admin: Visitor, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert admin.post("/team/passwords", {"refused": "yes"}).status_code == 303
    assert "Sign in by the provider first" in admin.get("/team").text
    kim.role = Role.ADMIN
    session.commit()
    visitor, _ = come()
    visitor.get("/team")
    visitor.post("/team/passwords", {"refused": "yes"})
    assert "By single sign-on alone" in visitor.get("/team").text
    stranger = Visitor(app.test_client())
    assert 'name="password"' not in stranger.get("/sign-in").text
    assert stranger.post("/sign-in", {"email": KIM, "password": PASSWORD}).status_code == 403
    invited = visitor.post("/team/invitations", {"email": "lee@example.org", "role": "coach"})
    link = re.search(r"/join/[\w-]+", invited.text)
    assert link
    assert stranger.get(link[0]).location == "/sign-in"
    assert "lee@example.org" in stranger.get("/sign-in").text
    rt = runtime.current()
    runtime.use(replace(rt, settings=replace(rt.settings, oidc_issuer=None)))
    assert Visitor(app.test_client()).sign_in(kim), "without a provider passwords are all there is"
    runtime.use(rt)
    monkeypatch.setattr(console, "the_runtime", lambda: rt)
    assert CliRunner().invoke(operator_commands.operator, ["passwords", "on"]).exit_code == 0
    assert Visitor(app.test_client()).sign_in(kim)
    told = session.scalars(select(AuditEntry.after).where(AuditEntry.action == Action.TEAM_POLICY_CHANGED)).all()
    assert told == [{"refuses_passwords": True}, {"refuses_passwords": False}]
