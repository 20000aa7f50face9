"""Alembic's entry: models against the database that DATABASE_URL (or the caller's connection) names."""

from typing import Any

from alembic import context
from sqlalchemy import Connection

from bot import db, settings
from bot.models.schema import metadata

PARTITION_OF = ("webhook_event_",)


def include_name(name: str | None, kind: str, _parents: Any) -> bool:  # noqa: ANN401 (Alembic's own mapping)
    """Monthly partitions come and go at run time; the models know their parent only."""
    return not (kind == "table" and name is not None and name.startswith(PARTITION_OF))


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, include_name=include_name)
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = db.make_engine(settings.load().database_url, name="migrations")
    with engine.connect() as opened:
        run(opened)
        opened.commit()
    engine.dispose()
