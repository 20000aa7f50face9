"""A list to begin with: the columns of a dialect and an environment's own attributes, each with a cell to follow."""

from collections.abc import Iterator, Mapping

from bot import sheets
from bot.models.words import PropertyType
from bot.people.attributes import FORMATS
from broadcasts.imports.reading.columns import MOST_COLUMNS
from broadcasts.imports.reading.dialects import Dialect, PhoneForm

_CELLS = {
    "phone": "+201012345678",
    "distinct_id": "ann",
    "email": "ann@example.org",
    "first_name": "Ann",
    "last_name": "Lee",
    "nickname": "Annie",
    "language": "en",
    "country": "EG",
    "time_zone": "Africa/Cairo",
}
_LENIENT = ("user_id", "phone", "email", "first_name", "last_name", "nickname", "language", "country", "time_zone")


def columns(dialect: Dialect, known: Mapping[str, PropertyType]) -> list[tuple[str, str]]:
    """(header, example cell) of each column, the environment's own attributes last and no more than a list may have."""
    if dialect.is_lenient:
        own = [(name, _CELLS["distinct_id" if name == "user_id" else name]) for name in _LENIENT]
    else:
        own = [(header, _CELLS.get(column.target, "")) for header, column in dialect.known.items()]
    if dialect.phone_form is PhoneForm.DIGITS:
        own = [(header, cell.removeprefix("+") if cell == _CELLS["phone"] else cell) for header, cell in own]
    taken = {column.target for column in dialect.known.values()}
    typed = [(f"{name}||{kind}", FORMATS[kind].example) for name, kind in known.items() if name not in taken]
    return [*own, *typed][:MOST_COLUMNS]


def as_csv(dialect: Dialect, known: Mapping[str, PropertyType]) -> Iterator[bytes]:
    """The file; of a dialect that needs a country, for Egypt."""
    listed = columns(dialect, known)
    return sheets.as_csv([[header for header, _ in listed], [cell for _, cell in listed]])
