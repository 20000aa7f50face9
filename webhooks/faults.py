"""Whose fault an error is: the database's, which passes, or the item's, which never does."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.queue import JobTimeoutError

TRANSIENT = (OperationalError, InterfaceError, PoolTimeoutError)
"""The database is away, or was busy with somebody else (deadlock, lock timeout): nothing is wrong with the item."""

PASSING = (*TRANSIENT, JobTimeoutError)
"""Never held against an item; a job's timeout strikes wherever the job happens to be."""


def describe(error: Exception) -> str:
    """One line for the quarantine; PostgreSQL's own sentence, without the detail that quotes values."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
        return f"{type(error.orig).__name__}: {primary}" if primary else type(error.orig).__name__
    return type(error).__name__
