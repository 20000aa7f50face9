"""Workbooks as spreadsheet programs write them, and as nobody should."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

_SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_BOOK = (
    f'<workbook {_SPACE} xmlns:r="{_RELATIONS}"><workbookPr date1904="{{epoch}}"/><sheets>'
    '<sheet name="Notes" sheetId="1" state="hidden" r:id="rId2"/><sheet name="People" sheetId="2" r:id="rId1"/>'
    '<sheet name="More" sheetId="3" r:id="rId3"/>'
    "</sheets></workbook>"
)
_LINKS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_RELATIONS}/worksheet" Target="/xl/worksheets/sheet2.xml"/>'
    f'<Relationship Id="rId3" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet3.xml"/></Relationships>'
)
STYLES = ("General", "yyyy-mm-dd", "hh:mm", 'dd/mm/yyyy" at "hh:mm', "000000000000", "\\+0000", "[h]:mm", "0.00")
"""Number formats by the `s` of a cell."""

Cell = str | tuple[str, str] | None
"""A text, kept among the shared ones; or the attributes and the content of a cell."""


def workbook(rows: Sequence[Sequence[Cell]], *, epoch: int = 0, more: Mapping[str, bytes] | None = None) -> bytes:
    texts: dict[str, int] = {}
    lines = "".join(
        f'<row r="{number}">{"".join(_cell(cell, place, number, texts) for place, cell in enumerate(row))}</row>'
        for number, row in enumerate(rows, 1)
    )
    formats = "".join(
        f'<numFmt numFmtId="{n}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
        for n, code in enumerate(STYLES, 164)
    )
    styles = "".join(f'<xf numFmtId="{164 + n}"/>' for n in range(len(STYLES)))
    shared = "".join(f"<si><t>{escape(text)}</t><rPh><t>sound</t></rPh></si>" for text in texts)
    parts = {
        "xl/workbook.xml": _BOOK.format(epoch=epoch),
        "xl/_rels/workbook.xml.rels": _LINKS,
        "xl/styles.xml": f"<styleSheet {_SPACE}><numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f"<sst {_SPACE}>{shared}</sst>",
        "xl/worksheets/sheet1.xml": f"<worksheet {_SPACE}><sheetData>{lines}</sheetData></worksheet>",
        "xl/worksheets/sheet2.xml": f"<worksheet {_SPACE}><sheetData/></worksheet>",
        "xl/worksheets/sheet3.xml": f"<worksheet {_SPACE}><sheetData/></worksheet>",
    }
    return zipped({**{name: text.encode() for name, text in parts.items()}, **(more or {})}.items())


def sheet(content: str) -> bytes:
    """A workbook of which the sheet is as given."""
    return workbook([], more={"xl/worksheets/sheet1.xml": content.encode()})


def zipped(parts: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, data in parts:
            file.writestr(name, data)
    return buffer.getvalue()


def _cell(cell: Cell, place: int, number: int, texts: dict[str, int]) -> str:
    if cell is None:
        return ""
    reference = f"{chr(65 + place)}{number}"
    if isinstance(cell, tuple):
        return f'<c r="{reference}" {cell[0]}>{cell[1]}</c>'
    return f'<c r="{reference}" t="s"><v>{texts.setdefault(cell, len(texts))}</v></c>'
