"""looked up once

A list's people all lead to one import and its members to one segment: a transaction looks it up once, not for each row;
docs/decisions/0024.
"""

from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

# A row leads by this column to that table, within the environment; the last says whether it goes when that one goes.
HELD = (('person', 'import_id', 'import_run', False), ('segment_member', 'segment_id', 'segment', True))


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION keep_id() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE integrity_constraint_violation USING MESSAGE = format('a %s keeps its id for good', TG_TABLE_NAME);
        END $$
    """)
    for child, column, parent, goes_along in HELD:
        op.drop_constraint(op.f(f'fk_{child}_{column}_environment'), child, type_='foreignkey')
        _hold(child, column, parent)
        _let_go(child, column, parent, goes_along)
        op.execute(f"""
            CREATE TRIGGER keep_id BEFORE UPDATE OF id ON {parent} FOR EACH ROW
            WHEN (NEW.id IS DISTINCT FROM OLD.id) EXECUTE FUNCTION keep_id()
        """)


def _hold(child: str, column: str, parent: str) -> None:
    """As a foreign key does, it locks what is led to; the transaction remembers which one that was the last time."""
    memo, key = f'backchat.{child}_{column}', f"NEW.{column} || '/' || NEW.environment"
    op.execute(f"""
        CREATE FUNCTION hold_{child}_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM {parent} p WHERE p.id = NEW.{column} AND p.environment = NEW.environment FOR KEY SHARE;
            IF NOT FOUND THEN
                RAISE foreign_key_violation USING TABLE = '{child}', COLUMN = '{column}',
                    MESSAGE = '{child}.{column} leads to no {parent} of its environment';
            END IF;
            PERFORM set_config('{memo}', {key}, true);
            RETURN NEW;
        END $$
    """)
    op.execute(f"""
        CREATE TRIGGER hold_{column} BEFORE INSERT OR UPDATE OF {column}, environment ON {child} FOR EACH ROW
        WHEN (NEW.{column} IS NOT NULL AND current_setting('{memo}', true) IS DISTINCT FROM {key})
        EXECUTE FUNCTION hold_{child}_{column}()
    """)


def _let_go(child: str, column: str, parent: str, goes_along: bool) -> None:
    refuse = f"""
        IF EXISTS (SELECT FROM {child} WHERE {column} = OLD.id) THEN
            RAISE foreign_key_violation USING TABLE = '{child}', COLUMN = '{column}',
                MESSAGE = 'a {child} leads to this {parent}';
        END IF;
    """
    op.execute(f"""
        CREATE FUNCTION let_go_{child}_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {f'DELETE FROM {child} WHERE {column} = OLD.id;' if goes_along else refuse}
            PERFORM set_config('backchat.{child}_{column}', '', true);
            RETURN NULL;
        END $$
    """)
    op.execute(f"""
        CREATE TRIGGER let_go_{child} AFTER DELETE ON {parent} FOR EACH ROW
        EXECUTE FUNCTION let_go_{child}_{column}()
    """)


def downgrade() -> None:
    for child, column, parent, goes_along in HELD:
        op.execute(f'DROP TRIGGER keep_id ON {parent}')
        for act in ('hold', 'let_go'):
            op.execute(f'DROP FUNCTION {act}_{child}_{column}() CASCADE')
        op.create_foreign_key(
            op.f(f'fk_{child}_{column}_environment'), child, parent, [column, 'environment'], ['id', 'environment'],
            ondelete='CASCADE' if goes_along else None,
        )
    op.execute('DROP FUNCTION keep_id()')
