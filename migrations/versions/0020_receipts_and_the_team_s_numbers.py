"""receipts and the team's numbers"""

from alembic import op
import sqlalchemy as sa

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('inbox_policy', sa.Column('tells', sa.Text(), server_default='nothing', nullable=False))
    op.create_check_constraint(op.f('ck_inbox_policy_tells'), 'inbox_policy', "tells IN ('nothing', 'read', 'typing')")
    op.create_table('read_receipt',
    sa.Column('conversation_id', sa.BigInteger(), nullable=False),
    sa.Column('message_id', sa.BigInteger(), nullable=False),
    sa.Column('told_id', sa.BigInteger(), nullable=True),
    sa.Column('typing_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_typing', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempt', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_read_receipt_conversation_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_read_receipt_message_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('conversation_id', name=op.f('pk_read_receipt'))
    )
    op.create_index('ix_read_receipt_due', 'read_receipt', ['due_at'], postgresql_where=sa.text('due_at IS NOT NULL'))
    op.create_index(op.f('ix_read_receipt_message_id'), 'read_receipt', ['message_id'])
    op.create_index(op.f('ix_episode_opened_at'), 'episode', ['opened_at'])
    op.create_index('ix_episode_first_reply_at', 'episode', ['first_reply_at'], postgresql_where=sa.text('first_reply_at IS NOT NULL'))
    op.create_index('ix_episode_closed_at', 'episode', ['closed_at'], postgresql_where=sa.text('closed_at IS NOT NULL'))
    op.create_index('ix_message_coach', 'message', ['occurred_at', 'operator_id'], postgresql_where=sa.text("author_kind = 'coach'"))


def downgrade() -> None:
    op.drop_index('ix_message_coach', table_name='message')
    op.drop_index('ix_episode_closed_at', table_name='episode')
    op.drop_index('ix_episode_first_reply_at', table_name='episode')
    op.drop_index(op.f('ix_episode_opened_at'), table_name='episode')
    op.drop_table('read_receipt')
    op.drop_column('inbox_policy', 'tells')
