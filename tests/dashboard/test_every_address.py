"""What strangers and careless programs may send to any address there is, also to those that are added tomorrow."""

import re
from collections.abc import Iterable
from typing import NoReturn

import pytest
from flask import Flask
from sqlalchemy import Connection
from sqlalchemy.orm import Session
from structlog.testing import capture_logs
from werkzeug.routing import Rule

from app import create_app
from bot.dashboard import access
from bot.models.words import Environment
from bot.runtime import Runtime
from bot.settings import SettingsError
from bot.team import permissions, tokens
from bot.team.permissions import is_for_machines
from bot.team.routes import ROUTES, Door, Scope
from tests import factories as make
from tests.dashboard.test_guard import routes
from tests.dashboard.test_pages import contents, linked
from tests.dashboard.visitor import Visitor
from tests.harness.runtimes import make_settings

INJECTED = ("') OR 1=1; DROP TABLE person; --", "\0", "9" * 40)
BOTH_WORLDS = {"connections", "events", "quarantine", "alerts", "audit", "team", "home"}
"""Pages of lines to providers and of the team, which have one of each for both environments."""


def fail(**_: object) -> NoReturn:
    raise RuntimeError("SELECT * FROM person WHERE phone = '+4366012345'")


@pytest.fixture
def furnished(session: Session) -> None:
    """Something of everything, and all of it in the test environment."""
    there = Environment.TEST
    number = make.make_number(session, environment=there)
    number.name = "Elsewhere"
    person = make.make_person(session, environment=there, first_name="Elsewhere", distinct_id="Elsewhere")
    make.make_conversation(session, person, number)
    make.make_inbound(session, person, number, "Elsewhere")
    make.make_outbound(session, person, number, "Elsewhere")
    segment = make.make_segment(session, [person], name="Elsewhere", environment=there)
    broadcast = make.make_broadcast(session, number, segment, make.make_template(session, number.connection))
    broadcast.name = "Elsewhere"
    make.make_journey(session, name="Elsewhere", source="Elsewhere", environment=there)
    session.commit()


def test_no_page_and_no_file_of_one_environment_shows_what_is_in_the_other(
    app: Flask, admin: Visitor, furnished: None
) -> None:
    shown = {Environment.LIVE: set[str](), Environment.TEST: set[str]()}
    for environment, showing in shown.items():
        for rule, address, _ in routes(app, changing=False):
            if rule.arguments or is_for_machines(rule.endpoint) or rule.endpoint.partition(".")[0] in BOTH_WORLDS:
                continue
            if "stream" in rule.endpoint or "listen" in rule.endpoint:
                continue
            page = admin.client.get(address, query_string={"environment": environment, "state": "all"})
            if "Elsewhere" in page.get_data(as_text=True):
                showing.add(rule.endpoint)
    assert shown[Environment.LIVE] == set()
    assert len(shown[Environment.TEST]) > 8


def test_every_parameter_of_every_page_takes_whatever_is_typed_into_an_address(
    app: Flask, admin: Visitor, furnished: None, connection: Connection
) -> None:
    """Case 133: the parameters are those that links and forms of our pages offer."""
    before, offered = contents(connection), parameters(admin)
    for path, names in offered.values():
        asked = [{name: INJECTED[0]} for name in sorted(names)] + [dict.fromkeys(names, word) for word in INJECTED[1:]]
        for query in asked:
            answer = admin.client.get(path, query_string={"environment": "test", **query})
            answer.get_data()  # a file that nobody reads to its end would keep its transaction
            assert answer.status_code < 500, (path, query)
    assert sum(len(names) for _, names in offered.values()) > 60
    assert contents(connection) == before


def parameters(visitor: Visitor) -> dict[str, tuple[str, set[str]]]:
    """Kind of page → the address of one, and the names of what it can be asked for."""
    found: dict[str, tuple[str, set[str]]] = {}
    for address, page in linked(visitor, "/?environment=test"):
        path, _, query = address.partition("?")
        offer(found, path, (pair.partition("=")[0] for pair in query.split("&") if pair))
        if page.mimetype == "text/html":
            for form in re.findall(r'<form(?![^>]*method="post").*?</form>', page.text, re.DOTALL):
                action = re.search(r'<form[^>]*action="([^"?#]*)', form)
                names = re.findall(r'<(?:input|select)[^>]*\bname="([^"]+)"', form)
                offer(found, action[1] if action and action[1] else path, names)
    return found


def offer(found: dict[str, tuple[str, set[str]]], path: str, names: Iterable[str]) -> None:
    _, known = found.setdefault(re.sub(r"\d+", "1", path), (path, set()))
    known.update(set(names) - {"environment"})


def test_no_address_takes_a_body_that_nobody_would_send(app: Flask, admin: Visitor) -> None:
    """Case 127; files have limits of their own, and so have machines (tests/webhooks/test_intake.py)."""
    large, many = {"text": "x" * 1_100_000}, {f"field-{n}": "1" for n in range(1_100)}
    told = {
        rule.endpoint: admin.client.open(address, method=method, data=large).status_code
        for rule, address, method in routes(app, changing=True)
        if rule.endpoint not in access.UPLOADS and not is_for_machines(rule.endpoint)
    }
    assert len(told) > 100
    assert {endpoint: status for endpoint, status in told.items() if status != 413} == {}
    assert admin.post("/account/password", many, content_type="multipart/form-data").status_code == 413


def test_what_goes_wrong_behind_a_form_or_for_a_program_is_told_by_an_id_alone(
    app: Flask, admin: Visitor, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 130; of pages that are only looked at, tests/dashboard/test_guard.py says it."""
    _, secret = tokens.create(session, "live", "here", scopes=set(permissions.SCOPES))
    session.commit()
    tried = [each for each in [*routes(app, changing=False), *routes(app, changing=True)] if is_asked(*each)]
    assert len(tried) > 160
    with capture_logs():
        for rule, address, method in tried:
            monkeypatch.setitem(app.view_functions, rule.endpoint, fail)
            is_for_programs = isinstance(ROUTES[rule.endpoint], Scope)
            headers = {"X-Request-Id": "abcdef-123456", "Authorization": f"Bearer {secret}" if is_for_programs else ""}
            form = None if is_for_programs else {"csrf_token": admin.token}
            answer = admin.client.open(address, method=method, data=form, headers=headers)
            assert (answer.status_code, answer.headers["X-Request-Id"]) == (500, "abcdef-123456"), rule.endpoint
            assert (answer.mimetype == "application/json") is is_for_programs, rule.endpoint
            for inside in ("SELECT", "+4366012345", "RuntimeError", "Traceback", ".py"):
                assert inside not in answer.text, rule.endpoint


def is_asked(rule: Rule, _: str, method: str) -> bool:
    return ROUTES[rule.endpoint] is not Door.MACHINE and (method != "GET" or isinstance(ROUTES[rule.endpoint], Scope))


def test_no_variable_of_the_machine_switches_debugging_on(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 132: it would show a stranger the code that went wrong, and with a console run theirs."""
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert not create_app(rt).debug


@pytest.mark.parametrize("key", ["changeme", "x" * 31])
def test_a_key_that_can_be_guessed_is_refused_at_the_start(rt: Runtime, key: str) -> None:
    """Case 132; without any, one is made at random."""
    told = rt.settings
    with pytest.raises(SettingsError, match="shorter than 32 characters"):
        make_settings(told.home, told.database_url, told.redis_url, BACKCHAT_SECRET_KEY=key)
