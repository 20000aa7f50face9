"""broadcasts to trust

A broadcast goes to several segments minus others; every audience is written down at launch, not that of rules alone.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

FORMER_STATES = ('draft', 'materialising', 'running', 'paused', 'finished', 'cancelled')
STATES = ('draft', 'approval', 'scheduled', 'materialising', 'running', 'paused', 'finished', 'cancelled')
ORIGINS = ('new', 'copy', 'retry', 'test')
METRICS = ('delivered', 'read', 'replied')


def _check(column: str, words: tuple[str, ...]) -> None:
    """Keep a column of the broadcast to these words, whatever it was kept to before."""
    op.execute(f'ALTER TABLE broadcast DROP CONSTRAINT IF EXISTS ck_broadcast_{column}')
    listed = ', '.join(f"'{word}'" for word in words)
    op.create_check_constraint(op.f(f'ck_broadcast_{column}'), 'broadcast', f'{column} IN ({listed})')


def upgrade() -> None:
    op.create_table('message_rate',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('country', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('price', sa.Numeric(precision=12, scale=6), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message_rate')),
    sa.UniqueConstraint('country', 'category', name=op.f('uq_message_rate_country_category'))
    )
    op.create_table('stop_reply',
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('meaning', sa.Text(), nullable=False),
    sa.Column('wording', sa.Text(), nullable=False),
    sa.CheckConstraint("environment IN ('live', 'test')", name=op.f('ck_stop_reply_environment')),
    sa.CheckConstraint("meaning IN ('stop', 'resume', 'nothing')", name=op.f('ck_stop_reply_meaning')),
    sa.PrimaryKeyConstraint('environment', 'language', 'meaning', name=op.f('pk_stop_reply'))
    )
    op.create_table('sending_policy',
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('quiet_from', sa.Time(), nullable=True),
    sa.Column('quiet_to', sa.Time(), nullable=True),
    sa.Column('type_count_above', sa.BigInteger(), server_default='1000', nullable=False),
    sa.Column('approve_above', sa.BigInteger(), nullable=True),
    sa.Column('frequency_messages', sa.SmallInteger(), nullable=True),
    sa.Column('frequency_days', sa.SmallInteger(), server_default='7', nullable=False),
    sa.Column('tier_percent', sa.SmallInteger(), server_default='80', nullable=False),
    sa.Column('stop_failed_percent', sa.SmallInteger(), server_default='20', nullable=False),
    sa.Column('stop_opt_out_percent', sa.SmallInteger(), server_default='5', nullable=False),
    sa.Column('response_days', sa.SmallInteger(), server_default='3', nullable=False),
    sa.Column('updated_by_operator_id', sa.BigInteger(), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("environment IN ('live', 'test')", name=op.f('ck_sending_policy_environment')),
    sa.ForeignKeyConstraint(['updated_by_operator_id'], ['operator.id'], name=op.f('fk_sending_policy_updated_by_operator_id')),
    sa.PrimaryKeyConstraint('environment', name=op.f('pk_sending_policy'))
    )
    op.create_table('stop_word',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('phrase', sa.Text(), nullable=False),
    sa.Column('meaning', sa.Text(), nullable=False),
    sa.Column('created_by_operator_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("environment IN ('live', 'test')", name=op.f('ck_stop_word_environment')),
    sa.CheckConstraint("meaning IN ('stop', 'resume', 'nothing')", name=op.f('ck_stop_word_meaning')),
    sa.ForeignKeyConstraint(['created_by_operator_id'], ['operator.id'], name=op.f('fk_stop_word_created_by_operator_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stop_word')),
    sa.UniqueConstraint('environment', 'phrase', name=op.f('uq_stop_word_environment_phrase'))
    )
    op.create_table('broadcast_segment',
    sa.Column('broadcast_id', sa.BigInteger(), nullable=False),
    sa.Column('segment_id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), server_default=sa.text("'to'"), nullable=False),
    sa.CheckConstraint("role IN ('to', 'minus')", name=op.f('ck_broadcast_segment_role')),
    sa.ForeignKeyConstraint(['broadcast_id', 'environment'], ['broadcast.id', 'broadcast.environment'], name=op.f('fk_broadcast_segment_broadcast_id_environment'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['segment_id', 'environment'], ['segment.id', 'segment.environment'], name=op.f('fk_broadcast_segment_segment_id_environment')),
    sa.PrimaryKeyConstraint('broadcast_id', 'segment_id', name=op.f('pk_broadcast_segment'))
    )
    op.create_index(op.f('ix_broadcast_segment_segment_id'), 'broadcast_segment', ['segment_id'], unique=False)
    op.create_table('broadcast_wording',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('broadcast_id', sa.BigInteger(), nullable=False),
    sa.Column('variant', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('language', sa.Text(), nullable=True),
    sa.Column('template_id', sa.BigInteger(), nullable=False),
    sa.Column('slots', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('frozen_template', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.ForeignKeyConstraint(['broadcast_id'], ['broadcast.id'], name=op.f('fk_broadcast_wording_broadcast_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['template_id'], ['template.id'], name=op.f('fk_broadcast_wording_template_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_broadcast_wording')),
    sa.UniqueConstraint('broadcast_id', 'variant', 'language', name=op.f('uq_broadcast_wording_broadcast_id_variant_language'), postgresql_nulls_not_distinct=True)
    )
    op.create_table('broadcast_response',
    sa.Column('broadcast_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('message_id', sa.BigInteger(), nullable=False),
    sa.Column('reply_message_id', sa.BigInteger(), nullable=True),
    sa.Column('replied_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('opted_out_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['broadcast_id', 'environment'], ['broadcast.id', 'broadcast.environment'], name=op.f('fk_broadcast_response_broadcast_id_environment'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_broadcast_response_message_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id', 'environment'], ['person.id', 'person.environment'], name=op.f('fk_broadcast_response_person_id_environment'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['reply_message_id'], ['message.id'], name=op.f('fk_broadcast_response_reply_message_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('broadcast_id', 'person_id', name=op.f('pk_broadcast_response'))
    )
    op.create_index(op.f('ix_broadcast_response_person_id'), 'broadcast_response', ['person_id'], unique=False)
    op.create_index(op.f('ix_broadcast_response_reply_message_id'), 'broadcast_response', ['reply_message_id'], unique=False)
    op.add_column('api_request', sa.Column('broadcast_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_api_request_broadcast_id'), 'api_request', 'broadcast', ['broadcast_id'], ['id'], ondelete='CASCADE')
    op.add_column('audience_person', sa.Column('wave', sa.SmallInteger(), server_default='0', nullable=False))
    op.add_column('audience_person', sa.Column('variant', sa.SmallInteger(), server_default='0', nullable=False))
    op.add_column('audience_person', sa.Column('refusal', sa.Text(), nullable=True))
    op.create_index(op.f('ix_audience_person_broadcast_id_wave_person_id'), 'audience_person', ['broadcast_id', 'wave', 'person_id'], unique=False)
    op.add_column('broadcast', sa.Column('origin', sa.Text(), server_default=sa.text("'new'"), nullable=False))
    op.add_column('broadcast', sa.Column('parent_id', sa.BigInteger(), nullable=True))
    op.add_column('broadcast', sa.Column('scheduled_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('broadcast', sa.Column('local_time', sa.DateTime(), nullable=True))
    op.add_column('broadcast', sa.Column('not_after', sa.DateTime(timezone=True), nullable=True))
    op.add_column('broadcast', sa.Column('heeds_quiet_hours', sa.Boolean(), server_default=sa.text('true'), nullable=False))
    op.add_column('broadcast', sa.Column('heeds_frequency', sa.Boolean(), server_default=sa.text('true'), nullable=False))
    op.add_column('broadcast', sa.Column('skips_gaps', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('broadcast', sa.Column('pace_per_s', sa.BigInteger(), nullable=True))
    op.add_column('broadcast', sa.Column('tier_percent', sa.SmallInteger(), nullable=True))
    op.add_column('broadcast', sa.Column('canary_percent', sa.SmallInteger(), server_default='0', nullable=False))
    op.add_column('broadcast', sa.Column('canary_minutes', sa.SmallInteger(), server_default='10', nullable=False))
    op.add_column('broadcast', sa.Column('stop_failed_percent', sa.SmallInteger(), nullable=True))
    op.add_column('broadcast', sa.Column('stop_opt_out_percent', sa.SmallInteger(), nullable=True))
    op.add_column('broadcast', sa.Column('holdout_percent', sa.SmallInteger(), server_default='0', nullable=False))
    op.add_column('broadcast', sa.Column('trial_percent', sa.SmallInteger(), server_default='0', nullable=False))
    op.add_column('broadcast', sa.Column('winner_metric', sa.Text(), nullable=True))
    op.add_column('broadcast', sa.Column('winner_minutes', sa.BigInteger(), nullable=True))
    op.add_column('broadcast', sa.Column('winner', sa.SmallInteger(), nullable=True))
    op.add_column('broadcast', sa.Column('wave', sa.SmallInteger(), server_default='0', nullable=False))
    op.add_column('broadcast', sa.Column('wave_until', sa.DateTime(timezone=True), nullable=True))
    op.add_column('broadcast', sa.Column('confirmed_people', sa.BigInteger(), nullable=True))
    op.add_column('broadcast', sa.Column('asked_by_operator_id', sa.BigInteger(), nullable=True))
    op.add_column('broadcast', sa.Column('approved_by_operator_id', sa.BigInteger(), nullable=True))
    op.create_index(op.f('ix_broadcast_parent_id'), 'broadcast', ['parent_id'], unique=False, postgresql_where=sa.text('parent_id IS NOT NULL'))
    op.create_index('ix_broadcast_scheduled', 'broadcast', ['scheduled_at'], unique=False, postgresql_where=sa.text("state = 'scheduled'"))
    op.execute("""
        INSERT INTO broadcast_segment (broadcast_id, segment_id, environment)
        SELECT id, segment_id, environment FROM broadcast
    """)
    op.execute("""
        UPDATE broadcast SET audience_frozen_at = launched_at
         WHERE audience_frozen_at IS NULL AND state IN ('running', 'finished', 'cancelled')
    """)
    _check('state', STATES)
    _check('origin', ORIGINS)
    _check('winner_metric', METRICS)
    op.drop_constraint(op.f('fk_broadcast_segment_id_environment'), 'broadcast', type_='foreignkey')
    op.create_foreign_key(op.f('fk_broadcast_approved_by_operator_id'), 'broadcast', 'operator', ['approved_by_operator_id'], ['id'])
    op.create_foreign_key(op.f('fk_broadcast_asked_by_operator_id'), 'broadcast', 'operator', ['asked_by_operator_id'], ['id'])
    op.create_foreign_key(op.f('fk_broadcast_parent_id'), 'broadcast', 'broadcast', ['parent_id'], ['id'], ondelete='SET NULL')
    op.drop_column('broadcast', 'segment_id')
    op.add_column('message', sa.Column('wording_id', sa.BigInteger(), nullable=True))
    op.add_column('message', sa.Column('quiet_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('message', 'quiet_at')
    op.drop_column('message', 'wording_id')
    op.add_column('broadcast', sa.Column('segment_id', sa.BIGINT(), nullable=True))
    op.execute("""
        UPDATE broadcast b SET segment_id = (SELECT min(s.segment_id) FROM broadcast_segment s
                                              WHERE s.broadcast_id = b.id AND s.role = 'to')
    """)
    op.alter_column('broadcast', 'segment_id', nullable=False)
    op.execute("UPDATE broadcast SET state = 'draft' WHERE state IN ('approval', 'scheduled')")
    _check('state', FORMER_STATES)
    op.drop_constraint(op.f('ck_broadcast_origin'), 'broadcast')
    op.drop_constraint(op.f('ck_broadcast_winner_metric'), 'broadcast')
    op.drop_constraint(op.f('fk_broadcast_parent_id'), 'broadcast', type_='foreignkey')
    op.drop_constraint(op.f('fk_broadcast_asked_by_operator_id'), 'broadcast', type_='foreignkey')
    op.drop_constraint(op.f('fk_broadcast_approved_by_operator_id'), 'broadcast', type_='foreignkey')
    op.create_foreign_key(op.f('fk_broadcast_segment_id_environment'), 'broadcast', 'segment', ['segment_id', 'environment'], ['id', 'environment'])
    op.drop_index('ix_broadcast_scheduled', table_name='broadcast', postgresql_where=sa.text("state = 'scheduled'"))
    op.drop_index(op.f('ix_broadcast_parent_id'), table_name='broadcast', postgresql_where=sa.text('parent_id IS NOT NULL'))
    op.drop_column('broadcast', 'approved_by_operator_id')
    op.drop_column('broadcast', 'asked_by_operator_id')
    op.drop_column('broadcast', 'confirmed_people')
    op.drop_column('broadcast', 'wave_until')
    op.drop_column('broadcast', 'wave')
    op.drop_column('broadcast', 'winner')
    op.drop_column('broadcast', 'winner_minutes')
    op.drop_column('broadcast', 'winner_metric')
    op.drop_column('broadcast', 'trial_percent')
    op.drop_column('broadcast', 'holdout_percent')
    op.drop_column('broadcast', 'stop_opt_out_percent')
    op.drop_column('broadcast', 'stop_failed_percent')
    op.drop_column('broadcast', 'canary_minutes')
    op.drop_column('broadcast', 'canary_percent')
    op.drop_column('broadcast', 'tier_percent')
    op.drop_column('broadcast', 'pace_per_s')
    op.drop_column('broadcast', 'skips_gaps')
    op.drop_column('broadcast', 'heeds_frequency')
    op.drop_column('broadcast', 'heeds_quiet_hours')
    op.drop_column('broadcast', 'not_after')
    op.drop_column('broadcast', 'local_time')
    op.drop_column('broadcast', 'scheduled_at')
    op.drop_column('broadcast', 'parent_id')
    op.drop_column('broadcast', 'origin')
    op.drop_index(op.f('ix_audience_person_broadcast_id_wave_person_id'), table_name='audience_person')
    op.drop_column('audience_person', 'refusal')
    op.drop_column('audience_person', 'variant')
    op.drop_column('audience_person', 'wave')
    op.drop_constraint(op.f('fk_api_request_broadcast_id'), 'api_request', type_='foreignkey')
    op.drop_column('api_request', 'broadcast_id')
    op.drop_index(op.f('ix_broadcast_response_reply_message_id'), table_name='broadcast_response')
    op.drop_index(op.f('ix_broadcast_response_person_id'), table_name='broadcast_response')
    op.drop_table('broadcast_response')
    op.drop_table('broadcast_wording')
    op.drop_index(op.f('ix_broadcast_segment_segment_id'), table_name='broadcast_segment')
    op.drop_table('broadcast_segment')
    op.drop_table('stop_word')
    op.drop_table('sending_policy')
    op.drop_table('stop_reply')
    op.drop_table('message_rate')
