"""known at the provider"""

from alembic import op
import sqlalchemy as sa

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operator", sa.Column("oidc_issuer", sa.Text(), nullable=True))
    op.add_column("operator", sa.Column("oidc_subject", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_operator_oidc_whole"), "operator", "(oidc_issuer IS NULL) = (oidc_subject IS NULL)"
    )
    op.create_unique_constraint(
        op.f("uq_operator_oidc_issuer_oidc_subject"), "operator", ["oidc_issuer", "oidc_subject"]
    )


def downgrade() -> None:
    op.drop_constraint(op.f("uq_operator_oidc_issuer_oidc_subject"), "operator", type_="unique")
    op.drop_constraint(op.f("ck_operator_oidc_whole"), "operator", type_="check")
    op.drop_column("operator", "oidc_subject")
    op.drop_column("operator", "oidc_issuer")
