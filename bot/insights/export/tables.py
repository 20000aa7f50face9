"""Every table that leaves for a warehouse, by its name; a test keeps docs/raw-data.md in step with it."""

from collections.abc import Mapping
from typing import Final

from bot.insights.export import (
    broadcast_tables,
    goal_tables,
    message_tables,
    people_tables,
    sending_tables,
    work_tables,
)
from bot.insights.export.shapes import Table

VERSION: Final = 3
"""Of the schema. A column that is added leaves it, unless rows that left before lack it for good; one that goes, or
means something else, makes the next, as does a table that came whole and comes as it changes now."""

TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for module in (people_tables, message_tables, work_tables, broadcast_tables, sending_tables, goal_tables)
    for table in module.TABLES
}
