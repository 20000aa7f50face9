"""The documented tables in BigQuery's terms: columns, what they mean, how they are laid out, and the statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.insights.export.shapes import EXPORTED_AT, Column, Table, Type

TYPES: Final = {
    Type.TEXT: "STRING",
    Type.INTEGER: "INTEGER",
    Type.BOOLEAN: "BOOLEAN",
    Type.TIME: "TIMESTAMP",
    Type.AMOUNT: "NUMERIC",
    # As text: a number too long for BigQuery's JSON would hold up everything; its JSON functions read text as well.
    Type.JSON: "STRING",
}
BY_DAY: Final = {"messages": "created_at", "statuses": "created_at"}
"""Partitioned by the day of a column that never changes, so that a merge reads only the days that it brings."""
_CLUSTERED: Final = 4
_LONGEST: Final = 1024


@dataclass(frozen=True, slots=True)
class Span:
    """From the first to the last moment of the partitioning column in what is merged."""

    low: datetime
    high: datetime


def columns(table: Table) -> Sequence[Column]:
    return (*table.columns, EXPORTED_AT)


def described(column: Column) -> str:
    unit = f" In {column.unit}." if column.unit and column.type != Type.TIME else ""
    null = f" NULL: {column.null}" if column.null else ""
    return f"{column.meaning}{unit}{null}"[:_LONGEST]


def clustering(table: Table) -> list[str]:
    return [*table.key][:_CLUSTERED]


def merge(table: Table, there: str, incoming: str, span: Span | None) -> str:
    """Rows take the place of those with their key, unless a later export has been there first."""
    names = [column.name for column in columns(table)]
    on = [f"t.`{name}` = s.`{name}`" for name in table.key]
    if span is not None:
        on.append(f"t.`{BY_DAY[table.name]}` BETWEEN {_moment(span.low)} AND {_moment(span.high)}")
    changed = ", ".join(f"`{name}` = s.`{name}`" for name in names)
    listed = ", ".join(f"`{name}`" for name in names)
    values = ", ".join(f"s.`{name}`" for name in names)
    return (
        f"MERGE INTO `{there}` AS t USING `{incoming}` AS s ON {' AND '.join(on)} "  # noqa: S608 (names of our own)
        f"WHEN MATCHED AND s.`exported_at` >= t.`exported_at` THEN UPDATE SET {changed} "
        f"WHEN NOT MATCHED THEN INSERT ({listed}) VALUES ({values})"
    )


def delete_older(there: str, moment: datetime) -> str:
    return f"DELETE FROM `{there}` WHERE `exported_at` < {_moment(moment)}"  # noqa: S608 (names of our own)


def _moment(at: datetime) -> str:
    return f"TIMESTAMP '{at.isoformat(sep=' ', timespec='microseconds')}'"
