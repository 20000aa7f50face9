"""Replacing a connection's secrets: for a while the provider may still prove itself with the ones before."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from bot.connections import connections
from bot.connections.secrets import Former, open_former, open_sealed, seal, seal_former
from bot.models.connection import Connection


def replace(
    session: Session, secret_key: str, connection: Connection, secrets: Mapping[str, str], keep_for: timedelta
) -> dict[str, Former]:
    """Set these secrets and leave the others; what is still accepted beside the present ones, by name.

    Of a secret that is replaced twice within `keep_for` only the last one before stays accepted.
    """
    connections.check_known(connections.provider_named(connection.provider), secrets)
    session.refresh(connection, with_for_update=True)
    now = datetime.now(UTC)
    present = open_sealed(secret_key, connection.sealed_secrets)
    former = open_former(secret_key, connection.sealed_former, now)
    for name, value in secrets.items():
        if name in present and present[name] != value:
            former[name] = Former(present[name], now + keep_for)
    connection.sealed_secrets = seal(secret_key, {**present, **secrets})
    connection.sealed_former = seal_former(secret_key, former)
    session.flush()
    return {name: one for name, one in former.items() if one.until > now}


def drop_former(session: Session, connection: Connection) -> None:
    """From now on only the present secrets are accepted; every web process knows within seconds."""
    connection.sealed_former = None
    session.flush()
