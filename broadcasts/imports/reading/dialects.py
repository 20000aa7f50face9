"""The kinds of list Backchat takes in, as tables: which columns, in which order, how phone numbers are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.language import _, figure
from bot.models.words import PropertyType
from bot.settings import Settings
from broadcasts.imports.reading import columns, synonyms
from broadcasts.imports.reading.columns import COMMENTS as COMMENTS
from broadcasts.imports.reading.columns import MOST_COLUMNS as MOST_COLUMNS
from broadcasts.imports.reading.columns import Column as Column
from broadcasts.imports.reading.columns import HeaderError as HeaderError
from broadcasts.imports.reading.problems import ProblemKind

_INVISIBLE = "\ufeff\u200b"
_DISTINCT_ID = {"distinct_id", "distinct id"}
"""Where this stands, the list is an export of ours, and `id` is not what names a person."""


class PhoneForm(StrEnum):
    """How a dialect wants phone numbers written."""

    PLUS = "plus"
    DIGITS = "digits"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Dialect:
    name: str
    label: str
    example: str
    row_limit: int
    """Rows of a file, unless the settings say another number."""
    phone_form: PhoneForm
    known: Mapping[str, Column]
    required: tuple[str, ...]
    leading: tuple[str, ...] = ()
    """Columns that must come first, in this order."""
    names_person: bool = True
    """Every row must name its person; otherwise one without a name is known by the phone number."""
    needs_country: bool = False

    def limit(self, settings: Settings) -> int:
        """Rows of a file that are taken in; what is above it is kept for the next file."""
        return int(min(getattr(settings, f"import_{self.name}_rows"), settings.import_max_rows))

    @property
    def has_plus(self) -> bool:
        """Whether the numbers are complete as they stand, so that a country would change nothing."""
        return self.phone_form is PhoneForm.PLUS

    @property
    def is_lenient(self) -> bool:
        return self.phone_form is PhoneForm.ANY


def _columns(**targets: str) -> dict[str, Column]:
    return {header: Column(header, target) for header, target in targets.items()}


_OWN = ("nickname", "first_name", "last_name", "email", "language", "country", "time_zone")

SENDBIRD = Dialect(
    name="sendbird",
    label="user_id, phone_number (with plus sign)",
    example="user_id,phone_number\nchasenoti123,+821011112222\nmjnoti105,+821033334444\n",
    row_limit=100_000,
    phone_form=PhoneForm.PLUS,
    known=_columns(user_id="distinct_id", phone_number="phone", **{name: name for name in _OWN}),
    required=("user_id", "phone_number"),
)

_LEADING = ("username", "phone_no", "email", "first_name", "last_name", "title", "account")

METAHUMANS = Dialect(
    name="metahumans",
    label="user.username, user.phone_no, … (digits only, with a country)",
    example=",".join(f"user.{name}" for name in _LEADING) + "\nann,919876543210,,Ann,Lee,Dr,basic\n",
    row_limit=1_000,
    phone_form=PhoneForm.DIGITS,
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
    needs_country=True,
)

AUTO = Dialect(
    name="auto",
    label="any list with a column of phone numbers",
    example="Name,Phone,Email\nAnn Lee,+20 101 234 5678,ann@example.org\n",
    row_limit=1_000_000,
    phone_form=PhoneForm.ANY,
    known={},
    required=("phone",),
    names_person=False,
)

DIALECTS = {dialect.name: dialect for dialect in (AUTO, SENDBIRD, METAHUMANS)}


def read_header(
    dialect: Dialect, cells: Sequence[str], known: Mapping[str, PropertyType] | None = None
) -> list[Column | None]:
    """Where each column goes (None: a Comments column, which is passed over); raises HeaderError.

    `known` are the attributes there are: a column may not give one another type, and has its type if it gives none.
    """
    headers = [cell.strip().strip(_INVISIBLE).strip() for cell in cells]
    while headers and not headers[-1]:
        headers.pop()
    if len(headers) > MOST_COLUMNS:
        sentence = _(
            "The file has %(count)s columns: %(most_columns)s are the most.",
            count=figure(len(headers)),
            most_columns=MOST_COLUMNS,
        )
        raise HeaderError([(ProblemKind.COLUMN_NAMES, sentence)])
    problems: columns.Problems = []
    if dialect.is_lenient and any(header.casefold() in _DISTINCT_ID for header in headers):
        headers = [COMMENTS if header.casefold() in columns.FOUND_OUT else header for header in headers]
    layout = [
        _guessed(header, place, known or {}, problems)
        if dialect.is_lenient
        else _declared(dialect, header, place, known or {}, problems)
        for place, header in enumerate(headers, 1)
    ]
    problems += [*_missing(dialect, headers, layout), *_out_of_order(dialect, headers), *columns.doubles(layout)]
    if problems:
        raise HeaderError(problems)
    return layout


def _missing(dialect: Dialect, headers: Sequence[str], layout: Sequence[Column | None]) -> columns.Problems:
    there = {header.casefold() for header in headers}
    if dialect.is_lenient:
        there = {column.target for column in layout if column is not None and not column.is_attribute}
    missing = [name for name in dialect.required if name not in there]
    if not missing:
        return []
    return [
        (
            ProblemKind.MISSING_COLUMNS,
            _("The first row must hold the column names; missing: %(missing)s.", missing=", ".join(missing)),
        )
    ]


def _out_of_order(dialect: Dialect, headers: Sequence[str]) -> columns.Problems:
    first = tuple(header.casefold() for header in headers[: len(dialect.leading)])
    if first == dialect.leading or not set(dialect.leading) <= {header.casefold() for header in headers}:
        return []
    return [
        (
            ProblemKind.COLUMN_ORDER,
            _("The first columns must be, in this order: %(leading)s.", leading=", ".join(dialect.leading)),
        )
    ]


def _declared(
    dialect: Dialect, header: str, place: int, known: Mapping[str, PropertyType], problems: columns.Problems
) -> Column | None:
    """A column as the dialect names it, or one of the list's own."""
    if header.casefold() == COMMENTS.casefold():
        return None
    name, kind, wrong = columns.typed(header)
    found = dialect.known.get(header.casefold()) or dialect.known.get(name.casefold())
    if found and not found.is_attribute:
        return found
    column = columns.attribute(found.header if found else header, found.target if found else name, kind, known)
    problems += wrong or columns.check(column, place, kind, known)
    return column


def _guessed(header: str, place: int, known: Mapping[str, PropertyType], problems: columns.Problems) -> Column | None:
    """A column by what people call it; a name that cannot be one becomes one that can, and that is said."""
    if header.casefold() == COMMENTS.casefold():
        return None
    name, kind, wrong = columns.typed(header)
    if target := None if kind else synonyms.TARGETS.get(synonyms.plain(name)):
        return Column(header, target)
    same = {other.casefold(): other for other in known}
    usable = columns.usable_name(name, place) if name else ""
    usable = usable if usable in known else same.get(usable.casefold(), usable)
    column = columns.attribute(header, usable, kind, known)
    problems += wrong or columns.check(column, place, kind, known)
    if usable == name or not name:
        return column
    note = f"Its name cannot be an attribute's as it stands: it is stored as {usable}."
    return Column(header, usable, is_attribute=True, kind=column.kind, note=note)
