"""A new BACKCHAT_SECRET_KEY: what was sealed with a former one is sealed with it, all of it or nothing."""

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.connections.secrets import SealError, open_sealed, seal
from bot.models.connection import Connection


class ResealError(ValueError):
    """A connection was sealed with none of the keys given; the text names it."""


def reseal(session: Session, secret_key: str, former: Sequence[str]) -> list[str]:
    """Slugs of connections that were sealed with one of the `former` keys; those under the present key stay."""
    resealed = []
    for connection in session.scalars(select(Connection).order_by(Connection.id).with_for_update()):
        kept = (connection.sealed_secrets, connection.sealed_former)
        opened = [sealed and _open(connection, sealed, (secret_key, *former)) for sealed in kept]
        if any(is_former for _, is_former in filter(None, opened)):
            secrets, replaced = (one and seal(secret_key, one[0]) for one in opened)
            connection.sealed_secrets, connection.sealed_former = secrets or b"", replaced or None
            resealed.append(connection.slug)
    session.flush()
    return resealed


def _open(connection: Connection, sealed: bytes, keys: Sequence[str]) -> tuple[dict[str, str], bool]:
    """The secrets, and whether another key than the first opened them."""
    for place, key in enumerate(keys):
        with suppress(SealError):
            return open_sealed(key, sealed), place > 0
    raise ResealError(
        f"The secrets of {connection.slug} were sealed with none of these keys: "
        "put the one they were added with among BACKCHAT_FORMER_SECRET_KEYS, with commas between."
    )
