"""CSV for spreadsheet programs: no cell of ours is ever run as a formula, and what we guarded we can read back."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

_TRIGGERS = "=+\\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"  # the last four are the full-width forms of the first
_FORMULA = re.compile(f"'*[{_TRIGGERS}]")  # what looks guarded is guarded too, so that reading it back is exact
_GUARDED = re.compile(f"'(?='*[{_TRIGGERS}])")
_PHONE = re.compile(r"\+[1-9][0-9]{4,14}")


def guard(cell: str) -> str:
    """Put ' before a cell that a spreadsheet might run; a phone number in E.164 stays as it is."""
    return f"'{cell}" if _FORMULA.match(cell) and not _PHONE.fullmatch(cell) else cell


def unguard(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell


def as_csv(rows: Iterable[Sequence[str]], delimiter: str = ",") -> Iterator[bytes]:
    """Guarded rows as UTF-8 with a byte order mark (spreadsheets ask for one), in pieces."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL)
    for row in rows:
        writer.writerow([guard(cell) for cell in row])
        if buffer.tell() > 64 * 1024:
            yield _take(buffer)
    yield _take(buffer)


def _take(buffer: io.StringIO) -> bytes:
    data = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return data
