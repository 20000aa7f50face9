"""The script that makes one view of each table out of all exports in a folder, for DuckDB."""

from typing import Final

from bot.insights.export.shapes import Table
from bot.insights.export.tables import TABLES

NAME: Final = "views.sql"

_HEAD: Final = """\
-- Every table as of the newest export. Run it in the folder that holds the exports: duckdb -init views.sql
SET TimeZone = 'UTC';
CREATE OR REPLACE VIEW exports AS SELECT * FROM read_parquet('*/exports.parquet', union_by_name = true);
CREATE OR REPLACE MACRO local_time(moment) AS timezone((SELECT arg_max(time_zone, exported_at) FROM exports), moment);
CREATE OR REPLACE MACRO local_day(moment) AS CAST(local_time(moment) AS DATE);
"""
_WHOLE: Final = """\
CREATE OR REPLACE VIEW {name} AS
SELECT * FROM read_parquet('*/{name}.parquet', union_by_name = true)
 WHERE exported_at = (SELECT max(exported_at) FROM exports);
"""
_CHANGES: Final = """\
CREATE OR REPLACE VIEW {name} AS
SELECT t.* FROM read_parquet('*/{name}.parquet', union_by_name = true) t
  ANTI JOIN deleted_rows d ON d.table_name = '{name}' AND {gone}
 WHERE exported_at >= (SELECT max(exported_at) FROM exports WHERE is_whole)
QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY exported_at DESC) = 1;
"""


def script() -> str:
    """Whole tables come first: the views of the others look into one of them."""
    return _HEAD + "".join(_view(table) for table in sorted(TABLES.values(), key=lambda table: not table.is_whole))


def _view(table: Table) -> str:
    if table.is_whole:
        return _WHOLE.format(name=table.name)
    gone = " AND ".join(f"d.{'person_id' if name == 'person_id' else 'row_id'} = t.{name}" for name in table.key)
    return _CHANGES.format(name=table.name, key=", ".join(table.key), gone=gone)
