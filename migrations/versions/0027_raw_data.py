"""raw data

Rows that are gone, for exports of what changed; exports that are asked for by page.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

# Table → its name in exports, and the columns that are the key: a row's id, a person.
KEPT = {
    'person': ('people', '', 'id'),
    'message': ('messages', 'id', ''),
    'status_event': ('statuses', 'id', ''),
    'media': ('files', 'id', ''),
    'conversation': ('conversations', 'id', ''),
    'episode': ('episodes', 'id', ''),
    'assignment': ('assignments', 'id', ''),
    'journey_run': ('journey_runs', 'id', ''),
    'reminder': ('reminders', 'id', ''),
    'audience_person': ('broadcast_audience', 'broadcast_id', 'person_id'),
    'broadcast_response': ('broadcast_responses', 'broadcast_id', 'person_id'),
}


def upgrade() -> None:
    op.create_table('row_gone',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=True),
    sa.Column('row_id', sa.BigInteger(), nullable=True),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_row_gone'))
    )
    op.create_index(op.f('ix_row_gone_name_person_id'), 'row_gone', ['name', 'person_id'], unique=False)
    op.create_table('raw_export',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('operator_id', sa.BigInteger(), nullable=False),
    sa.Column('is_pseudonymised', sa.Boolean(), nullable=False),
    sa.Column('since_id', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
    sa.Column('attempt', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('at_table', sa.Text(), nullable=True),
    sa.Column('tables_done', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('rows_done', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('manifest', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('size', sa.BigInteger(), nullable=True),
    sa.Column('storage_key', sa.Text(), nullable=True),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.CheckConstraint("environment IN ('live', 'test')", name=op.f('ck_raw_export_environment')),
    sa.CheckConstraint("state IN ('waiting', 'running', 'finished', 'failed', 'expired')", name=op.f('ck_raw_export_state')),
    sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name=op.f('fk_raw_export_operator_id')),
    sa.ForeignKeyConstraint(['since_id'], ['raw_export.id'], name=op.f('fk_raw_export_since_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_export'))
    )
    op.create_index(op.f('ix_raw_export_environment_id'), 'raw_export', ['environment', 'id'], unique=False)
    op.create_index('ix_raw_export_due', 'raw_export', ['id'], unique=False, postgresql_where=sa.text("state IN ('waiting', 'running')"))
    op.execute("""
        CREATE FUNCTION keep_row_gone() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO row_gone (name, environment, row_id, person_id)
            SELECT TG_ARGV[0], known ->> 'environment', CAST(known ->> TG_ARGV[1] AS bigint),
                   CAST(known ->> TG_ARGV[2] AS bigint)
              FROM (SELECT to_jsonb(gone) AS known FROM gone) k;
            RETURN NULL;
        END $$
    """)
    for table, (name, row, person) in KEPT.items():
        op.execute(f"""
            CREATE TRIGGER keep_row_gone AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION keep_row_gone('{name}', '{row}', '{person}')
        """)


def downgrade() -> None:
    for table in KEPT:
        op.execute(f'DROP TRIGGER keep_row_gone ON {table}')
    op.execute('DROP FUNCTION keep_row_gone()')
    op.drop_table('raw_export')
    op.drop_table('row_gone')
