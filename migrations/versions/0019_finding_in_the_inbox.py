"""finding in the inbox"""

from alembic import op
import sqlalchemy as sa

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

# Who waits already, and who was answered when: what was said before these columns were there says it.
WAITING = """
    UPDATE conversation c
       SET waiting_since = (
           SELECT min(m.occurred_at) FROM message m
            WHERE m.person_id = c.person_id AND m.number_id = c.number_id AND m.direction = 'in'
              AND m.kind NOT IN ('reaction', 'system', 'ephemeral', 'request_welcome')
              AND m.occurred_at >= (SELECT max(e.opened_at) FROM episode e WHERE e.conversation_id = c.id)
              AND m.occurred_at > coalesce((
                  SELECT max(o.occurred_at) FROM message o
                   WHERE o.person_id = c.person_id AND o.number_id = c.number_id
                     AND o.author_kind IN ('coach', 'app', 'api') AND o.state <> 'suppressed'), '-infinity'))
     WHERE c.state = 'open' AND c.waiting_since IS NULL
"""
ANSWERED = """
    UPDATE episode e
       SET first_reply_at = f.occurred_at, first_reply_operator_id = f.operator_id
      FROM episode s JOIN conversation c ON c.id = s.conversation_id
     CROSS JOIN LATERAL (
           SELECT m.occurred_at, m.operator_id FROM message m
            WHERE m.person_id = c.person_id AND m.number_id = c.number_id
              AND m.author_kind IN ('coach', 'app', 'api') AND m.state <> 'suppressed'
              AND m.occurred_at >= s.opened_at AND m.occurred_at <= coalesce(s.closed_at, 'infinity')
            ORDER BY m.occurred_at, m.id LIMIT 1) f
     WHERE e.id = s.id AND e.first_reply_at IS NULL
"""


def upgrade() -> None:
    op.create_table('bulk_close',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('operator_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("environment IN ('live', 'test')", name=op.f('ck_bulk_close_environment')),
    sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name=op.f('fk_bulk_close_operator_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bulk_close'))
    )
    op.create_index(op.f('ix_bulk_close_at'), 'bulk_close', ['at'])
    op.create_table('bulk_closed',
    sa.Column('bulk_close_id', sa.BigInteger(), nullable=False),
    sa.Column('conversation_id', sa.BigInteger(), nullable=False),
    sa.Column('episode_id', sa.BigInteger(), nullable=False),
    sa.Column('waiting_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('unread_count', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['bulk_close_id'], ['bulk_close.id'], name=op.f('fk_bulk_closed_bulk_close_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_bulk_closed_conversation_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['episode_id'], ['episode.id'], name=op.f('fk_bulk_closed_episode_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('bulk_close_id', 'conversation_id', name=op.f('pk_bulk_closed'))
    )
    op.create_index(op.f('ix_bulk_closed_conversation_id'), 'bulk_closed', ['conversation_id'])
    op.create_index(op.f('ix_bulk_closed_episode_id'), 'bulk_closed', ['episode_id'])
    op.create_index('ix_message_words', 'message', [sa.literal_column("to_tsvector('simple'::regconfig, body)")], postgresql_using='gin', postgresql_where=sa.text('body IS NOT NULL AND broadcast_id IS NULL'))
    op.execute(WAITING)
    op.execute(ANSWERED)


def downgrade() -> None:
    op.drop_index('ix_message_words', table_name='message')
    op.drop_table('bulk_closed')
    op.drop_table('bulk_close')
