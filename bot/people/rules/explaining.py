"""EXPLAIN as a part of SQLAlchemy's language, so that a plan is asked for without a line of text."""

from typing import Any

from sqlalchemy import Executable, Select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement


class Explain(Executable, ClauseElement):
    """What the planner means to do for a query: one row, one column, a list with one plan."""

    inherit_cache = False

    def __init__(self, query: Select[Any]) -> None:
        self.query = query


@compiles(Explain)
def _explain(element: Explain, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 (SQLAlchemy's own)
    return f"EXPLAIN (FORMAT JSON) {compiler.process(element.query, **options)}"
