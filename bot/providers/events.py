"""The small closed set of things a provider may report: plain values, in words that no provider owns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

ONLY_NUMBER: Final = ""
"""The `number_id` of a body that names no business number: the only one under its connection is meant."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a webhook says somebody is; at least one of `phone` (digits as received) and `user_id` is there."""

    phone: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    name: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class MediaRef:
    """A file at the provider, by the provider's `id` or by `url`; with neither it cannot be fetched.

    A `url` that begins with `/` goes on where the account's base URL ends: parsing knows no account.
    """

    id: str | None
    url: str | None
    mime_type: str | None
    sha256: str | None
    """As told: base64 or hex."""
    name: str | None
    """As the sender called it: not to be trusted as a path."""


@dataclass(frozen=True, slots=True)
class InboundMessage:
    pointer: str
    """JSON pointer to the item within the body, for the quarantine."""
    number_id: str
    """The provider's id of the business number, or ONLY_NUMBER."""
    message_id: str
    """The provider's; where it has none, one made from what identifies the message (`sha256:…`)."""
    sender: Sender
    kind: str
    """The Cloud API's word for it: text, image, voice, interactive, …"""
    body: str | None
    """What a person would read; for a tap, the button's title."""
    content: dict[str, Any]
    """In the Cloud API's shape ({"type": …, "<type>": {…}, "context": …}), whoever the provider is."""
    occurred_at: datetime
    reply_to: str | None = None
    choice: str | None = None
    """The id of the tapped button or list row."""
    media: MediaRef | None = None


@dataclass(frozen=True, slots=True)
class Echo:
    """A message that left the business elsewhere: typed in the phone app, or sent by the provider's own journeys."""

    pointer: str
    number_id: str
    message_id: str
    recipient: Sender
    author: Literal["app", "automation"]
    kind: str
    body: str | None
    content: dict[str, Any]
    occurred_at: datetime
    reply_to: str | None = None
    media: MediaRef | None = None


@dataclass(frozen=True, slots=True)
class MessageEdit:
    """The message `target` now reads so. `sender` is None when the business itself edited it, in the phone app."""

    pointer: str
    number_id: str
    message_id: str
    sender: Sender | None
    target: str
    kind: str
    body: str | None
    content: dict[str, Any]
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class MessageRevoke:
    """The message `target` was deleted for everybody. `sender` is None when the business itself did it."""

    pointer: str
    number_id: str
    message_id: str
    sender: Sender | None
    target: str
    occurred_at: datetime


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
    """Empty when it did not come as a message."""
    sender: Sender
    new_phone: str | None
    new_user_id: str | None
    body: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class PreferenceChange:
    """Somebody told WhatsApp what they want to get from this business."""

    pointer: str
    number_id: str
    sender: Sender
    category: str
    """marketing_messages, or a word we do not know."""
    value: str
    """stop, resume, signup, or a word we do not know."""
    detail: str | None
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
    """Phone digits or user id."""
    error_code: int | None = None
    error_text: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """What changed of a template; None means: not said. Statuses, qualities and categories are upper case."""

    pointer: str
    account_id: str
    """The provider's id of the account the template belongs to; may be empty."""
    template_id: str | None
    name: str
    language: str
    """As the API writes it: en_US."""
    status: str | None = None
    quality: str | None = None
    category: str | None = None
    components: dict[str, Any] | None = None
    """By component type: {"BODY": {"text": …}, …}; a component that is not in it stays as it is."""
    reason: str | None = None
    """Why it was rejected, paused or disabled, in a sentence."""
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NumberChange:
    """What changed of a business number, named by id or only by its display number; by neither: of all of them."""

    pointer: str
    number_id: str | None
    display_number: str | None
    """Digits."""
    quality: str | None = None
    tier: str | None = None
    """TIER_250, TIER_1K, …, TIER_UNLIMITED."""
    throughput: str | None = None
    name: str | None = None
    """The verified display name."""
    event: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountAlert:
    """Something about the account that an operator has to know: a ban, a restriction, a limit, a problem."""

    pointer: str
    kind: str
    """The field and event it came as: account_update.DISABLED_UPDATE."""
    severity: Literal["info", "warning", "critical"]
    text: str
    """One sentence."""
    detail: dict[str, Any]
    number_id: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Of no effect or of an unknown field: kept with the raw event, and counted by `field`."""

    pointer: str
    field: str
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item that is not what the documentation says; goes to the quarantine, its neighbours do not."""

    pointer: str
    reason: str
    item: dict[str, Any] | None = None


OfNumber = (
    InboundMessage
    | Echo
    | MessageEdit
    | MessageRevoke
    | ReactionChange
    | IdentityChange
    | PreferenceChange
    | StatusUpdate
)
"""What happened on one business number, named by its `number_id`."""
OfAccount = TemplateChange | NumberChange | AccountAlert
Event = OfNumber | OfAccount | Notice | Unreadable
