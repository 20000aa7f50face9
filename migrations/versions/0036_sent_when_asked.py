"""sent when asked

BigQuery at once, and what is in the way as a code, so that a page says it in its reader's language.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('bigquery_run', sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('bigquery_run', sa.Column('problem', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.drop_column('bigquery_run', 'error')


def downgrade() -> None:
    op.add_column('bigquery_run', sa.Column('error', sa.Text(), nullable=True))
    op.drop_column('bigquery_run', 'problem')
    op.drop_column('bigquery_run', 'asked_at')
