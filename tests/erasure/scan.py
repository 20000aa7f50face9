"""Looks for words in every value of every table, as a thief with a dump would."""

from collections.abc import Iterable

from sqlalchemy import Connection, text

_COLUMNS = text("""
    SELECT c.table_name, c.column_name, c.data_type
      FROM information_schema.columns c JOIN pg_class t ON t.relname = c.table_name AND t.relkind IN ('r', 'p')
     WHERE c.table_schema = 'public' AND NOT t.relispartition
       AND (c.data_type IN ('text', 'jsonb', 'bytea', 'character varying', 'tsvector', 'ARRAY'))
     ORDER BY 1, 2
""")


def scan(connection: Connection, words: Iterable[str]) -> list[str]:
    """`word in table.column` for each that is there, in any case; bytes as the Latin-1 text they are."""
    found = []
    looked_for = {"words": list(words)}
    for table, column, kind in connection.execute(_COLUMNS).all():
        shown = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'CAST("{column}" AS text)'
        query = f"""
            SELECT word FROM unnest(CAST(:words AS text[])) AS word
             WHERE EXISTS (SELECT FROM "{table}" WHERE {shown} ILIKE concat('%', word, '%'))
        """
        found += [f"{word} in {table}.{column}" for word in connection.execute(text(query), looked_for).scalars()]
    return found
