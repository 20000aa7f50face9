"""People who moved to another phone number or user id: the new address becomes theirs, the old one stays in history.

If somebody else is known by the new address, the two are one person and become one.
"""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.people import identify, keys, merge
from bot.providers.events import IdentityChange, Sender

_REASON = "WhatsApp told that this person moved to another phone number or user id"

_MOVED = text("""
    UPDATE address SET moved_at = :at
     WHERE person_id = :person_id AND kind = :kind AND value = :value AND (moved_at IS NULL OR moved_at < :at)
""")

# The address stored last is the one that is dialled: the one that was moved to last becomes it, whenever we hear of it.
_USE = text("""
    WITH theirs AS (SELECT id, moved_at FROM address WHERE person_id = :person_id AND kind = :kind),
    latest AS (SELECT id FROM theirs WHERE moved_at IS NOT NULL ORDER BY moved_at DESC, id DESC LIMIT 1)
    UPDATE address a SET id = nextval(pg_get_serial_sequence('address', 'id'))
      FROM latest WHERE a.id = latest.id AND a.id < (SELECT max(id) FROM theirs)
""")

_REDIRECT = text("""
    WITH theirs AS (SELECT id, coalesce(dial, value) AS dial FROM address WHERE person_id = :person_id AND kind = :kind)
    UPDATE message SET to_address = (SELECT dial FROM theirs ORDER BY id DESC LIMIT 1)
     WHERE person_id = :person_id AND state = 'queued' AND to_address IN (SELECT dial FROM theirs)
""")


def follow(session: Session, environment: str, change: IdentityChange) -> int:
    """Give the person the new address, and let what waits to be sent follow them; their id. Repeats change nothing."""
    shown = [change.sender, *arrived_as(change)]
    known = [person_id for person_id in identify.find(session, environment, shown) if person_id is not None]
    if known:
        person_id = merge.merge(session, known, _REASON)
    else:
        [person_id] = identify.find_or_create(session, environment, [change.sender])
    identify.attach(session, environment, person_id, shown)
    for sender in arrived_as(change):
        for kind, value in keys.shown_by(sender):
            given = {"person_id": person_id, "kind": kind, "value": value, "at": change.occurred_at}
            for step in (_MOVED, _USE, _REDIRECT):
                session.execute(step, given)
    return person_id


def arrived_as(change: IdentityChange) -> Iterator[Sender]:
    """Each new address apart, for they may be two people's."""
    if change.new_phone:
        yield Sender(phone=change.new_phone)
    if change.new_user_id:
        yield Sender(user_id=change.new_user_id)
