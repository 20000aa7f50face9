"""When a rule's people were written down."""

from alembic import op
import sqlalchemy as sa
revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('broadcast', sa.Column('audience_frozen_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('broadcast', 'audience_frozen_at')
