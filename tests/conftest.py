"""What every test may ask for: real servers, a session that is rolled back, or a house of real processes."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import expect
from redis import Redis
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session, sessionmaker

from app import create_app
from bot import db, queue, runtime
from bot.runtime import Runtime
from bot.settings import Settings
from bot.team import sign_ins
from tests.factories import make_operator
from tests.harness import browser, network, washing
from tests.harness.house import House, open_house
from tests.harness.order import put_longest_first
from tests.harness.runtimes import live_runtime, make_settings
from tests.harness.servers import Servers, start
from tests.harness.simulator import Simulator, running
from tests.harness.wreckage import pytest_terminal_summary as pytest_terminal_summary

network.forbid_leaving()
expect.set_options(timeout=30_000)  # a busy machine is no fault of the page


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for, and what needs a browser where there is none; the longest files come first."""
    asked = "slow" in config.option.markexpr or os.environ.get("BACKCHAT_SLOW") == "1"
    slow = [item for item in items if item.get_closest_marker("slow") and not asked]
    items[:] = [item for item in items if item not in slow]
    config.hook.pytest_deselected(items=slow)
    if browser.find() is None and os.environ.get("CI") != "1":
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no chromium on the PATH: tests in a browser are left out"))
    put_longest_first(items)


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: to look through it for garbage again and again takes long."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def pytest_unconfigure() -> None:
    gc.unfreeze()  # or some library says at the very end that it leaks


@pytest.fixture(autouse=True)
def _stay_on_this_machine() -> Iterator[None]:
    network.escapes.clear()
    yield
    assert network.escapes == []


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL and Redis, started once."""
    with start() as started:
        yield started


@pytest.fixture(scope="session")
def rolled_back_database(servers: Servers) -> Iterator[str]:
    with servers.fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def rolled_back_engine(rolled_back_database: str) -> Iterator[Engine]:
    engine = db.make_engine(rolled_back_database, name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def settings(servers: Servers, rolled_back_database: str, tmp_path: Path) -> Settings:
    return make_settings(tmp_path, rolled_back_database, servers.redis_url)


@pytest.fixture
def connection(rolled_back_engine: Engine) -> Iterator[Connection]:
    """The one connection all sessions of a test share; nothing done on it lasts."""
    with rolled_back_engine.connect() as opened:
        outer = opened.begin()
        yield opened
        outer.rollback()
    with rolled_back_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as opened:
        washing.sweep(opened)


@pytest.fixture
def redis(servers: Servers) -> Iterator[Redis]:
    """The run's Redis, empty."""
    with queue.connect(servers.redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def rt(settings: Settings, rolled_back_engine: Engine, connection: Connection, redis: Redis) -> Runtime:
    """A runtime whose transactions are savepoints of one that is rolled back when the test ends."""
    sessions = sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
    return runtime.use(Runtime(settings, rolled_back_engine, sessions, redis))


@pytest.fixture
def session(rt: Runtime) -> Iterator[Session]:
    """For rules and assertions; sees what the runtime's other sessions have flushed."""
    with rt.sessions() as opened:
        yield opened


@pytest.fixture
def database(servers: Servers) -> Iterator[str]:
    """URL of a fresh database, for tests with real commits, threads or processes."""
    with servers.fresh_database() as url:
        yield url


@pytest.fixture
def live_rt(servers: Servers, database: str, redis: Redis, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime that really commits, on a database of its own and an empty Redis."""
    with live_runtime(make_settings(tmp_path, database, servers.redis_url)) as built:
        yield built


@pytest.fixture(scope="session")
def apps() -> dict[str, Flask]:
    """Applications by who asks for them."""
    return {}


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    """The whole application, made once, as compiling templates takes longer than a test; it asks for the current rt."""
    made = apps.setdefault("whole", apps.get("whole") or create_app(rt))
    made.testing = True
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser nobody has signed in with, or a machine."""
    return app.test_client()


@pytest.fixture
def client_of(app: Flask, rt: Runtime) -> Callable[[str], FlaskClient]:
    """Role → a browser in which a new team member of that role is signed in."""

    def sign_in(role: str) -> FlaskClient:
        with rt.transaction() as session:
            secret = sign_ins.begin(session, make_operator(session, role).id)
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie["secret"] = secret
        return browser

    return sign_in


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A simulator as a process of its own, with one number and nobody to call back."""
    with running(tmp_path) as started:
        yield started


@pytest.fixture
def empty_house(servers: Servers, tmp_path: Path) -> Iterator[House]:
    """A database, a Redis and a simulator; the processes of the Procfile are the test's to start."""
    with open_house(servers, tmp_path) as opened:
        yield opened


@pytest.fixture
def house(empty_house: House) -> House:
    """All of Backchat, running."""
    empty_house.start()
    return empty_house
