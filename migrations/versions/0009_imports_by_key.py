"""imports by key"""

from alembic import op
import sqlalchemy as sa
revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('api_request', sa.Column('import_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_api_request_import_id'), 'api_request', 'import_run', ['import_id'], ['id'], ondelete='CASCADE')


def downgrade() -> None:
    op.drop_constraint(op.f('fk_api_request_import_id'), 'api_request', type_='foreignkey')
    op.drop_column('api_request', 'import_id')
