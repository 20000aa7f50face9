"""Live and Test never meet: PostgreSQL itself refuses it, also to whoever goes around our code."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, ForeignKeyConstraint, text
from sqlalchemy.exc import IntegrityError

from bot.models.schema import metadata

MUST = {
    *("address", "consent_event", "preference", "person_merge", "segment_member", "import_run", "import_change"),
    *("broadcast", "conversation", "message", "reaction", "journey_run", "reminder"),
}
"""Tables that hang on a person, a segment, a number or an import and so on."""


def pairs() -> Iterator[tuple[str, ForeignKeyConstraint]]:
    """Every foreign key that holds two rows to one environment."""
    for table in metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            if "environment" in key.column_keys:
                yield f"{table.name}({', '.join(key.column_keys)}) of {key.referred_table.name}", key


PAIRS = dict(pairs())


def test_whatever_belongs_to_an_environment_is_held_to_it() -> None:
    """A column that leads to such a table and takes no environment along would let two environments meet."""
    owned = {table.name for table in metadata.sorted_tables if "environment" in table.columns}
    loose = [
        f"{table.name}.{key.column_keys[0]}"
        for table in metadata.sorted_tables
        for key in table.foreign_key_constraints
        if table.name in owned and key.referred_table.name in owned and "environment" not in key.column_keys
    ]
    held = {key.table.name for key in PAIRS.values()}
    assert set(loose) == AUTHORS | RESPONSES | TRYOUTS | DERIVED
    assert held >= MUST


AUTHORS = {"journey_run.journey_id", "message.journey_id", "message.reminder_id", "suppression.erasure_id"}
"""Written only beside what they belong to, by one statement each; nobody can name one of the other environment."""

RESPONSES = {"broadcast_response.message_id", "broadcast_response.reply_message_id"}
"""Read from the rows of the very person they are of."""

DERIVED = {"behaviour_day.behaviour_id", "message_reply.message_id", "raw_export.since_id"}
"""Found by the statement that writes them, among rows of the one environment; nobody names them."""

TRYOUTS = {"broadcast.parent_id"}
"""Sends nothing: a test send to people of Test is a broadcast of Test, whatever it tries out."""


@pytest.mark.parametrize("pair", sorted(PAIRS))
def test_the_database_refuses_a_row_of_one_environment_that_leads_to_the_other(
    connection: Connection, pair: str
) -> None:
    """In plain SQL, on a copy of the two tables that has nothing but the one promise."""
    key = PAIRS[pair]
    child, parent = key.table, key.referred_table
    referred = [element.column.name for element in key.elements]
    own = dict(zip(referred, key.column_keys, strict=True))
    connection.execute(text(f'CREATE TEMP TABLE parent (LIKE "{parent.name}")'))
    connection.execute(text(f'CREATE TEMP TABLE child (LIKE "{child.name}")'))
    for table, columns in (("parent", parent.columns), ("child", child.columns)):
        for column in columns:
            connection.execute(text(f'ALTER TABLE {table} ALTER COLUMN "{column.name}" DROP NOT NULL'))
    connection.execute(text(f"ALTER TABLE parent ADD UNIQUE ({', '.join(referred)})"))
    connection.execute(text(f"ALTER TABLE child ADD {written(connection, key)}"))
    ids = [name for name in referred if name != "environment"]
    sevens = ", ".join("7" for _ in ids)
    connection.execute(text(f"INSERT INTO parent (environment, {', '.join(ids)}) VALUES ('live', {sevens})"))
    values = f"({', '.join(own[name] for name in ids)}, {own['environment']}) VALUES ({sevens}"
    connection.execute(text(f"INSERT INTO child {values}, 'live')"))
    with pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(text(f"INSERT INTO child {values}, 'test')"))
    with pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(text(f"UPDATE child SET {own['environment']} = 'test'"))
    with pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(text("UPDATE parent SET environment = 'test'"))


def written(connection: Connection, key: ForeignKeyConstraint) -> str:
    """As the migrated database has it, of the copies."""
    asked = (
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name AND conrelid = to_regclass(:child)"
    )
    definition = connection.scalars(text(asked), {"name": key.name, "child": key.table.name}).one()
    return str(definition).replace(f"REFERENCES {key.referred_table.name}(", "REFERENCES parent(")
