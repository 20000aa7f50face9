"""tracked links

Addresses of ours that know whom they were sent to, and each time one was followed.
"""

from alembic import op
import sqlalchemy as sa

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('tracked_link',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('created_by_operator_id', sa.BigInteger(), nullable=True),
    sa.Column('created_by_token_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("environment IN ('live', 'test')", name=op.f('ck_tracked_link_environment')),
    sa.ForeignKeyConstraint(['created_by_operator_id'], ['operator.id'], name=op.f('fk_tracked_link_created_by_operator_id')),
    sa.ForeignKeyConstraint(['created_by_token_id', 'environment'], ['api_token.id', 'api_token.environment'], name=op.f('fk_tracked_link_created_by_token_id_environment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tracked_link')),
    sa.UniqueConstraint('environment', 'name', name=op.f('uq_tracked_link_environment_name')),
    sa.UniqueConstraint('id', 'environment', name=op.f('uq_tracked_link_id_environment'))
    )
    op.create_table('link_click',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('link_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('is_preview', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['link_id', 'environment'], ['tracked_link.id', 'tracked_link.environment'], name=op.f('fk_link_click_link_id_environment')),
    sa.ForeignKeyConstraint(['person_id', 'environment'], ['person.id', 'person.environment'], name=op.f('fk_link_click_person_id_environment'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_link_click'))
    )
    op.create_index(op.f('ix_link_click_link_id'), 'link_click', ['link_id'])
    op.create_index(op.f('ix_link_click_person_id'), 'link_click', ['person_id'])


def downgrade() -> None:
    op.drop_table('link_click')
    op.drop_table('tracked_link')
