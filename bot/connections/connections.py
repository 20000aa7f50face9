import ipaddress
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.connections.secrets import open_former, open_sealed, seal
from bot.models.connection import Connection
from bot.providers.base import Account, Provider
from bot.providers.registry import PROVIDERS
from bot.settings import Settings

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


class ConnectionFieldError(ValueError):
    """A connection cannot be added; the text says which field is wrong and what would be right."""


def add(
    session: Session,
    secret_key: str,
    *,
    slug: str,
    provider: str,
    account_id: str,
    base_url: str,
    secrets: Mapping[str, str],
) -> Connection:
    """Add an account at a provider; `secrets` must be exactly those the provider names, none of them empty."""
    _check_slug(slug)
    _check_secrets(provider_named(provider), secrets)
    if not account_id.strip():
        raise ConnectionFieldError("The account id is empty: give the one the provider shows for this account.")
    found: Connection | None = session.scalar(
        insert(Connection)
        .values(
            slug=slug,
            provider=provider,
            account_id=account_id.strip(),
            base_url=_checked_url(base_url),
            sealed_secrets=seal(secret_key, secrets),
        )
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(Connection)
    )
    if found is None:
        raise ConnectionFieldError(f"There is already a connection {slug}: choose another slug.")
    return found


def by_slug(session: Session, slug: str) -> Connection | None:
    return session.scalar(select(Connection).where(Connection.slug == slug))


def every(session: Session) -> Sequence[Connection]:
    return session.scalars(select(Connection).order_by(Connection.slug)).all()


def named(session: Session, slug: str) -> Connection:
    """The connection of that slug; raises ConnectionFieldError, which names those there are."""
    found = by_slug(session, slug)
    if found is None:
        known = ", ".join(session.scalars(select(Connection.slug).order_by(Connection.slug))) or "none yet"
        raise ConnectionFieldError(f"There is no connection {slug}: {known}.")
    return found


def account_of(connection: Connection, settings: Settings) -> Account:
    """The connection as its provider needs it; raises SealError."""
    former = open_former(settings.secret_key, connection.sealed_former, datetime.now(UTC))
    return Account(
        connection.base_url,
        connection.account_id,
        open_sealed(settings.secret_key, connection.sealed_secrets),
        former={name: one.value for name, one in former.items()},
        webhook_url=webhook_url(connection.slug, settings),
    )


def webhook_url(slug: str, settings: Settings) -> str:
    """The address to paste at the provider."""
    return f"{settings.base_url}/webhooks/{slug}"


def provider_named(name: str) -> Provider:
    if name not in PROVIDERS:
        raise ConnectionFieldError(f"There is no provider {name!r}: choose one of {', '.join(sorted(PROVIDERS))}.")
    return PROVIDERS[name]


def _check_slug(slug: str) -> None:
    if not SLUG.fullmatch(slug):
        raise ConnectionFieldError(
            f"The slug {slug!r} cannot be part of an address: use a-z, 0-9 and hyphens within, at most 64 characters."
        )


def _check_secrets(provider: Provider, secrets: Mapping[str, str]) -> None:
    missing = [name for name in provider.secret_names if not secrets.get(name)]
    if missing:
        raise ConnectionFieldError(f"The provider {provider.name} also needs: {', '.join(missing)}.")
    check_known(provider, secrets)


def check_known(provider: Provider, secrets: Mapping[str, str]) -> None:
    """Refuse a secret that the provider does not have, or that could not travel in a header."""
    unknown = sorted(set(secrets) - set(provider.secret_names))
    if unknown:
        raise ConnectionFieldError(
            f"The provider {provider.name} has no secret {', '.join(unknown)}: give {', '.join(provider.secret_names)}."
        )
    for name, value in secrets.items():
        if not value:
            raise ConnectionFieldError(f"The secret {name} is empty.")
        if not (value.isascii() and value.isprintable()) or value != value.strip():
            # It goes into an HTTP header: anything else would break the request or be a header of its own.
            raise ConnectionFieldError(f"The secret {name} holds a space, a line break or another odd character.")


def _checked_url(base_url: str) -> str:
    """Without its last slash; https, because a token travels along, and http on this machine alone."""
    try:
        parts = urlsplit(base_url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or parts.username:
        raise ConnectionFieldError(
            f"The base URL {base_url!r} is not one: give the provider's, such as https://graph.facebook.com/v25.0."
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise ConnectionFieldError("The base URL must be https:// because secrets travel there (http:// on loopback).")
    return base_url.rstrip("/")


def is_loopback(host: str | None) -> bool:
    """Whether the host of an address is this machine, as a simulator's is."""
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
