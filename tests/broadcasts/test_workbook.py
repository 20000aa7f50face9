"""A workbook is read as the list it shows: numbers keep their digits, dates are dates, and a bomb does not go off."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from bot.runtime import Runtime
from broadcasts.imports.imports import ImportRefusedError
from broadcasts.imports.reading import reader
from broadcasts.imports.reading.reader import BrokenFileError, Record
from tests.broadcasts import lists
from tests.broadcasts.workbooks import Cell, sheet, workbook, zipped

HEADER = ["user_id", "phone_number", "since||DATE"]


class Stream(io.RawIOBase):
    """Bytes that come once, as out of the database."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        return self._data.readinto(buffer)


def read(data: bytes) -> list[Record]:
    shape = reader.shape_of(lambda: io.BytesIO(data))
    assert (shape.format, shape.encoding) == ("xlsx", "xlsx")
    return list(reader.records(io.BufferedReader(Stream(data)), shape))


def shown(cell: Cell, epoch: int = 0) -> str:
    return read(workbook([["a"], [cell]], epoch=epoch))[-1].cells[0]


def test_rows_and_cells_are_where_the_sheet_shows_them() -> None:
    found = read(workbook([HEADER, [], ["ann", None, "x & y"], [" "], [None, "bea"]]))

    assert [(record.row, record.cells) for record in found] == [
        (1, HEADER),
        (3, ["ann", "", "x & y"]),
        (5, ["", "bea"]),
    ]


@pytest.mark.parametrize(
    "cell, text",
    [
        (("", "<v>201012345678</v>"), "201012345678"),
        (("", "<v>2.01012345678E11</v>"), "201012345678"),
        (("", "<v>0.30000000000000004</v>"), "0.3"),
        (("", "<v>12.0</v>"), "12"),
        (("", "<v>-3.5</v>"), "-3.5"),
        (('s="4"', "<v>1012345678</v>"), "001012345678"),
        (('s="5"', "<v>201012345678</v>"), "+201012345678"),
        (('s="1"', "<v>46053</v>"), "2026-01-31"),
        (('s="3"', "<v>46053.5</v>"), "2026-01-31T12:00:00"),
        (('s="2"', "<v>0.604166666666667</v>"), "14:30:00"),
        (('s="6"', "<v>3.25</v>"), "3.25"),
        (('s="7"', "<v>3</v>"), "3"),
        (('s="1"', "<v>1</v>"), "1900-01-01"),
        (('s="1"', "<v>99999999</v>"), "99999999"),
        (('t="b"', "<v>1</v>"), "true"),
        (('t="e"', "<v>#N/A</v>"), "#N/A"),
        (('t="d"', "<v>2026-01-31T00:00:00</v>"), "2026-01-31"),
        (('t="str"', "<f>A1</f><v>made up</v>"), "made up"),
        (('t="inlineStr"', "<is><r><t>two </t></r><r><t>parts</t></r><rPh><t>no</t></rPh></is>"), "two parts"),
        (('t="inlineStr"', "<is><t>a_x000A_b</t></is>"), "a\nb"),
    ],
)
def test_a_cell_is_the_text_that_its_column_takes(cell: Cell, text: str) -> None:
    assert shown(cell) == text


def test_a_workbook_may_count_its_days_from_1904() -> None:
    assert shown(('s="1"', "<v>44591</v>"), epoch=1) == "2026-01-31"


def test_the_first_sheet_that_can_be_seen_and_holds_something_is_read_and_others_are_named() -> None:
    rows = '<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>'
    full = workbook([HEADER], more={"xl/worksheets/sheet3.xml": rows.encode()})
    empty = workbook([], more={"xl/worksheets/sheet3.xml": rows.encode()})

    assert [record.cells for record in read(full)] == [HEADER]
    assert [record.cells for record in read(empty)] == [["1"]]
    assert reader.left_out(io.BufferedReader(Stream(full)), reader.Shape("xlsx", ",")) == ["More"]
    assert reader.left_out(io.BytesIO(empty), reader.Shape("xlsx", ",")) == []
    assert reader.left_out(io.BytesIO(b"a,b"), reader.Shape("utf-8", ",")) == []


