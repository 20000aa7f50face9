"""events in raw data

What programs told of people and is gone, for exports of what changed.
"""

from alembic import op

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TRIGGER keep_row_gone AFTER DELETE ON person_event REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION keep_row_gone('person_events', 'id', '')
    """)


def downgrade() -> None:
    op.execute('DROP TRIGGER keep_row_gone ON person_event')
