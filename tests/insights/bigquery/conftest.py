"""A database to send from, and a BigQuery to send to."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.runtime import Runtime
from tests import factories as make
from tests.harness import bigquery
from tests.harness.bigquery import PROJECT, BigQuery
from tests.harness.runtimes import live_runtime, make_settings
from tests.harness.servers import Servers
from tests.insights.bigquery.sent import make_newcomers


@pytest.fixture(scope="package")
def home(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A database for all tests of this folder: each sends to a place of its own."""
    with servers.fresh_database() as url:
        told = {"PROJECT": PROJECT, "DATASET": "unused", "PEOPLE": "whole"}
        more = {f"BACKCHAT_BIGQUERY_{name}": value for name, value in told.items()}
        with live_runtime(make_settings(tmp_path_factory.mktemp("home"), url, servers.redis_url, **more)) as built:
            with built.transaction() as session:
                make.make_number(session)
            yield built


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQuery]:
    with bigquery.running() as started:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(started.credentials(tmp_path)))
        yield started


@pytest.fixture
def rt(home: Runtime, there: BigQuery) -> Runtime:
    return replace(home, settings=replace(home.settings, bigquery_dataset=there.dataset, bigquery_endpoint=there.url))


@pytest.fixture
def people(rt: Runtime) -> Sequence[int]:
    """Seven who have written twice each, five of them in a segment."""
    return make_newcomers(rt)
