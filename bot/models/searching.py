"""What the listing searches and sorts by, as SQL: columns, indexes and queries have to say it in the same words."""

_NAMES = (
    "distinct_id || ' ' || coalesce(nickname, '') || ' ' || coalesce(first_name, '') || ' ' || coalesce(last_name, '')"
)
_VALUES = """jsonb_path_query_array(attributes, 'strict $.** ? (@.type() == "string" || @.type() == "number")')::text"""


def _spaced(sql: str, *signs: str) -> str:
    """Nested, as `translate` takes five times as long."""
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
"""Words as they stand, so that the beginning of an id such as user_1.a-b finds it, and the parts of names besides.

A word of more than 2,046 bytes would break the column: only long rows can have one, and they pay for its cutting.
"""

_FULL = "btrim((coalesce(first_name, '') || ' ') || coalesce(last_name, ''))"
NAME = f"left(lower(coalesce(nullif({_FULL}, ''), nickname, '')), 200)"
COUNTRY = "coalesce(country, '')"
