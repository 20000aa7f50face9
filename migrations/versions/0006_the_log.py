"""The log of sends: those of Test, which are few among those of Live.

Revision ID: 0006
Revises: 0005
"""
from alembic import op
import sqlalchemy as sa

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_message_test', 'message', ['id'], unique=False, postgresql_where=sa.text("environment = 'test' AND direction = 'out'"))


def downgrade() -> None:
    op.drop_index('ix_message_test', table_name='message', postgresql_where=sa.text("environment = 'test' AND direction = 'out'"))
