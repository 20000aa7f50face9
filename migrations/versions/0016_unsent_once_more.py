"""unsent once more"""

from alembic import op
import sqlalchemy as sa
revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('broadcast', sa.Column('resends_unsent', sa.Boolean(), server_default=sa.text('false'), nullable=False))


def downgrade() -> None:
    op.drop_column('broadcast', 'resends_unsent')