def test_names_of_elements_may_have_a_prefix_and_cells_no_place() -> None:
    rows = '<x:row><x:c t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c><x:c><x:v>1</x:v></x:c></x:row>'

    found = read(sheet(f'<x:worksheet xmlns:x="urn:x"><x:sheetData>{rows}</x:sheetData></x:worksheet>'))

    assert [record.cells for record in found] == [["a", "1"]]


@pytest.mark.parametrize(
    "data, said",
    [
        (b"PK\x03\x04 and so on", "cut off or damaged"),
        (workbook([HEADER])[:-30], "cut off or damaged"),
        (zipped([("letter.txt", b"hello")]), "no .xlsx workbook"),
        (b"\xd0\xcf\x11\xe0 old", "of the old kind or with a password"),
        (sheet("<worksheet><sheetData><row><c>"), "The workbook is damaged"),
        (sheet('<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'), "declares entities"),
        (sheet("<a>" * 5000), "nested more than 100 deep"),
        (sheet('<worksheet a="' + "".join(map(str, range(1_000_000))) + '"/>'), "more than a million characters"),
        (sheet('<sheetData><row r="1"><c r="BZZ1"><v>1</v></c></row></sheetData>'), "cells beyond column 1,000"),
        (sheet('<sheetData><row r="1"><c r="A1" t="s"><v>7</v></c></row></sheetData>'), "text .number 7. is missing"),
        (
            sheet(
                '<sheetData><row r="1"><c r="A1"><v>' + "".join(map(str, range(400_000))) + "</v></c></row></sheetData>"
            ),
            "Row 1 of the sheet has more than a million",
        ),
    ],
)
def test_a_workbook_that_cannot_be_read_says_why(data: bytes, said: str) -> None:
    with pytest.raises(BrokenFileError, match=said):
        read(data)


def bombs(folder: Path) -> list[Path]:
    """Files of a few kilobytes that unpack to a thousand times as much, each in another place."""
    made = []
    for part in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml"):
        path = folder / part.replace("/", "-")
        path.write_bytes(workbook([HEADER, ["ann"]], more={part: b" " * 100 * 1024 * 1024}))
        made.append(path)
    return made


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from broadcasts.imports.reading import reader\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        shape = reader.shape_of(lambda: open(name, 'rb'))\n"
        "        list(reader.records(open(name, 'rb'), shape))\n"
        "    except reader.BrokenFileError as error:\n"
        "        assert 'unpacks to more than' in str(error), error\n"
        "    else:\n"
        "        sys.exit('not refused')\n"
        "usage = resource.getrusage(resource.RUSAGE_SELF)\n"
        "assert usage.ru_maxrss - before < 200 * 1024, usage\n"
        "assert usage.ru_utime < 5, usage\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *map(str, bombs(tmp_path))], check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()


def test_a_workbook_comes_in_as_a_list_does(rt: Runtime) -> None:
    rows: list[list[Cell]] = [
        [*HEADER],
        ["ann", "+201012345678", ('s="1"', "<v>46053</v>")],
        ["bea", ("", "<v>201012345679</v>"), None],
    ]

    run = lists.take_in(rt, workbook(rows), file_name="list.xlsx")

    assert (run.format, lists.counts(run)) == ("xlsx", (1, 0, 0, 1))
    assert lists.comments(rt, run.id) == [
        "phone_number 201012345679 has no plus sign: write plus, country code and number, for example +201012345678."
    ]
    assert lists.everybody(rt)["ann"][-1] == {"since": "2026-01-31"}


def test_a_workbook_that_is_none_is_refused_when_it_is_uploaded(rt: Runtime) -> None:
    with pytest.raises(ImportRefusedError, match="cut off or damaged"):
        lists.upload(rt, workbook([HEADER])[:-40])
