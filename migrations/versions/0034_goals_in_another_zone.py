"""goals in another zone

Whose midnights a behaviour's days begin at, and from when on it counts what is stored.
"""

from alembic import op
import sqlalchemy as sa

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('behaviour', sa.Column('time_zone', sa.Text(), nullable=True))
    op.add_column('behaviour', sa.Column('since', sa.DateTime(timezone=True), nullable=True))
    # Insights' figures have the workspace's zone; if these have not, they are cut anew.
    op.execute("""
        UPDATE behaviour b
           SET time_zone = coalesce((SELECT time_zone FROM insight_generation WHERE is_current), 'UTC'),
               since = (SELECT b.created_at FROM goal g
                         WHERE g.id = b.goal_id AND NOT g.looks_back AND b.kind <> 'attribute')
    """)
    op.alter_column('behaviour', 'time_zone', nullable=False)


def downgrade() -> None:
    op.drop_column('behaviour', 'since')
    op.drop_column('behaviour', 'time_zone')
