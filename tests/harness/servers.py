"""One PostgreSQL and one Redis for a whole run of pytest, and fresh databases within them."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot import schema
from bot.host import lodging, postgres, redis
from bot.host.server import Server
from tests.harness import washing
from webhooks import partitions


@dataclass(frozen=True)
class Servers:
    """`postgres_url` names any database of the server; every test database is made beside it, by the `keeper`.

    `born` is the template's shape, which they all have at first.
    """

    postgres_url: URL
    redis_url: str
    template: str
    born: str
    keeper: Engine
    washed: list[URL] = field(default_factory=list)

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """URL of a migrated, empty database of its own, usable until the block ends; a former test's is washed."""
        url = self.washed.pop() if self.washed else self._create()
        try:
            yield as_text(url)
        finally:
            self._take_back(url)

    @contextmanager
    def copy_of(self, url: str) -> Iterator[str]:
        """URL of a copy, as a restored backup is one; nobody may be connected to the original meanwhile."""
        copy = self.postgres_url.set(database=_name())
        self._keep(f"CREATE DATABASE {copy.database} TEMPLATE {make_url(url).database}")
        try:
            yield as_text(copy)
        finally:
            self.drop(copy)

    def drop(self, url: URL) -> None:
        self._keep(f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)")

    def _keep(self, statement: str) -> None:
        with self.keeper.connect() as connection:
            connection.execute(text(statement))

    def _take_back(self, url: URL) -> None:
        with _open(url) as connection:
            is_clean = washing.wash(connection, self.born)
        renamed = url.set(database=_name())
        if is_clean:  # under another name, since threads of the former test may still be writing to the one they know
            with suppress(OperationalError):
                self._keep(f"ALTER DATABASE {url.database} RENAME TO {renamed.database}")
                self.washed.append(renamed)
                return
        self.drop(url)

    def _create(self) -> URL:
        name = _name()
        self._keep(f"CREATE DATABASE {name} TEMPLATE {self.template} STRATEGY WAL_LOG")
        return self.postgres_url.set(database=name)


@contextmanager
def start() -> Iterator[Servers]:
    """Servers of our own in a temporary folder, or those TEST_DATABASE_URL and TEST_REDIS_URL name."""
    with _own_or_named() as (postgres_url, redis_url), _serve(postgres_url, redis_url) as servers:
        yield servers


@contextmanager
def own_redis() -> Iterator[Server]:
    """A Redis for one test alone, to be flushed and killed."""
    home = make_home()
    server = redis.start(home)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(home)


@contextmanager
def own_postgres() -> Iterator[tuple[Server, Servers]]:
    """A PostgreSQL for one test alone, to be stopped at once; it has no Redis."""
    home = make_home()
    server = postgres.start(home)
    try:
        with _serve(make_url(server.url), "") as servers:
            yield server, servers
    finally:
        server.stop()
        lodging.erase(home)
        shutil.rmtree(home)


def make_home() -> Path:
    """A temporary folder that other accounts may pass through: PostgreSQL never runs as root."""
    home = Path(tempfile.mkdtemp(prefix="backchat-test-"))
    home.chmod(0o711)
    return home


def as_text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def migrate(url: str) -> None:
    """Bring a database to the newest migration, with the partitions of these months."""
    engine = create_engine(url, poolclass=NullPool)
    schema.upgrade(engine)
    with Session(engine) as session, session.begin():
        partitions.ensure(session)


@contextmanager
def _own_or_named() -> Iterator[tuple[URL, str]]:
    named = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
    if named[0] and named[1]:
        yield make_url(named[0]).set(drivername="postgresql+psycopg"), named[1]
        return
    home = make_home()
    started: list[Server] = []
    try:
        started += [postgres.start(home, fsync="off", full_page_writes="off")]  # whoever is killed, the power stays on
        started += [redis.start(home)]
        yield make_url(started[0].url), started[1].url
    finally:
        for server in reversed(started):
            server.stop()
        lodging.erase(home)
        shutil.rmtree(home)


@contextmanager
def _serve(postgres_url: URL, redis_url: str) -> Iterator[Servers]:
    keeper = create_engine(postgres_url, isolation_level="AUTOCOMMIT", pool_size=1, pool_pre_ping=True)
    with _template(postgres_url) as template:
        with _open(postgres_url.set(database=template)) as connection:
            born = washing.shape(connection)
        servers = Servers(postgres_url, redis_url, template, born, keeper)
        yield servers
        for url in servers.washed:
            servers.drop(url)
        keeper.dispose()


@contextmanager
def _template(postgres_url: URL) -> Iterator[str]:
    name = f"backchat_template_{uuid.uuid4().hex[:8]}"
    _run_sql(postgres_url, f"CREATE DATABASE {name}")
    try:
        migrate(as_text(postgres_url.set(database=name)))
        yield name
    finally:
        _run_sql(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _name() -> str:
    return f"backchat_{uuid.uuid4().hex[:12]}"


def _run_sql(url: URL, statement: str) -> None:
    with _open(url) as connection:
        connection.execute(text(statement))


def _open(url: URL) -> Connection:
    return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect()
