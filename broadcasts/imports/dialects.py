"""The two kinds of list Backchat takes in, as tables: which columns, in which order, how phone numbers are written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_COLUMNS = 100
COMMENTS = "Comments"
RESERVED = frozenset({"id", "distinct_id", "username", "phone_no", "user_id", "phone_number", "user"})
"""Placeholder names that mean something already; no column of the list's own may take them."""

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class HeaderError(ValueError):
    """The first row does not fit the dialect; the text lists every problem, a sentence each."""


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column's cells go: `distinct_id`, `phone`, `email`, a column of person, or an attribute."""

    header: str
    target: str
    is_attribute: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    name: str
    label: str
    example: str
    row_limit: int
    has_plus: bool
    """Phone numbers are strict E.164 with plus; otherwise digits alone, completed by the list's country."""
    known: Mapping[str, Column]
    required: tuple[str, ...]
    leading: tuple[str, ...] = ()
    """Columns that must come first, in this order."""
    names_person: bool = True
    """Every row must name its person; otherwise one without a name is known by the phone number."""


def _columns(**targets: str) -> dict[str, Column]:
    return {header: Column(header, target) for header, target in targets.items()}


_OWN = ("nickname", "first_name", "last_name", "email", "language", "country", "time_zone")

SENDBIRD = Dialect(
    name="sendbird",
    label="user_id, phone_number (with plus sign)",
    example="user_id,phone_number\nchasenoti123,+821011112222\nmjnoti105,+821033334444\n",
    row_limit=100_000,
    has_plus=True,
    known=_columns(user_id="distinct_id", phone_number="phone", **{name: name for name in _OWN}),
    required=("user_id", "phone_number"),
)

_LEADING = ("username", "phone_no", "email", "first_name", "last_name", "title", "account")

METAHUMANS = Dialect(
    name="metahumans",
    label="user.username, user.phone_no, … (digits only, with a country)",
    example=",".join(f"user.{name}" for name in _LEADING) + "\nann,919876543210,,Ann,Lee,Dr,basic\n",
    row_limit=1_000,
    has_plus=False,
    known={
        "user.username": Column("user.username", "distinct_id"),
        "user.phone_no": Column("user.phone_no", "phone"),
        "user.email": Column("user.email", "email"),
        "user.first_name": Column("user.first_name", "first_name"),
        "user.last_name": Column("user.last_name", "last_name"),
        "user.title": Column("user.title", "title", is_attribute=True),
        "user.account": Column("user.account", "account", is_attribute=True),
        **_columns(nickname="nickname", language="language", country="country", time_zone="time_zone"),
    },
    required=tuple(f"user.{name}" for name in _LEADING),
    leading=tuple(f"user.{name}" for name in _LEADING),
    names_person=False,
)

DIALECTS = {dialect.name: dialect for dialect in (SENDBIRD, METAHUMANS)}


def read_header(dialect: Dialect, cells: Sequence[str]) -> list[Column | None]:
    """Where each column goes (None: a Comments column, which is passed over); raises HeaderError."""
    headers = [cell.strip().strip("\ufeff\u200b").strip() for cell in cells]
    while headers and not headers[-1]:
        headers.pop()
    if len(headers) > MOST_COLUMNS:
        raise HeaderError(f"The file has {len(headers):,} columns: {MOST_COLUMNS} are the most.")
    problems = [*_missing(dialect, headers), *_out_of_order(dialect, headers)]
    columns = [_column(dialect, header, place, problems) for place, header in enumerate(headers, 1)]
    taken = [column.target for column in columns if column is not None]
    problems += [
        f"The column {name} is there more than once: rename or delete one."
        for name in dict.fromkeys(taken)
        if taken.count(name) > 1
    ]
    if problems:
        raise HeaderError(" ".join(problems))
    return columns


def _missing(dialect: Dialect, headers: Sequence[str]) -> list[str]:
    there = {header.casefold() for header in headers}
    missing = [name for name in dialect.required if name not in there]
    if not missing:
        return []
    return [f"The first row must hold the column names; missing: {', '.join(missing)}."]


def _out_of_order(dialect: Dialect, headers: Sequence[str]) -> list[str]:
    first = tuple(header.casefold() for header in headers[: len(dialect.leading)])
    if first == dialect.leading or not set(dialect.leading) <= {header.casefold() for header in headers}:
        return []
    return [f"The first columns must be, in this order: {', '.join(dialect.leading)}."]


def _column(dialect: Dialect, header: str, place: int, problems: list[str]) -> Column | None:
    if header.casefold() == COMMENTS.casefold():
        return None
    if known := dialect.known.get(header.casefold()):
        return known
    name, marked, kind = header.removeprefix("user.").partition("||")
    if known := dialect.known.get(name.casefold()):
        return known
    if not name:
        problems.append(f"Column {place} has no name: give it one, or delete the column.")
    elif marked and kind.strip().upper() != "TEXT":
        problems.append(f"Column {header[:80]}: attributes are taken in as TEXT; delete ||{kind[:20]}.")
    elif not _NAME.fullmatch(name):
        problems.append(
            f"Column name {header[:80]!r}: only letters, digits, underscore, hyphen and period may stand there."
        )
    elif name.casefold() in RESERVED:
        problems.append(f"Column {header[:80]}: {name} has a meaning of its own; give the column another name.")
    return Column(header, name, is_attribute=True)
