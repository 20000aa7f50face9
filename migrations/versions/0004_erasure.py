"""erasure"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('person', sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('person', sa.Column('answers_only', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('erasure', sa.Column('key', sa.Text(), server_default=sa.text('gen_random_uuid()::text'), nullable=False))
    op.add_column('erasure', sa.Column('sealed_traces', sa.LargeBinary(), nullable=True))
    op.add_column('erasure', sa.Column('progress', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False))
    op.add_column('erasure', sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True))
    op.create_unique_constraint(op.f('uq_erasure_key'), 'erasure', ['key'])
    op.create_index('ix_erasure_unfinished', 'erasure', ['id'], unique=False, postgresql_where=sa.text('finished_at IS NULL'))
    op.add_column('webhook_event', sa.Column('redacted_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('webhook_event', 'redacted_at')
    op.drop_index('ix_erasure_unfinished', table_name='erasure', postgresql_where=sa.text('finished_at IS NULL'))
    op.drop_constraint(op.f('uq_erasure_key'), 'erasure', type_='unique')
    op.drop_column('erasure', 'finished_at')
    op.drop_column('erasure', 'progress')
    op.drop_column('erasure', 'sealed_traces')
    op.drop_column('erasure', 'key')
    op.drop_column('person', 'answers_only')
    op.drop_column('person', 'erased_at')
