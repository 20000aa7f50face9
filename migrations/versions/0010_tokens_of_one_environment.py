"""tokens of one environment"""

from alembic import op
revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

HELD = (
    ('message', 'token_id', 'api_token'),
    ('broadcast', 'launched_by_token_id', 'api_token'),
    ('import_run', 'created_by_token_id', 'api_token'),
    ('segment', 'created_by_token_id', 'api_token'),
    ('preference', 'token_id', 'api_token'),
    ('consent_event', 'token_id', 'api_token'),
    ('erasure', 'token_id', 'api_token'),
    ('reaction', 'number_id', 'number'),
)


def upgrade() -> None:
    for table, column, referred in HELD:
        op.drop_constraint(op.f(f'fk_{table}_{column}'), table, type_='foreignkey')
        op.create_foreign_key(op.f(f'fk_{table}_{column}_environment'), table, referred, [column, 'environment'], ['id', 'environment'])


def downgrade() -> None:
    for table, column, referred in HELD:
        op.drop_constraint(op.f(f'fk_{table}_{column}_environment'), table, type_='foreignkey')
        op.create_foreign_key(op.f(f'fk_{table}_{column}'), table, referred, [column], ['id'])
