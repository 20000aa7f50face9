"""people who leave

Each row that refers to a person is looked for when the person goes, as in an undo of many.
"""

from alembic import op
revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

TABLES = ('message_change', 'reaction', 'journey_run', 'reminder')


def upgrade() -> None:
    for table in TABLES:
        op.create_index(op.f(f'ix_{table}_person_id'), table, ['person_id'])


def downgrade() -> None:
    for table in TABLES:
        op.drop_index(op.f(f'ix_{table}_person_id'), table_name=table)
