"""a team to trust

Existing tokens keep every scope: NULL means all of them.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

ROLE_OR_SET = '(role IS NULL) <> (permission_set_id IS NULL)'
ROLES = "role IN ('admin', 'coach', 'marketer', 'viewer')"


def upgrade() -> None:
    op.create_table('permission_set',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('permissions', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_permission_set')),
    sa.UniqueConstraint('name', name=op.f('uq_permission_set_name'))
    )
    op.alter_column('operator', 'role', existing_type=sa.TEXT(), nullable=True)
    op.add_column('operator', sa.Column('permission_set_id', sa.BigInteger(), nullable=True))
    op.add_column('operator', sa.Column('sealed_factor', sa.LargeBinary(), nullable=True))
    op.add_column('operator', sa.Column('factor_step', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_operator_permission_set_id'), 'operator', 'permission_set', ['permission_set_id'], ['id'])
    op.drop_constraint(op.f('ck_operator_role'), 'operator', type_='check')
    op.create_check_constraint(op.f('ck_operator_role'), 'operator', ROLES)
    op.create_check_constraint(op.f('ck_operator_role_or_set'), 'operator', ROLE_OR_SET)
    op.create_table('recovery_code',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('operator_id', sa.BigInteger(), nullable=False),
    sa.Column('code_hash', sa.LargeBinary(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name=op.f('fk_recovery_code_operator_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_code')),
    sa.UniqueConstraint('operator_id', 'code_hash', name=op.f('uq_recovery_code_operator_id_code_hash'))
    )
    op.create_table('team_policy',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('requires_factor', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_team_policy_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_team_policy'))
    )
    op.create_table('invitation',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('secret_hash', sa.LargeBinary(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=True),
    sa.Column('permission_set_id', sa.BigInteger(), nullable=True),
    sa.Column('invited_by_operator_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint(ROLES, name=op.f('ck_invitation_role')),
    sa.CheckConstraint(ROLE_OR_SET, name=op.f('ck_invitation_role_or_set')),
    sa.ForeignKeyConstraint(['invited_by_operator_id'], ['operator.id'], name=op.f('fk_invitation_invited_by_operator_id')),
    sa.ForeignKeyConstraint(['permission_set_id'], ['permission_set.id'], name=op.f('fk_invitation_permission_set_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_invitation_secret_hash'))
    )
    op.create_index('uq_invitation_open_email', 'invitation', ['email'], unique=True, postgresql_where=sa.text('accepted_at IS NULL AND revoked_at IS NULL'))
    op.create_table('password_reset',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('secret_hash', sa.LargeBinary(), nullable=False),
    sa.Column('operator_id', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name=op.f('fk_password_reset_operator_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_password_reset')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_password_reset_secret_hash'))
    )
    op.add_column('sign_in', sa.Column('awaits_factor', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('sign_in', sa.Column('browser', sa.Text(), server_default='', nullable=False))
    op.add_column('sign_in', sa.Column('address', sa.Text(), server_default='', nullable=False))
    op.add_column('api_token', sa.Column('former_hash', sa.LargeBinary(), nullable=True))
    op.add_column('api_token', sa.Column('former_until', sa.DateTime(timezone=True), nullable=True))
    op.add_column('api_token', sa.Column('scopes', sa.ARRAY(sa.Text()), nullable=True))
    op.add_column('api_token', sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True))
    op.create_unique_constraint(op.f('uq_api_token_former_hash'), 'api_token', ['former_hash'])
    op.create_table('audit_entry',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('operator_id', sa.BigInteger(), nullable=True),
    sa.Column('token_id', sa.BigInteger(), nullable=True),
    sa.Column('address', sa.Text(), nullable=True),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('before', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('after', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name=op.f('fk_audit_entry_operator_id')),
    sa.ForeignKeyConstraint(['token_id'], ['api_token.id'], name=op.f('fk_audit_entry_token_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    op.create_index(op.f('ix_audit_entry_at'), 'audit_entry', ['at'], unique=False)
    op.create_index(op.f('ix_audit_entry_operator_id_id'), 'audit_entry', ['operator_id', 'id'], unique=False)
    op.create_index(op.f('ix_audit_entry_subject_id'), 'audit_entry', ['subject', 'id'], unique=False)
    op.execute("""
        CREATE FUNCTION keep_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'integrity_constraint_violation';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER keep_audit_entry BEFORE UPDATE OR DELETE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entry()
    """)


def downgrade() -> None:
    op.drop_table('audit_entry')
    op.execute('DROP FUNCTION keep_audit_entry()')
    op.drop_constraint(op.f('uq_api_token_former_hash'), 'api_token', type_='unique')
    for column in ('expires_at', 'scopes', 'former_until', 'former_hash'):
        op.drop_column('api_token', column)
    for column in ('address', 'browser', 'awaits_factor'):
        op.drop_column('sign_in', column)
    op.drop_table('password_reset')
    op.drop_table('invitation')
    op.drop_table('team_policy')
    op.drop_table('recovery_code')
    op.execute("UPDATE operator SET role = 'coach', active = false WHERE role IS NULL OR role = 'viewer'")
    op.drop_constraint(op.f('ck_operator_role_or_set'), 'operator', type_='check')
    op.drop_constraint(op.f('ck_operator_role'), 'operator', type_='check')
    op.create_check_constraint(op.f('ck_operator_role'), 'operator', "role IN ('admin', 'coach', 'marketer')")
    op.drop_constraint(op.f('fk_operator_permission_set_id'), 'operator', type_='foreignkey')
    for column in ('factor_step', 'sealed_factor', 'permission_set_id'):
        op.drop_column('operator', column)
    op.alter_column('operator', 'role', existing_type=sa.TEXT(), nullable=False)
    op.drop_table('permission_set')
