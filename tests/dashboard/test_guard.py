"""What holds for every route of the app, also for those that are added tomorrow."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NoReturn

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app import create_app
from bot import runtime
from bot.dashboard import access
from bot.db import make_engine, make_sessions
from bot.models.words import Role
from bot.runtime import Runtime
from bot.team.permissions import is_for_machines
from bot.team.rights import ROLES, Permission
from bot.team.routes import ROUTES, Scope
from tests.dashboard.visitor import Visitor
from tests.harness.runtimes import make_settings

HTML_HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def test_every_route_is_in_the_table_and_nothing_else_is(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(ROUTES)


def test_every_address_of_the_api_asks_for_a_scope_and_no_page_does(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        assert isinstance(ROUTES[rule.endpoint], Scope) is rule.rule.startswith("/api/"), rule.rule


def routes(app: Flask, *, changing: bool) -> Iterator[tuple[Rule, str, str]]:
    """Every route with an address and a method to try it."""
    for rule in app.url_map.iter_rules():
        values = {name: 1 if "int" in type(c).__name__.lower() else "x" for name, c in rule._converters.items()}
        with app.test_request_context():
            _, address = rule.build(values) or ("", "")
        for method in rule.methods or ():
            if method in ({"POST", "PUT", "PATCH", "DELETE"} if changing else {"GET"}):
                yield rule, address, method


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_in_where_the_table_says_and_nowhere_else(
    app: Flask, signed_in: Callable[[Role], Visitor], role: Role
) -> None:
    visitor = signed_in(role)
    for rule, address, method in [*routes(app, changing=False), *routes(app, changing=True)]:
        allowed = ROUTES[rule.endpoint]
        if is_for_machines(rule.endpoint) or rule.endpoint == "sign_in.leave":
            continue
        sent = visitor.client.open(address, method=method, data={"csrf_token": visitor.token})
        is_refused = sent.status_code == 403
        assert is_refused is (isinstance(allowed, Permission) and allowed not in ROLES[role]), (
            rule.endpoint,
            sent.status_code,
        )


def test_a_stranger_gets_to_public_pages_only(app: Flask, visitor: Visitor) -> None:
    for rule, address, method in [*routes(app, changing=False), *routes(app, changing=True)]:
        if access.is_page(rule.endpoint):
            answer = visitor.client.open(address, method=method)
            asked = answer.status_code == 303 and answer.location.startswith("/sign-in")
            assert asked or answer.status_code == 401, rule.endpoint


def test_nothing_changes_without_the_token_of_the_same_session(
    app: Flask, signed_in: Callable[[Role], Visitor]
) -> None:
    victim, other = signed_in(Role.ADMIN), signed_in(Role.ADMIN)
    tried = [found for found in routes(app, changing=True) if not is_for_machines(found[0].endpoint)]
    assert len(tried) >= 3
    for rule, address, method in tried:
        for form in ({}, {"csrf_token": other.token}, {"csrf_token": ""}):
            assert victim.client.open(address, method=method, data=form).status_code == 400, rule.endpoint


def test_a_route_somebody_forgot_to_list_is_refused(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "ROUTES", {name: rule for name, rule in ROUTES.items() if name != "account.index"})
    assert admin.get("/account").status_code == 403


@pytest.mark.parametrize(
    "path, status", [("/sign-in", 200), ("/", 200), ("/account", 500), ("/nowhere", 404), ("/sign-out", 405)]
)
def test_every_page_also_of_an_error_carries_the_headers(
    app: Flask, admin: Visitor, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    monkeypatch.setitem(app.view_functions, "account.index", fail)
    visitor = Visitor(app.test_client()) if path == "/sign-in" else admin
    answer = visitor.get(path)
    assert answer.status_code == status
    for name, start in HTML_HEADERS.items():
        assert answer.headers[name].startswith(start), name
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Request-Id"]


def fail(**_: object) -> NoReturn:
    raise RuntimeError("SELECT * FROM person WHERE phone = '+4366012345'")


def test_an_error_says_what_to_do_and_nothing_of_what_went_wrong_inside(
    app: Flask, admin: Visitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for rule, address, _ in routes(app, changing=False):
        if "static" in rule.endpoint or is_for_machines(rule.endpoint):
            continue
        monkeypatch.setitem(app.view_functions, rule.endpoint, fail)
        answer = admin.get(address, headers={"X-Request-Id": "abcdef-123456"})
        assert answer.status_code == 500
        assert answer.headers["X-Request-Id"] == "abcdef-123456"
        assert "abcdef-123456" in answer.text
        for inside in ("SELECT", "+4366012345", "RuntimeError", "Traceback", ".py"):
            assert inside not in answer.text
    logged = capsys.readouterr().out
    assert "RuntimeError" in logged
    assert "abcdef-123456" in logged
    assert "+4366012345" not in logged


def test_over_https_cookies_and_browsers_are_bound_to_it(rt: Runtime) -> None:
    settings = make_settings(
        rt.settings.home,
        rt.settings.database_url,
        rt.settings.redis_url,
        BACKCHAT_BASE_URL="https://chat.example.org",
    )
    answer = create_app(replace(rt, settings=settings)).test_client().get("/sign-in", base_url="https://localhost")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-backchat=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_on_plain_http_the_cookie_is_still_out_of_reach_for_scripts_and_other_sites(visitor: Visitor) -> None:
    cookie = visitor.get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("backchat=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize("host, status", [("localhost", 200), ("127.0.0.1:8000", 200), ("evil.example", 400)])
def test_pages_answer_to_their_own_name_only(visitor: Visitor, host: str, status: int) -> None:
    assert visitor.get("/sign-in", headers={"Host": host}).status_code == status


def test_a_page_refuses_a_body_of_more_than_a_megabyte(admin: Visitor) -> None:
    assert admin.post("/account/password", {"current": "x" * 1_100_000}).status_code == 413


def test_a_link_keeps_the_environment_it_was_followed_in(admin: Visitor) -> None:
    assert 'href="/account?environment=test"' in admin.get("/?environment=test").text
    assert 'href="/account?environment=live"' in admin.get("/?environment=live").text
    assert 'href="/account"' in admin.get("/account").text
    assert 'href="/account?environment=live"' in admin.get("/?environment=nonsense").text


def test_a_machine_is_told_its_error_in_json(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/nothing-here")
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["error"]["code"] == "not_found"


def test_a_page_says_so_when_the_database_is_away(rt: Runtime, admin: Visitor) -> None:
    nowhere = make_engine("postgresql+psycopg://backchat@/backchat?host=/nowhere", name="tests")
    runtime.use(replace(rt, engine=nowhere, sessions=make_sessions(nowhere)))
    answer = admin.get("/inbox")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The database is away" in answer.text
