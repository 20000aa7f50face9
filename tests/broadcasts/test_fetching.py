"""A list of templates is asked for on a page or by command, fetched by a worker, and told of on both."""

import json
import signal
import threading
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich_click import Group
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot import ending
from bot.connections import connections
from bot.models.broadcast import Template, TemplateFetch
from bot.models.connection import Connection
from bot.models.words import Role
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.commands import COMMANDS
from broadcasts.templates import fetching
from tests import factories
from tests.dashboard.visitor import Visitor
from tests.harness import simulator as sim
from tests.harness.answering import Answer, answering
from tests.harness.simulator import Simulator

BODY = {"type": "BODY", "text": "Hello {{1}}", "example": {"body_text": [["Ada"]]}}


def connect(rt: Runtime, url: str, slug: str = "line", token: str = sim.ACCESS_TOKEN) -> Connection:
    secrets = {"access_token": token, "app_secret": sim.APP_SECRET, "verify_token": sim.VERIFY_TOKEN}
    with rt.transaction() as session:
        connection = connections.add(
            session,
            rt.settings.secret_key,
            slug=slug,
            provider="cloud",
            account_id=sim.WABA_ID,
            base_url=f"{url}/v25.0",
            secrets=secrets,
        )
        factories.make_number(session, connection)
        return connection


@pytest.fixture
def line(rt: Runtime, simulator: Simulator) -> Connection:
    """A connection to a provider with 250 templates, which are three pages."""
    names = [f"offer_{n:03}" for n in range(250)]
    simulator.configure(
        templates=[{"waba_id": sim.WABA_ID, "name": name, "language": "en", "components": [BODY]} for name in names]
    )
    return connect(rt, simulator.url)


@pytest.fixture
def account(session: Session) -> Connection:
    return factories.make_number(session).connection


def run(*arguments: str) -> Result:
    return CliRunner().invoke(Group("backchat", commands=list(COMMANDS)), arguments, catch_exceptions=False)


def page_of(*documents: dict[str, Any]) -> Answer:
    return 200, {}, json.dumps({"data": documents}).encode()


def ask(rt: Runtime, connection: Connection) -> None:
    with rt.transaction() as session:
        fetching.ask(session, [connection])


def is_due(rt: Runtime) -> bool:
    with rt.transaction() as session:
        return fetching.is_due(session)


def last(rt: Runtime) -> TemplateFetch:
    with rt.transaction() as session:
        return session.scalars(select(TemplateFetch)).one()


def test_all_pages_of_a_list_come_in_by_command(rt: Runtime, line: Connection) -> None:
    result = run("template", "fetch", "line", "--json")

    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["name"] for row in rows] == [f"offer_{n:03}" for n in range(250)]
    assert {(row["connection"], row["status"], row["reason"], *row["slots"]) for row in rows} == {
        ("line", "APPROVED", None, "body.1")
    }


def test_a_press_on_the_page_asks_a_worker_and_the_page_tells_how_it_went(
    rt: Runtime, line: Connection, marketer: Visitor
) -> None:
    assert "Never fetched" in marketer.get("/templates").text
    assert marketer.post("/templates/fetch").location == "/templates"
    assert "A worker is about to fetch its list." in marketer.get("/templates").text
    assert "data-done" not in marketer.get("/templates/live").text

    jobs.work()

    page = marketer.get("/templates").text
    assert "250 templates, fetched" in page
    assert "data-done" in page
    assert page.count("offer_") == 100
    assert "offer_249" in marketer.get("/templates?page=3").text


def test_what_went_wrong_stands_on_the_page_and_keeps_no_other_list_from_coming(
    rt: Runtime, line: Connection, marketer: Visitor
) -> None:
    connect(rt, "http://127.0.0.1:9", "away")
    connect(rt, line.base_url.removesuffix("/v25.0"), "locked", token="another")
    marketer.get("/templates")
    marketer.post("/templates/fetch")
    jobs.work()

    page = marketer.get("/templates").text
    assert "templates of the connection away were not fetched: the provider cannot be reached" in page
    assert "the connection locked were not fetched: The provider refused with error 190" in page
    assert "250 templates" in page
    result = run("template", "fetch", "--json")
    assert result.exit_code == 1
    assert [line.split()[5] for line in result.stderr.splitlines()] == ["away", "locked"]
    assert len(json.loads(result.stdout)) == 250


