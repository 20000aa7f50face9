"""to bigquery"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('bigquery_run',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('destination', sa.Text(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cluster', sa.Text(), nullable=False),
    sa.Column('oldest', sa.BigInteger(), nullable=False),
    sa.Column('rows', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('failures', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bigquery_run')),
    )
    op.create_index('uq_bigquery_run_open', 'bigquery_run', ['destination'], unique=True, postgresql_where=sa.text('finished_at IS NULL'))
    op.create_table('bigquery_table',
    sa.Column('destination', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('run_id', sa.BigInteger(), nullable=False),
    sa.Column('is_done', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('form', sa.Text(), nullable=False),
    sa.Column('cluster', sa.Text(), nullable=True),
    sa.Column('oldest', sa.BigInteger(), nullable=True),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('in_hand', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('digest', sa.Text(), nullable=True),
    sa.Column('rows', sa.BigInteger(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('destination', 'name', name=op.f('pk_bigquery_table')),
    )
    op.alter_column('alert', 'connection_id', existing_type=sa.BigInteger(), nullable=True)


def downgrade() -> None:
    op.execute('DELETE FROM alert WHERE connection_id IS NULL')
    op.alter_column('alert', 'connection_id', existing_type=sa.BigInteger(), nullable=False)
    op.drop_table('bigquery_table')
    op.drop_index('uq_bigquery_run_open', table_name='bigquery_run')
    op.drop_table('bigquery_run')
