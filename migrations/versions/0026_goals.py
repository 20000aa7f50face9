"""goals

What people are hoped to do, the behaviours that tell of it, who did which on which day, and what programs tell.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('goal',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('looks_back', sa.Boolean(), nullable=False),
    sa.Column('created_by_operator_id', sa.BigInteger(), nullable=True),
    sa.Column('created_by_token_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("environment IN ('live', 'test')", name=op.f('ck_goal_environment')),
    sa.ForeignKeyConstraint(['created_by_operator_id'], ['operator.id'], name=op.f('fk_goal_created_by_operator_id')),
    sa.ForeignKeyConstraint(['created_by_token_id', 'environment'], ['api_token.id', 'api_token.environment'], name=op.f('fk_goal_created_by_token_id_environment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_goal')),
    sa.UniqueConstraint('environment', 'name', name=op.f('uq_goal_environment_name')),
    sa.UniqueConstraint('id', 'environment', name=op.f('uq_goal_id_environment'))
    )
    op.create_table('behaviour',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('goal_id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('condition', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('made_in', sa.BigInteger(), nullable=False),
    sa.Column('looked_to', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('look_to', sa.BigInteger(), nullable=True),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("role IN ('start', 'way', 'completion')", name=op.f('ck_behaviour_role')),
    sa.CheckConstraint("kind IN ('attribute', 'step', 'keyword', 'event', 'link')", name=op.f('ck_behaviour_kind')),
    sa.ForeignKeyConstraint(['goal_id', 'environment'], ['goal.id', 'goal.environment'], name=op.f('fk_behaviour_goal_id_environment'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_behaviour'))
    )
    op.create_index(op.f('ix_behaviour_goal_id'), 'behaviour', ['goal_id'])
    op.create_index('ix_behaviour_unlooked', 'behaviour', ['id'], postgresql_where=sa.text('looked_at IS NULL'))
    op.create_table('behaviour_day',
    sa.Column('behaviour_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('number_id', sa.BigInteger(), nullable=True),
    sa.Column('author_kind', sa.Text(), nullable=False),
    sa.Column('author_id', sa.BigInteger(), nullable=False),
    sa.Column('author_step', sa.SmallInteger(), nullable=True),
    sa.Column('after_message_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['behaviour_id'], ['behaviour.id'], name=op.f('fk_behaviour_day_behaviour_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id', 'environment'], ['person.id', 'person.environment'], name=op.f('fk_behaviour_day_person_id_environment'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('behaviour_id', 'person_id', 'day', name=op.f('pk_behaviour_day'))
    )
    op.create_index(op.f('ix_behaviour_day_person_id'), 'behaviour_day', ['person_id'])
    op.create_index(op.f('ix_behaviour_day_behaviour_id_day'), 'behaviour_day', ['behaviour_id', 'day'])
    op.create_table('person_event',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attributes', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('key', sa.Text(), nullable=True),
    sa.Column('token_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['person_id', 'environment'], ['person.id', 'person.environment'], name=op.f('fk_person_event_person_id_environment'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['token_id', 'environment'], ['api_token.id', 'api_token.environment'], name=op.f('fk_person_event_token_id_environment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person_event')),
    sa.UniqueConstraint('environment', 'person_id', 'name', 'key', name=op.f('uq_person_event_environment_person_id_name_key'))
    )
    op.create_index(op.f('ix_person_event_person_id_at'), 'person_event', ['person_id', 'at'])


def downgrade() -> None:
    for table in ('person_event', 'behaviour_day', 'behaviour', 'goal'):
        op.drop_table(table)
