"""quicker lists

Who made a person is said by the person, not by a row of the journal beside each, and a staged row has no foreign key.
"""

from alembic import op
import sqlalchemy as sa
revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('person', sa.Column('import_id', sa.BigInteger(), nullable=True))
    op.execute("""
        UPDATE person p SET import_id = c.import_id
          FROM import_change c WHERE c.person_id = p.id AND c.is_created AND p.erased_at IS NULL
    """)
    op.execute('DELETE FROM import_change WHERE is_created')
    op.drop_column('import_change', 'is_created')
    op.create_index(op.f('ix_person_import_id'), 'person', ['import_id'], unique=False, postgresql_where=sa.text('import_id IS NOT NULL'))
    op.create_foreign_key(op.f('fk_person_import_id_environment'), 'person', 'import_run', ['import_id', 'environment'], ['id', 'environment'])
    op.drop_constraint(op.f('fk_import_row_import_id'), 'import_row', type_='foreignkey')


def downgrade() -> None:
    op.execute('DELETE FROM import_row r WHERE NOT EXISTS (SELECT FROM import_run WHERE id = r.import_id)')
    op.create_foreign_key(op.f('fk_import_row_import_id'), 'import_row', 'import_run', ['import_id'], ['id'], ondelete='CASCADE')
    op.add_column('import_change', sa.Column('is_created', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.alter_column('import_change', 'is_created', server_default=None)
    op.execute("""
        INSERT INTO import_change (import_id, person_id, environment, is_created, has_joined)
        SELECT import_id, id, environment, true, true FROM person WHERE import_id IS NOT NULL
            ON CONFLICT (import_id, person_id) DO UPDATE SET is_created = true, before = NULL, after = NULL
    """)
    op.drop_constraint(op.f('fk_person_import_id_environment'), 'person', type_='foreignkey')
    op.drop_index(op.f('ix_person_import_id'), table_name='person', postgresql_where=sa.text('import_id IS NOT NULL'))
    op.drop_column('person', 'import_id')
