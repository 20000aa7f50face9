"""What a table for analysts is made of: columns with their SQL, as plain data that Parquet and BigQuery both read."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """`json` is text that holds JSON; `time` is a moment in UTC, to the microsecond; `amount` has six decimals."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    AMOUNT = "amount"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: Type
    sql: str
    meaning: str
    null: str = ""
    """What no value means; empty: there is always one."""
    unit: str = ""
    is_private: bool = False
    """A name, an address or a text: left empty where people are pseudonyms."""
    is_person: bool = False
    """A person's id, written as text: where people are pseudonyms, a keyed hash of it."""


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    meaning: str
    key: Sequence[str]
    """Columns that name a row; of several rows with one key the one with the latest `exported_at` is in force."""
    source: str
    """FROM and what follows it; it may hold `:environment`."""
    columns: Sequence[Column]
    changed: Sequence[str] = ()
    """Aliases of the source: a row comes again when one of theirs has changed. () : all rows come each time."""

    @property
    def is_whole(self) -> bool:
        """Each export holds all of it, and takes the place of what was exported before."""
        return not self.changed


@dataclass(frozen=True, slots=True)
class Progress:
    table: str
    tables_done: int
    rows: int
    """Of all tables so far."""


def key(column: str, meaning: str, name: str = "id") -> Column:
    return Column(name, Type.INTEGER, column, meaning)


def person(column: str, meaning: str = "Whose it is.", null: str = "", name: str = "person_id") -> Column:
    return Column(name, Type.TEXT, f"{column}::text", meaning, null, is_person=True)


def refers(column: str, table: str, null: str = "", name: str = "") -> Column:
    """To the `id` of another table of these."""
    return Column(name or column.rpartition(".")[2], Type.INTEGER, column, f"`id` in `{table}`.", null)


def integer(column: str, meaning: str, null: str = "", unit: str = "", name: str = "") -> Column:
    return Column(name or column.rpartition(".")[2], Type.INTEGER, column, meaning, null, unit)


def time(column: str, meaning: str, null: str = "", name: str = "") -> Column:
    return Column(name or column.rpartition(".")[2], Type.TIME, column, meaning, null, "UTC")


def boolean(column: str, meaning: str, null: str = "", name: str = "") -> Column:
    return Column(name or column.rpartition(".")[2], Type.BOOLEAN, column, meaning, null)


def word(column: str, meaning: str, null: str = "", name: str = "") -> Column:
    return Column(name or column.rpartition(".")[2], Type.TEXT, column, meaning, null)


def private(column: str, meaning: str, null: str = "", name: str = "", type_: Type = Type.TEXT) -> Column:
    """Always may be empty: it is where people are pseudonyms."""
    return Column(name or column.rpartition(".")[2], type_, column, meaning, null or "Not told.", is_private=True)


ENVIRONMENT = "Live or test."
EXPORTED_AT = Column(
    "exported_at",
    Type.TIME,
    "",
    "The moment the row is as of: one for all rows of all tables of an export.",
    unit="UTC",
)
"""The last column of every table."""
