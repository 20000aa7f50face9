"""for good

What is of Live or of Test stays so: composite keys keep rows that refer to each other together, this keeps the rest.
"""

from alembic import op
revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

TABLES = ('person', 'segment', 'number', 'topic', 'import_run', 'broadcast', 'api_token', 'property')


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION keep_environment() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a % stays in its environment for good', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
    """)
    for table in TABLES:
        op.execute(f"""
            CREATE TRIGGER keep_environment BEFORE UPDATE OF environment ON {table} FOR EACH ROW
            WHEN (NEW.environment IS DISTINCT FROM OLD.environment) EXECUTE FUNCTION keep_environment()
        """)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f'DROP TRIGGER keep_environment ON {table}')
    op.execute('DROP FUNCTION keep_environment()')
