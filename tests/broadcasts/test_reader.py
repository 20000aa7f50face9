"""Files as spreadsheet programs write them are read; what cannot be read is refused with the place and the remedy."""

import io
import tracemalloc

import pytest

from broadcasts.imports.reading import reader
from broadcasts.imports.reading.reader import BrokenFileError, Record, Shape

NAMES = {
    "cp1256": "أحمد محمد علي,فاطمة الزهراء\nعبد الرحمن,القاهرة\nمريم إبراهيم,الإسكندرية\n",
    "cp1251": "Анна Петрова,Москва\nДмитрий Соколов,Екатеринбург\nОльга Иванова,Казань\n",  # noqa: RUF001 (letters like ours)
    "cp1253": "Μαρία Παπαδοπούλου,Αθήνα\nΓιώργος Νικολάου,Θεσσαλονίκη\nΕλένη,Πάτρα\n",  # noqa: RUF001 (letters like ours)
    "cp1255": "דוד כהן,תל אביב\nשרה לוי,ירושלים\nמשה מזרחי,חיפה\n",
}
"""People and towns in the eight-bit encodings of their scripts."""
TEXT = "user_id,phone_number,name\nann,+201012345678,Zoë\n"


def read(data: bytes) -> tuple[Shape, list[Record]]:
    shape = reader.shape_of(lambda: io.BytesIO(data))
    return shape, list(reader.records(io.BytesIO(data), shape))


@pytest.mark.parametrize(
    "data, encoding",
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("cp1252"), "cp1252"),
    ],
)
def test_every_usual_encoding_reads_the_same(data: bytes, encoding: str) -> None:
    shape, found = read(data)

    assert shape == Shape(encoding, ",")
    assert [record.cells for record in found] == [
        ["user_id", "phone_number", "name"],
        ["ann", "+201012345678", "Zoë"],
    ]


@pytest.mark.parametrize("encoding", NAMES)
def test_names_in_other_scripts_are_read_in_the_encoding_of_the_script(encoding: str) -> None:
    shape, found = read(f"name,town\n{NAMES[encoding]}".encode(encoding))

    assert shape.encoding == encoding
    assert found[1].cells == NAMES[encoding].split("\n", maxsplit=1)[0].split(",")


def test_the_first_line_may_tell_the_delimiter() -> None:
    shape, found = read(b"sep=;\na;b\n1,5;2\n")

    assert shape.delimiter == ";"
    assert [(record.row, record.cells) for record in found] == [(2, ["a", "b"]), (3, ["1,5", "2"])]


def test_delimiters_inside_quotes_do_not_count() -> None:
    assert read(b'"a, with, commas";b\n1;2\n')[0].delimiter == ";"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_commas_semicolons_tabs_and_bars_all_delimit(delimiter: str) -> None:
    shape, found = read(TEXT.replace(",", delimiter).encode())

    assert shape.delimiter == delimiter
    assert found[1].cells == ["ann", "+201012345678", "Zoë"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(end: str) -> None:
    assert len(read(TEXT.replace("\n", end).encode())[1]) == 2


def test_rows_are_numbered_as_a_spreadsheet_does() -> None:
    _, found = read(b'a,b\n1,"two\nlines"\n\n,\n3,4\n')

    assert [(record.row, record.cells) for record in found] == [
        (1, ["a", "b"]),
        (2, ["1", "two\nlines"]),
        (5, ["3", "4"]),
    ]


def test_a_row_with_mismatched_quotes_does_not_take_its_neighbours_along() -> None:
    _, found = read(b'a,b\n1,2\n"John "Johnny" Smith",3\n4,5\n')

    assert [record.row for record in found] == [1, 2, 3, 4]
    assert [bool(record.problem) for record in found] == [False, False, True, False]
    assert found[2].cells == ['"John "Johnny" Smith",3']


@pytest.mark.parametrize(
    "data, said",
    [
        (b"", "The file is empty"),
        (b" \n\n", "The file is empty"),
        (b'a,b\n1,2\n"3,4\n5,6\n', "Row 3: a quote"),
        (b'a,b\n1,"' + b"x" * 200_000 + b'"\n', "Row 2: a quote"),
        (b"a," + b"x" * 2_000_000, "a line of more than a million"),
        ("a,b\n\u0633\u0644,1\n".encode("cp1256"), "neither UTF-8 nor in an encoding that can be told for sure"),
        (b"a,b\n" + bytes(range(0x80, 0x100)) * 9, "neither UTF-8 nor"),
        (b"a,b\n\x81,1\n", "bytes that are not cp1252"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data: bytes, said: str) -> None:
    with pytest.raises(BrokenFileError, match=said):
        read(data)


def test_one_foreign_byte_late_in_the_file_decides_its_encoding() -> None:
    data = b"user_id,phone_number\n" + b"ann,+201012345678\n" * 20_000 + "Zoë,1\n".encode("cp1252")

    shape, found = read(data)

    assert shape.encoding == "cp1252"
    assert found[-1].cells == ["Zoë", "1"]


def test_memory_does_not_grow_with_the_file() -> None:
    class Endless(io.RawIOBase):
        left = 4 * 1024 * 1024

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
            size = min(len(buffer), self.left)
            line = b"ann,+201012345678\n"
            buffer[:size] = (line * (size // len(line) + 1))[:size]
            self.left -= size
            return size

    tracemalloc.start()
    rows = sum(1 for _ in reader.records(io.BufferedReader(Endless()), Shape("utf-8", ",")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows > 200_000
    assert peak < 1024 * 1024
