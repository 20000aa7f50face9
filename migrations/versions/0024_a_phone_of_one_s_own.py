"""a phone of one's own"""

from alembic import op
import sqlalchemy as sa

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('operator', sa.Column('phone', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('operator', 'phone')
