"""Looks for words in every value of every table, as a thief with a dump would."""

from collections.abc import Iterable

from sqlalchemy import Connection, text

_COLUMNS = text("""
    SELECT c.table_name, c.column_name, c.data_type, c.udt_name
      FROM information_schema.columns c JOIN pg_class t ON t.relname = c.table_name AND t.relkind IN ('r', 'p')
     WHERE c.table_schema = 'public' AND NOT t.relispartition
       AND (c.data_type IN ('text', 'jsonb', 'bytea', 'character varying', 'tsvector', 'ARRAY'))
     ORDER BY 1, 2
""")


def scan(connection: Connection, words: Iterable[str]) -> list[str]:
    """`word in table.column (rows)` for each that is there, in any case; bytes as the Latin-1 text they are."""
    found = []
    for table, column, kind, _ in connection.execute(_COLUMNS).all():
        shown = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'CAST("{column}" AS text)'
        for word in words:
            rows = connection.execute(
                text(f'SELECT count(*) FROM "{table}" WHERE {shown} ILIKE :word'),
                {"word": f"%{word}%"},
            ).scalar()
            if rows:
                found.append(f"{word} in {table}.{column} ({rows})")
    return found
