"""The contract every provider keeps; what it may report is in events.py, how to add one in docs/adding-a-provider.md.

A provider is pure on the way in (bytes → events) and describes its HTTP on the way out; it sees no database and no RQ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Protocol, runtime_checkable
from urllib.parse import urlsplit

from bot.providers.events import Event, MediaRef

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

# No header's name can begin with a colon, so these two never meet one that was sent.
QUERY: Final = ":query"
"""Among `kept_headers`: the query of the address, for a provider whose payload is not all in the body."""
RECEIVED_AT: Final = ":received-at"
"""Always given to `parse`: when the request was stored, ISO 8601, for a provider that tells no time."""


@dataclass(frozen=True, slots=True)
class Account:
    """A connection with its secrets opened, as a provider needs it; never logged."""

    base_url: str
    account_id: str
    secrets: Mapping[str, str] = field(repr=False)
    former: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secrets that were replaced a short while ago and are still accepted from the provider, never sent to it."""
    webhook_url: str = ""
    """Our public address that this connection's provider calls."""

    def accepted(self, name: str) -> tuple[str, ...]:
        """What the provider may prove itself with: the secret, and the one before while a rotation lasts."""
        return tuple(known[name] for known in (self.secrets, self.former) if name in known)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to our webhook as it came in."""

    method: str
    url: str
    """The whole public address with its query, as the provider was told it."""
    headers: Mapping[str, str] = field(repr=False)
    """Looked up in any case; the same header given twice is joined by a comma."""
    body: bytes = field(repr=False)
    """Raw; of a GET that carries a payload, the query string."""
    path_secret: str | None = field(default=None, repr=False)
    """What stands behind the connection's slug in the address."""

    def kept(self, names: Iterable[str]) -> dict[str, str]:
        """Those of a provider's `kept_headers` that came, QUERY among them."""
        told = {name: urlsplit(self.url).query if name == QUERY else self.headers.get(name) for name in names}
        return {name: value for name, value in told.items() if value}


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


class UnsendableError(ValueError):
    """This provider cannot carry this content; the text says why. Nothing was sent, and trying again is no use."""


class AnswerError(ValueError):
    """The provider's answer cannot be used: a refusal or not the documented shape; one sentence without secrets."""


@dataclass(frozen=True, slots=True)
class TemplatePage:
    documents: tuple[dict[str, Any], ...]
    """Templates as the Graph API writes them: name, language, components, …"""
    after: str | None
    """Where the next page begins; None if this was the last."""


class TemplateRefusedError(AnswerError):
    """The provider does not take the template; `place` is the part of it that is at fault, if that was told."""

    def __init__(self, text: str, place: str | None = None, *, is_there: bool = False) -> None:
        super().__init__(text)
        self.place = place
        self.is_there = is_there
        """There is one of that name and language at the provider already."""


@dataclass(frozen=True, slots=True)
class TemplateReceipt:
    """What a provider answers to a template it took; None for what it does not tell."""

    id: str | None
    status: str | None
    category: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A file as reviewers of a template see it in the header."""

    name: str
    mime_type: str
    content: bytes = field(repr=False)


class TemplateMaker(Protocol):
    """How a provider takes templates in, has them changed and deletes them; documents are in the Graph API's shape."""

    edits: bool
    """Whether one that is there can be changed."""
    unpauses: bool
    """Whether a pause can be taken back, by `unpause` and `unpaused`."""
    samples_by_link: bool
    """Whether the sample of a header is a file's address; else it is uploaded, by `open_sample` and `send_sample`."""

    def create(self, account: Account, document: Mapping[str, Any]) -> HttpRequest: ...

    def edit(self, account: Account, template_id: str, document: Mapping[str, Any]) -> HttpRequest:
        """Its components are replaced whole."""

    def delete(self, account: Account, name: str, template_id: str | None) -> HttpRequest:
        """In one language, or without an id in all."""

    def unpause(self, account: Account, template_id: str) -> HttpRequest: ...

    def unpaused(self, status: int, body: bytes) -> None:
        """Raises TemplateRefusedError."""

    def receipt(self, status: int, body: bytes) -> TemplateReceipt:
        """The answer to `create`, `edit` and `delete`; raises TemplateRefusedError."""

    def open_sample(self, account: Account, sample: Sample) -> HttpRequest: ...

    def send_sample(self, account: Account, opened: tuple[int, bytes], sample: Sample) -> HttpRequest:
        """`opened` is the answer to `open_sample`; raises TemplateRefusedError."""

    def handle(self, status: int, body: bytes) -> str:
        """What stands for the file in a template's example; raises TemplateRefusedError."""


