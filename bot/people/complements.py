"""Two people who are one, since a message showed the phone of the one and the user id of the other.

A user id belongs to one phone number for as long as it lives (Meta, "Business-scoped user IDs"). That proves it as long
as they contradict each other in nothing: a phone whose owner has another user id was given to somebody else.
"""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.people import merge

_REASON = "one message showed the phone number of the one and the user id of the other"

_COMPLEMENTS = text("""
    SELECT k.by_phone, k.by_id
      FROM unnest(CAST(:by_phone AS bigint[]), CAST(:by_id AS bigint[])) AS k(by_phone, by_id)
     WHERE NOT EXISTS (SELECT FROM address a WHERE a.person_id = k.by_phone AND a.kind = 'user_id')
       AND NOT EXISTS (SELECT FROM address a WHERE a.person_id = k.by_id AND a.kind = 'phone')
     ORDER BY k.by_phone, k.by_id
""")


def unite(session: Session, pairs: Collection[tuple[int, int]]) -> bool:
    """Make one of each (known by phone, known by user id) that fit; whether any did. The caller holds their locks."""
    if not pairs:
        return False
    by_phone, by_id = zip(*sorted(pairs), strict=True)
    met: set[int] = set()
    for pair in session.execute(_COMPLEMENTS, {"by_phone": list(by_phone), "by_id": list(by_id)}).all():
        if met.isdisjoint(pair):  # where several claim the same phone or user id, the first
            merge.merge(session, pair, _REASON)
            met |= set(pair)
    return bool(met)
