"""summaries

Summaries of Insights by e-mail or to a chat, and each one that is to go out, went out or could not.
"""

from alembic import op
import sqlalchemy as sa

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('summary',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('rhythm', sa.Text(), nullable=False),
    sa.Column('weekday', sa.SmallInteger(), nullable=False),
    sa.Column('hour', sa.SmallInteger(), nullable=False),
    sa.Column('way', sa.Text(), nullable=False),
    sa.Column('place', sa.Text(), nullable=False),
    sa.Column('sealed_place', sa.LargeBinary(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('stopped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by_operator_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("environment IN ('live', 'test')", name=op.f('ck_summary_environment')),
    sa.CheckConstraint("rhythm IN ('daily', 'weekly', 'monthly')", name=op.f('ck_summary_rhythm')),
    sa.CheckConstraint("way IN ('email', 'chat')", name=op.f('ck_summary_way')),
    sa.ForeignKeyConstraint(['created_by_operator_id'], ['operator.id'], name=op.f('fk_summary_created_by_operator_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_summary'))
    )
    op.create_index(op.f('ix_summary_environment'), 'summary', ['environment'])
    op.create_index('ix_summary_due', 'summary', ['next_at'], postgresql_where=sa.text('stopped_at IS NULL'))
    op.create_table('summary_run',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('summary_id', sa.BigInteger(), nullable=False),
    sa.Column('first', sa.Date(), nullable=False),
    sa.Column('last', sa.Date(), nullable=False),
    sa.Column('asked', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('attempts', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('given_up_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['summary_id'], ['summary.id'], name=op.f('fk_summary_run_summary_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_summary_run'))
    )
    op.create_index(op.f('ix_summary_run_summary_id'), 'summary_run', ['summary_id'])
    op.create_index('uq_summary_run_summary_id_last', 'summary_run', ['summary_id', 'last'], unique=True, postgresql_where=sa.text('NOT asked'))
    op.create_index('ix_summary_run_due', 'summary_run', ['due_at'], postgresql_where=sa.text('sent_at IS NULL AND given_up_at IS NULL'))


def downgrade() -> None:
    op.drop_table('summary_run')
    op.drop_table('summary')
