"""COPY, which takes rows in for half of what INSERT costs; its errors are psycopg's own."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from sqlalchemy.orm import Session


def copy(session: Session, statement: str, rows: Iterable[Sequence[object]]) -> None:
    with _writing(session, statement) as writing:
        for row in rows:
            writing.write_row(row)


def copy_text(session: Session, statement: str, text: str) -> None:
    """Lines in the text format, each value `escaped` that may hold a backslash; none holds a tab or a line break."""
    with _writing(session, statement) as writing:
        writing.write(text)


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\") if "\\" in value else value


@contextmanager
def _writing(session: Session, statement: str) -> Iterator[psycopg.Copy]:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101 (SQLAlchemy leaves the driver's type open)
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as writing:
        yield writing
