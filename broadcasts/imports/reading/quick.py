"""Rows with nothing wrong in them, which are most: what a cell means is worked out once for all rows that have it.

Whatever is not as simple as that is left to RowReader, which takes its time and says what is wrong.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from bot.people.attributes import AttributeValueError
from broadcasts.imports.reading import phones
from broadcasts.imports.reading.cells import CellError, name_reader, plain, read_email
from broadcasts.imports.reading.dialects import Column, Dialect
from broadcasts.imports.reading.reader import Record
from broadcasts.imports.reading.rows import Take, Wanted, take_for

_REMEMBERED = 50_000
"""Cells of all columns together, so that a wide list does not fill the memory."""
_LONGEST = 100


@dataclass(slots=True)
class Ready:
    """What a row says, as Wanted does; `wanted` is the JSON that is staged."""

    row: int
    cells: Sequence[str]
    phone: str
    distinct_id: str | None
    email: str | None
    wanted: str


class QuickReader:
    """Reads rows of one file, those that are no trouble."""

    def __init__(self, dialect: Dialect, country: str | None, layout: Sequence[Column | None]) -> None:
        self._width = len(layout)
        self._read_phone, self._read_name = phones.reader(dialect, country, Counter()), name_reader(dialect)
        places = {column.target: place for place, column in enumerate(layout) if column and not column.is_attribute}
        self._phone, self._name, self._email = (places.get(name) for name in ("phone", "distinct_id", "email"))
        own = {self._phone, self._name, self._email}
        rest = [(place, column) for place, column in enumerate(layout) if column and place not in own]
        each = _REMEMBERED // max(len(rest), 1)
        self._columns = [(place, _Parts(take_for(column), each)) for place, column in rest if not column.is_attribute]
        self._attributes = [(place, _Parts(take_for(column), each)) for place, column in rest if column.is_attribute]

    def read(self, record: Record) -> Ready | None:
        """None where RowReader has to look."""
        cells = record.cells
        if len(cells) != self._width or record.problem or self._phone is None:
            return None
        try:
            phone = self._read_phone(plain(cells[self._phone]))
            name = None if self._name is None else self._read_name(plain(cells[self._name]))
            email = None if self._email is None else plain(cells[self._email])
            email = read_email(email) if email else None
            columns = [part for place, parts in self._columns if (part := parts[cells[place]])]
            attributes = [part for place, parts in self._attributes if (part := parts[cells[place]])]
        except (CellError, AttributeValueError):
            return None
        wanted = f'{{"country":"{phone.country}"' if phone.country else '{"country":null'
        if email:
            wanted += f',"email":{orjson.dumps(email).decode()}'
        if columns:
            wanted += f',"columns":{{{",".join(columns)}}}'
        if attributes:
            wanted += f',"attributes":{{{",".join(attributes)}}}'
        return Ready(record.row, cells, phone.e164, name, email, wanted + "}")


class _Parts(dict[str, str]):
    """A column's cells → what they add to the JSON; empty cells add nothing. Raises as the column's reader does."""

    def __init__(self, take: Take, most: int) -> None:
        super().__init__()
        self._take, self._most = take, most

    def __missing__(self, cell: str) -> str:
        wanted = Wanted(0, (), "", None)
        self._take(wanted, plain(cell))
        found = wanted.attributes or wanted.columns
        part = orjson.dumps(found).decode()[1:-1] if found else ""
        if len(cell) <= _LONGEST:
            if len(self) >= self._most:
                self.clear()
            self[cell] = part
        return part
