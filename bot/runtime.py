"""What a process holds for its whole life, built once at its edge and asked for by routes, pages and jobs only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from bot import db, failpoints, live, queue
from bot.models import schema as schema  # who writes to one table must know them all
from bot.settings import Settings


class NoRuntimeError(RuntimeError):
    """A job or page ran in a process that never built its runtime."""


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    redis: Redis

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Session that commits at the end of the block, or rolls back if it raises; then pages are told what moved."""
        with self.sessions.begin() as session:
            yield session
        live.publish_told(self.redis, session)

    def ring(self, name: str) -> bool:
        return queue.ring(self.redis, name)


_current: list[Runtime] = []


def build(settings: Settings, *, name: str, pool_size: int = 5) -> Runtime:
    """Build the process's runtime and make it current; connects to nothing yet."""
    failpoints.arm(settings.failpoint)
    engine = db.make_engine(settings.database_url, name=name, pool_size=pool_size)
    return use(Runtime(settings, engine, db.make_sessions(engine), queue.connect(settings.redis_url)))


def use(runtime: Runtime) -> Runtime:
    _current[:] = [runtime]
    return runtime


def current() -> Runtime:
    if not _current:
        raise NoRuntimeError("Build a runtime first: bot.runtime.build(settings, name=…).")
    return _current[0]


def after_fork(name: str, pool_size: int = 5) -> Runtime:
    """Replace engine and Redis in a forked child: a socket shared with the parent would mix up their replies."""
    parent = current()
    parent.engine.dispose(close=False)
    return build(parent.settings, name=name, pool_size=pool_size)
