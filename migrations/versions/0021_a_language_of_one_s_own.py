"""a language of one's own"""

from alembic import op
import sqlalchemy as sa

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('operator', sa.Column('language', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('operator', 'language')
