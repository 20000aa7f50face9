"""The tables as docs/raw-data.md lists them: `python -m tests.insights.export.dictionary` writes them there anew."""

from collections.abc import Iterator
from typing import Final

from bot.insights.export.shapes import Column, Table
from bot.insights.export.tables import TABLES
from bot.schema import ROOT

DOCUMENT: Final = ROOT / "docs/raw-data.md"
HEADING: Final = "\n## Tables\n"


def listed() -> str:
    """Everything below the heading."""
    return "".join(f"\n{_said(table)}\n" for table in TABLES.values())


def _said(table: Table) -> str:
    comes = "comes whole" if table.is_whole else "changes"
    key = ", ".join(f"`{name}`" for name in table.key)
    head = (f"### {table.name}", "", f"{table.meaning} Key: {key}; {comes}.", "", "| column | | |", "|---|---|---|")
    return "\n".join([*head, *_rows(table)])


def _rows(table: Table) -> Iterator[str]:
    for column in table.columns:
        kind = f"{column.type}, private" if column.is_private else column.type.value
        yield f"| `{column.name}` | {kind} | {_meaning(column)} |"


def _meaning(column: Column) -> str:
    unit = f" In {column.unit}." if column.unit not in {"", "UTC"} else ""
    null = f" *Null: {column.null[0].lower()}{column.null[1:]}*" if column.null else ""
    return f"{column.meaning}{unit}{null}"


def main() -> None:
    before, heading, _ = DOCUMENT.read_text().partition(HEADING)
    DOCUMENT.write_text(before + heading + listed())


if __name__ == "__main__":
    main()