def test_a_provider_without_a_list_is_told_as_one(
    rt: Runtime, session: Session, account: Connection, marketer: Visitor
) -> None:
    account.provider = "turn"
    session.commit()

    page = marketer.get("/templates").text
    assert "It lists no templates." in page
    assert "Fetch from WhatsApp" not in page
    said = run("template", "fetch", account.slug).stderr
    assert f"Turn.io lists no templates: add those of the connection {account.slug} from a file" in said
    assert "No connection's provider lists templates" in run("template", "fetch").stderr
    assert "There is no connection nowhere" in run("template", "fetch", "nowhere").stderr


@pytest.mark.parametrize("role, status", [(Role.MARKETER, 200), (Role.ADMIN, 200), (Role.COACH, 403)])
def test_marketers_see_templates_and_coaches_do_not(sign_in: Any, account: Connection, role: Role, status: int) -> None:
    assert sign_in(role).get("/templates").status_code == status


def test_each_environment_shows_the_templates_of_its_own_numbers(
    session: Session, account: Connection, marketer: Visitor
) -> None:
    factories.make_template(session, account, name="greeting")
    session.commit()
    assert "greeting" in marketer.get("/templates").text
    assert "greeting" not in marketer.get("/templates?environment=test").text


def test_secrets_that_cannot_be_opened_are_told_on_the_page(account: Connection, marketer: Visitor) -> None:
    marketer.get("/templates")
    marketer.post("/templates/fetch")
    jobs.work()
    assert "set BACKCHAT_SECRET_KEY" in marketer.get("/templates").text


def test_no_transaction_is_open_while_the_provider_is_asked(live_rt: Runtime) -> None:
    held = []

    def answer(*_: object) -> Answer:
        with live_rt.engine.connect() as other:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            held.append(other.scalar(text(query)))
        return page_of()

    with answering(answer) as url:
        assert fetching.fetch(live_rt, connect(live_rt, url).id) is None
    assert held == [0]


def test_who_asks_while_a_list_comes_gets_the_next_one_too(live_rt: Runtime) -> None:
    def answer(*_: object) -> Answer:
        ask(live_rt, connected[0])
        return page_of()

    connected: list[Connection] = []
    with answering(answer) as url:
        connected.append(connect(live_rt, url))
        ask(live_rt, connected[0])
        assert fetching.work(live_rt)
    assert is_due(live_rt)
    assert last(live_rt).listed == 0


def test_a_list_has_one_worker_until_that_one_has_died(live_rt: Runtime) -> None:
    ask(live_rt, connect(live_rt, "http://127.0.0.1:9"))
    assert is_due(live_rt)
    lease(live_rt, "1 minute")
    assert not is_due(live_rt)
    assert not fetching.work(live_rt)
    lease(live_rt, "-1 second")
    assert fetching.work(live_rt)
    assert not is_due(live_rt)


def lease(rt: Runtime, lasts: str) -> None:
    with rt.transaction() as session:
        session.execute(text(f"UPDATE template_fetch SET lease_until = now() + interval '{lasts}'"))


@pytest.mark.parametrize("odd", [{"name": "a\0b"}, {"components": [{"type": "BODY", "text": "a\0b"}]}])
def test_a_list_that_the_database_cannot_hold_changes_nothing_and_is_told(
    live_rt: Runtime, odd: dict[str, Any]
) -> None:
    good = {"name": "hello", "language": "en", "category": "UTILITY", "status": "APPROVED", "components": [BODY]}
    with answering(lambda *_: page_of(good, {**good, "name": "other", **odd})) as url:
        problem = fetching.fetch(live_rt, connect(live_rt, url).id)

    assert problem is not None
    assert problem.startswith("The list of templates cannot be stored (")
    assert last(live_rt).problem == problem
    with live_rt.transaction() as session:
        assert session.scalars(select(Template)).all() == []


def test_a_worker_that_is_told_to_end_leaves_the_list_to_the_next(live_rt: Runtime) -> None:
    hanging = threading.Event()

    def answer(*_: object) -> Answer:
        ending._told.append(signal.SIGTERM)
        hanging.wait(60)
        return page_of()

    try:
        with answering(answer) as url:
            ask(live_rt, connect(live_rt, url))
            assert fetching.work(live_rt)
            hanging.set()
    finally:
        ending._told.clear()
    assert is_due(live_rt)
    assert last(live_rt).finished_at is None
