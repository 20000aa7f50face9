from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot import runtime
from bot import settings as configuration
from bot.runtime import Runtime
from bot.settings import Settings

SECRET_KEY = "0123456789abcdef0123456789abcdef"


def make_settings(home: Path, database_url: str, redis_url: str, **more: str) -> Settings:
    """Settings as the environment variables given in `more` would make them."""
    return configuration.load(
        {
            "BACKCHAT_HOME": str(home),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BACKCHAT_SECRET_KEY": SECRET_KEY,
            **more,
        }
    )


@contextmanager
def live_runtime(settings: Settings) -> Iterator[Runtime]:
    """A runtime that really commits, with room for threads."""
    built = runtime.build(settings, name="tests", pool_size=20)
    try:
        yield built
    finally:
        built.engine.dispose()
        built.redis.close()
