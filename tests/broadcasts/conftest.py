from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from bot.dashboard import site
from bot.models.connection import Connection
from bot.models.words import Role
from bot.runtime import Runtime
from broadcasts.imports import steps
from broadcasts.pages import BLUEPRINTS
from tests.broadcasts import reviewing
from tests.dashboard.visitor import Visitor
from tests.factories import make_operator
from tests.harness import simulator as harness
from tests.harness.simulator import Simulator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    if "broadcasts" in apps:
        return apps["broadcasts"]
    made = apps["broadcasts"] = Flask("broadcasts", root_path=str(ROOT))
    made.config["BABEL_TRANSLATION_DIRECTORIES"] = "bot/translations;broadcasts/translations"
    for blueprint in BLUEPRINTS:
        made.register_blueprint(blueprint)
    site.init(made, rt.settings)
    return made


@pytest.fixture
def sign_in(app: Flask, session: Session) -> Callable[[Role], Visitor]:
    """Signs in a new team member of a role, in a browser of their own."""

    def signed_in(role: Role) -> Visitor:
        return Visitor(app.test_client()).enter(session, make_operator(session, role))

    return signed_in


@pytest.fixture
def marketer(sign_in: Callable[[Role], Visitor]) -> Visitor:
    return sign_in(Role.MARKETER)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with harness.running(tmp_path_factory.mktemp("simulator")) as started:
        yield started


@pytest.fixture
def whatsapp(process: Simulator) -> Simulator:
    """Nobody reviews there unless a test says so."""
    process.control("reset", {"log": True})
    process.configure(review={"verdict": ""})
    return process


@pytest.fixture
def line(rt: Runtime, whatsapp: Simulator) -> Connection:
    return reviewing.connect(rt, whatsapp)


@pytest.fixture(autouse=True)
def _one_chunk_at_a_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all transactions of a test are savepoints of one, none can be beside another."""
    if "live_rt" not in request.fixturenames:
        monkeypatch.setattr(steps, "LANES", 1)
