"""templates made here

A template's history, and the template that a program asked for with an Idempotency-Key.
"""

from alembic import op
import sqlalchemy as sa
revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('template_state',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('template_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('quality', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('operator_id', sa.BigInteger(), nullable=True),
    sa.Column('token_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name=op.f('fk_template_state_operator_id')),
    sa.ForeignKeyConstraint(['template_id'], ['template.id'], name=op.f('fk_template_state_template_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['token_id'], ['api_token.id'], name=op.f('fk_template_state_token_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_template_state'))
    )
    op.create_index(op.f('ix_template_state_template_id_id'), 'template_state', ['template_id', 'id'], unique=False)
    op.add_column('api_request', sa.Column('template_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_api_request_template_id'), 'api_request', 'template', ['template_id'], ['id'], ondelete='CASCADE')
    # What is known today is where each history begins.
    op.execute("""INSERT INTO template_state (template_id, at, status, category, quality, reason, source)
                  SELECT id, updated_at, status, category, quality, reason, 'list' FROM template""")


def downgrade() -> None:
    op.drop_constraint(op.f('fk_api_request_template_id'), 'api_request', type_='foreignkey')
    op.drop_column('api_request', 'template_id')
    op.drop_table('template_state')