class TemplateList(Protocol):
    """How a provider tells the templates of an account."""

    @property
    def maker(self) -> TemplateMaker | None:
        """None if templates are made elsewhere."""

    def request(self, account: Account, after: str | None, name: str | None = None) -> HttpRequest:
        """The HTTP request for a page; `after` is from the page before. With a `name` others may be left out."""

    def page(self, status: int, body: bytes) -> TemplatePage:
        """Raises AnswerError."""


@dataclass(frozen=True, slots=True)
class MediaLocation:
    url: str
    mime_type: str | None = None
    sha256: str | None = None
    size: int | None = None
    """In bytes."""


class MediaAccess(Protocol):
    """How a provider hands out the files that people sent."""

    def locate(self, account: Account, number_id: str, media: MediaRef) -> HttpRequest | None:
        """The request that asks where the file is; None if `media.url` says it already."""

    def location(self, account: Account, status: int, body: bytes) -> MediaLocation:
        """The answer to `locate`; raises AnswerError."""

    def fetch(self, account: Account, url: str) -> HttpRequest:
        """The request for the file itself; carries a secret only if `url` is on a host of the provider's own."""


@runtime_checkable
class MediaTaking(Protocol):
    """How a provider takes files in that are to be sent; not all of them do."""

    def upload(self, account: Account, number_id: str, name: str, mime_type: str, content: bytes) -> HttpRequest: ...

    def uploaded(self, status: int, body: bytes) -> str:
        """The provider's id of the file; raises AnswerError."""


class ReadReceipts(Protocol):
    """How a provider is told that a message was read, and with it that an answer is being written."""

    def read(self, account: Account, number_id: str, message_id: str, *, is_typing: bool) -> HttpRequest:
        """Marks what came before it as read too."""

    def noted(self, status: int, body: bytes) -> Outcome:
        """What the answer means; no message comes of it."""


class Provider(Protocol):
    name: str
    title: str
    """As its makers write it: 360dialog."""
    secret_names: tuple[str, ...]
    """What `backchat connection add` asks for."""
    chosen_secrets: tuple[str, ...]
    """Those of them that we choose and the provider is told: any long random text will do."""
    default_base_url: str | None
    """Where its API is, if that is one place for everybody."""
    takes_get: bool
    """Whether a GET may carry a payload; it is then no handshake."""
    kept_headers: tuple[str, ...]
    """Headers, lower case, and QUERY: what `parse` needs beside the body; they are stored with it."""
    acknowledgement: tuple[str, str]
    """Content type and text of the answer to a payload that was taken."""
    templates: TemplateList | None
    media: MediaAccess | None
    receipts: ReadReceipts | None
    """None if people cannot be shown through it that they were read."""
    opt_outs: Mapping[int, str]
    """Codes of errors, in answers and in statuses, that say that somebody stopped our messages, and what each says."""

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:
        """Answer to a GET handshake, or None if it is not one or its token is wrong."""

    def verify(self, account: Account, call: Call) -> None:
        """Raise BadSignatureError unless the request is the provider's."""

    def prove(self, account: Account, call: Call) -> dict[str, str]:
        """The headers with which `verify` takes the request for the provider's: for replays, to ourselves."""

    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:
        """Normalised events of a body, in its order; never raises: what cannot be read is an Unreadable.

        `headers` are the kept ones, content-type and RECEIVED_AT, by lower-case name.
        """

    def request(self, account: Account, number_id: str, message: OutboundMessage) -> HttpRequest:
        """The HTTP request that sends a message; raises UnsendableError."""

    def outcome(self, status: int, body: bytes) -> Outcome:
        """What an answer means (the table of docs/sending.md); a status ≥ 500 or an unreadable 2xx is UNKNOWN."""
