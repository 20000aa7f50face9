"""the listing"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

BEFORE = """
    to_tsvector('simple'::regconfig, coalesce(distinct_id, '') || ' ' || coalesce(nickname, '') || ' '
        || coalesce(first_name, '') || ' ' || coalesce(last_name, ''))
    || jsonb_to_tsvector('simple'::regconfig, attributes, '["string", "numeric"]'::jsonb)
"""

_NAMES = (
    "distinct_id || ' ' || coalesce(nickname, '') || ' ' || coalesce(first_name, '') || ' ' || coalesce(last_name, '')"
)
_VALUES = """jsonb_path_query_array(attributes, 'strict $.** ? (@.type() == "string" || @.type() == "number")')::text"""


def _spaced(sql: str, *signs: str) -> str:
    for sign in signs:
        sql = f"replace({sql}, '{sign}', ' ')"
    return sql


_WHOLE = _spaced(f"lower({_NAMES} || ' ' || {_VALUES})", "\\n", '"', ",", "[", "]", "(", ")")
_PARTS = f"translate(lower(left({_NAMES}, 400)), E'-_./@:+\\t\\n\\r', '          ')"

WORDS = f"""
    array_to_tsvector(array_remove(string_to_array(
        CASE WHEN octet_length({_NAMES}) + octet_length(attributes::text) < 2000 THEN {_WHOLE}
             ELSE regexp_replace(left({_WHOLE}, 50000), '(\\S{{200}})\\S+', '\\1', 'g') END
        || ' ' || {_PARTS}, ' '), ''))
"""
_FULL = "btrim((coalesce(first_name, '') || ' ') || coalesce(last_name, ''))"
NAME = f"left(lower(coalesce(nullif({_FULL}, ''), nickname, '')), 200)"
COUNTRY = "coalesce(country, '')"


def upgrade() -> None:
    op.drop_column('person', 'search')
    op.add_column('person', sa.Column('search', postgresql.TSVECTOR(), sa.Computed(WORDS, persisted=True), nullable=True))
    op.create_index(op.f('ix_person_search'), 'person', ['search'], unique=False, postgresql_using='gin')
    op.create_index('ix_person_name', 'person', ['environment', sa.text(NAME), 'id'], unique=False)
    op.create_index('ix_person_country', 'person', ['environment', sa.text(COUNTRY), 'id'], unique=False)
    op.create_index(op.f('ix_person_environment_created_at_id'), 'person', ['environment', 'created_at', 'id'], unique=False)
    op.create_index(op.f('ix_person_environment_updated_at_id'), 'person', ['environment', 'updated_at', 'id'], unique=False)
    op.create_index('ix_person_disabled', 'person', ['environment', 'created_at', 'id'], unique=False, postgresql_where=sa.text('NOT enabled'))
    op.create_index('ix_address_beginning', 'address', ['environment', 'value'], unique=False, postgresql_ops={'value': 'text_pattern_ops'})


def downgrade() -> None:
    op.drop_index('ix_address_beginning', table_name='address')
    for name in ('ix_person_disabled', op.f('ix_person_environment_updated_at_id'), op.f('ix_person_environment_created_at_id'), 'ix_person_country', 'ix_person_name'):
        op.drop_index(name, table_name='person')
    op.drop_column('person', 'search')
    op.add_column('person', sa.Column('search', postgresql.TSVECTOR(), sa.Computed(BEFORE, persisted=True), nullable=True))
    op.create_index(op.f('ix_person_search'), 'person', ['search'], unique=False, postgresql_using='gin')
