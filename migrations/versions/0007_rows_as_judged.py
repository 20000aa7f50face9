"""rows as judged"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

KEPT_OUT = """
    INSERT INTO import_row (import_id, row, verdict, cells, comment)
    SELECT r.import_id, r.row, 'failed', r.cells, r.comment
      FROM rejected_row r JOIN import_run i ON i.id = r.import_id
     WHERE i.state NOT IN ('waiting', 'running')
"""

# What was on its way starts again with the check: taking a list in twice changes nobody the second time.
ON_THE_WAY = """
    UPDATE import_run
       SET state = 'checking', confirmed_at = created_at, next_row = 0, total = NULL, lease_until = NULL,
           created = 0, updated = 0, unchanged = 0, failed = 0
     WHERE state IN ('waiting', 'running')
"""


def upgrade() -> None:
    op.add_column('import_run', sa.Column('undone', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.execute(KEPT_OUT)
    op.execute(ON_THE_WAY)
    op.drop_table('rejected_row')


def downgrade() -> None:
    op.create_table('rejected_row',
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('row', sa.BigInteger(), nullable=False),
    sa.Column('cells', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['import_run.id'], name=op.f('fk_rejected_row_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', 'row', name=op.f('pk_rejected_row'))
    )
    op.execute("""
        INSERT INTO rejected_row (import_id, row, cells, comment)
        SELECT import_id, row, cells, comment FROM import_row WHERE verdict = 'failed'
    """)
    op.drop_column('import_run', 'undone')
