"""Brings a database to the models' shape, by the numbered migrations."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, text

from bot.host.checks import HostError

ROOT = Path(__file__).parent.parent

# Any number: what counts is that every Backchat takes the same one, so that one migrates and the others wait.
_LOCK = text("SELECT pg_advisory_xact_lock(4242001)")


def upgrade(engine: Engine) -> None:
    """Apply what is missing, in one transaction; several hosts may try at once. HostError for a newer database."""
    with engine.begin() as connection:
        connection.execute(_LOCK)
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as error:
            raise HostError(f"The database is not one this version of Backchat knows ({error}).") from error


def check(engine: Engine) -> None:
    """Raise HostError if the models ask for something no migration makes."""
    with engine.connect() as connection:
        try:
            command.check(_config(connection))
        except CommandError as error:
            raise HostError(f'{error} Write it with `make migration m="what changes"`.') from error


def write(engine: Engine, message: str) -> None:
    """A new migration file with the difference between database and models; its number follows the last one's."""
    last = max((int(path.name[:4]) for path in (ROOT / "migrations/versions").glob("[0-9]*.py")), default=0)
    with engine.connect() as connection:
        command.revision(_config(connection), message=message, autogenerate=True, rev_id=f"{last + 1:04}")


def _config(connection: object) -> Config:
    config = Config(toml_file=ROOT / "pyproject.toml")
    config.attributes["connection"] = connection
    return config
