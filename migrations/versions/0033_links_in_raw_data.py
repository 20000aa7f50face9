"""links in raw data

Clicks that are gone, for exports of what changed.
"""

from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TRIGGER keep_row_gone AFTER DELETE ON link_click REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION keep_row_gone('link_clicks', 'id', '')
    """)


def downgrade() -> None:
    op.execute('DROP TRIGGER keep_row_gone ON link_click')
