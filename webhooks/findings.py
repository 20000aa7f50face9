"""What the database knows of a connection's webhooks, gathered for the doctor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, func, literal_column, select
from sqlalchemy.orm import Session

from bot.connections import connections
from bot.models.connection import Connection, Number
from bot.models.webhook import WebhookEvent, WebhookSighting
from bot.providers.base import Provider
from bot.providers.registry import PROVIDERS
from bot.settings import Settings
from webhooks import log, quarantine

LOOK_BACK = 5_000
"""Of a connection's newest events, searched for a message and a status."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting: the last time, how often, and its evidence."""

    at: datetime
    count: int
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Findings:
    slug: str
    provider: Provider
    account_id: str
    webhook_url: str
    is_simulated: bool
    """Its provider's API is on this machine."""
    numbers: Sequence[Number]
    sightings: Mapping[str, Seen]
    """By webhooks.sightings.Kind."""
    last_event: Row[Any, Any] | None
    """These three: id and received_at."""
    last_message: Row[Any, Any] | None
    last_status: Row[Any, Any] | None
    waiting_since: datetime | None
    """Since when the oldest of its events has not been applied."""
    reasons: Sequence[str]
    """Of what is open in the quarantine, the most frequent first."""

    @property
    def has_handshake(self) -> bool:
        return "verify_token" in self.provider.chosen_secrets


def gather(session: Session, connection: Connection, settings: Settings) -> Findings:
    """Reads a bounded number of rows, however many events there are."""
    sightings = session.scalars(select(WebhookSighting).where(WebhookSighting.connection_id == connection.id))
    waiting = select(func.min(WebhookEvent.received_at)).where(
        WebhookEvent.connection_id == connection.id, WebhookEvent.state == literal_column("'new'")
    )
    numbers = select(Number).where(Number.connection_id == connection.id).order_by(Number.id)
    return Findings(
        slug=connection.slug,
        provider=PROVIDERS[connection.provider],
        account_id=connection.account_id,
        webhook_url=connections.webhook_url(connection.slug, settings),
        is_simulated=connections.is_loopback(urlsplit(connection.base_url).hostname),
        numbers=session.scalars(numbers).all(),
        sightings={one.kind: Seen(one.at, one.count, one.detail or {}) for one in sightings},
        last_event=log.last(session, connection.id, None, 1),
        last_message=log.last(session, connection.id, "message", LOOK_BACK),
        last_status=log.last(session, connection.id, "status", LOOK_BACK),
        waiting_since=session.scalar(waiting),
        reasons=[group.reason for group in quarantine.groups(session, connection.id)],
    )
