"""The contract every provider keeps, and the small closed set of things it may report.

A provider is pure on the way in (bytes → events) and describes its HTTP on the way out; it sees no database and no RQ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Account:
    """A connection with its secrets opened, as a provider needs it; never logged."""

    base_url: str
    account_id: str
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a webhook says somebody is; at least one of `phone` (digits as received) and `user_id` is there."""

    phone: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    name: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    pointer: str
    """JSON pointer to the item within the body, for the quarantine."""
    number_id: str
    """The provider's id of the business number."""
    message_id: str
    sender: Sender
    kind: str
    body: str | None
    """What a person would read; for a tap, the button's title."""
    content: dict[str, Any]
    occurred_at: datetime
    reply_to: str | None = None
    choice: str | None = None
    """The id of the tapped button or list row."""


@dataclass(frozen=True, slots=True)
class ReactionChange:
    """`emoji` is None when the reaction was taken back."""

    pointer: str
    number_id: str
    message_id: str
    sender: Sender
    target: str
    emoji: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """The person moved to another phone number or user id; the old one is in `sender`."""

    pointer: str
    number_id: str
    message_id: str
    sender: Sender
    new_phone: str | None
    new_user_id: str | None
    body: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    pointer: str
    number_id: str
    message_id: str
    status: str
    """sent, delivered, read, played, failed, or a word we do not know."""
    occurred_at: datetime
    callback: str | None = None
    recipient: str | None = None
    error_code: int | None = None
    error_text: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Anything about the account or of an unknown field: kept with the raw event, and counted."""

    pointer: str
    field: str
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item that is not what the documentation says; goes to the quarantine, its neighbours do not."""

    pointer: str
    reason: str
    item: dict[str, Any] | None = None


Event = InboundMessage | ReactionChange | IdentityChange | StatusUpdate | Notice | Unreadable


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """What to send: `content` is the provider-neutral body {"type": …, "<type>": {…}} in the Cloud API's own shape."""

    to: str
    """+E.164, digits as received, or a business-scoped user id."""
    content: dict[str, Any]
    callback: str
    """Comes back in statuses: `o1.<message id>.<attempt>`."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Action(StrEnum):
    """What an error means for the outbox (the provider's code tables say which code is which)."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    """Refused for now, certainly not sent: again after a while, a few times."""
    UNREACHABLE = "unreachable"
    """Nobody took the connection, so nothing left: again after a while, however long it lasts."""
    THROTTLE = "throttle"
    """The number is too fast: again soon, slower."""
    PAIR = "pair"
    """This recipient only, again after 4^n seconds."""
    FAIL = "fail"
    """Never for this recipient."""
    OPTED_OUT = "opted_out"
    """Never, and the person wants no marketing."""
    COOL_DOWN = "cool_down"
    """The person has had enough for now: fails here, not again for 24 hours."""
    STOP_BROADCAST = "stop_broadcast"
    """The template is broken: this message fails and its broadcast pauses."""
    STOP_NUMBER = "stop_number"
    """Credentials, payment or account: nothing of this number can go; the message waits, broadcasts pause."""
    UNKNOWN = "unknown"
    """May have been sent: never again by itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    action: Action
    provider_message_id: str | None = None
    code: int | None = None
    text: str | None = None
    """One sentence for the operator; holds no personal data."""


class BadSignatureError(Exception):
    """The request does not prove that it comes from the provider; says nothing about what was expected."""


class Provider(Protocol):
    name: str
    secret_names: tuple[str, ...]
    """What `backchat connection add` asks for."""

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:
        """Answer to a GET handshake, or None if it is not one or its token is wrong."""

    def verify(self, account: Account, headers: Mapping[str, str], body: bytes) -> None:
        """Raise BadSignatureError unless the raw bytes are the provider's."""

    def parse(self, body: bytes) -> list[Event]:
        """Normalised events of a body, in its order; never raises: what cannot be read is an Unreadable."""

    def request(self, account: Account, number_id: str, message: OutboundMessage) -> HttpRequest:
        """The HTTP request that sends a message."""

    def outcome(self, status: int, body: bytes) -> Outcome:
        """What an answer means (the table of docs/sending.md); a status ≥ 500 or an unreadable 2xx is UNKNOWN."""
