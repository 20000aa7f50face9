from dataclasses import dataclass, field
from typing import Any

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SEND_FAULTS = frozenset(
    {
        *("131026", "131049", "131050", "131056", "130429", "190"),
        *("server_error_before", "server_error_after", "drop_before", "drop_after", "reset_before", "reset_after"),
        *("garbage", "empty", "truncated", "html", "hang", "slow", "held", "close_idle"),
    }
)
STATUS_FAULTS = frozenset(
    {
        *("order", "repeat", "delay", "loss", "read_without_delivered", "no_callback_data"),
        *("never_delivered", "fail_later", "delivered_then_failed", "failed_then_delivered"),
        *("bad_signature", "replay"),
    }
)
VERDICTS = ("APPROVED", "REJECTED", "")
SPREADS = ("statuses", "changes", "entries")
DIALECTS = ("cloud", "360dialog", "turn", "onpremise", "kaleyra-v1", "kaleyra-v2", "twilio")


class ConfigError(ValueError):
    """Says which member of the configuration is wrong and what it may be."""


@dataclass(slots=True)
class Account:
    """`callback_headers` go with every webhook of a dialect that signs nothing."""

    waba_id: str
    access_token: str
    app_secret: str = ""
    callback_url: str = ""
    verify_token: str = ""
    dialect: str = "cloud"
    callback_headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Number:
    """`pace_per_s` 0 is unlimited; a burst above it is reported, and refused with 130429 when `enforce_pace` is on."""

    id: str
    waba_id: str
    display_phone_number: str
    verified_name: str = "Simulated business"
    pace_per_s: float = 80.0
    enforce_pace: bool = False
    pair_limit: bool = False
    check_window: bool = True


@dataclass(slots=True)
class Template:
    waba_id: str
    name: str
    language: str
    category: str = "UTILITY"
    status: str = "APPROVED"
    parameter_format: str = "POSITIONAL"
    components: list[dict[str, Any]] = field(default_factory=list)
    id: str = ""
    quality: str = "UNKNOWN"
    rejected_reason: str = "NONE"
    edited_at: float = 0

    @property
    def key(self) -> tuple[str, str, str]:
        return self.waba_id, self.name, self.language


@dataclass(slots=True)
class Person:
    """`hide_phone` makes the person one who adopted a username: webhooks carry only the business-scoped user id."""

    phone: str = ""
    user_id: str = ""
    name: str = ""
    username: str = ""
    hide_phone: bool = False


@dataclass(slots=True)
class StatusTimes:
    """Milliseconds from acceptance; `read_share` is the part of delivered messages read without a page open."""

    enabled: bool = True
    sent_ms: float = 50
    delivered_ms: float = 150
    read_ms: float = 600
    read_share: float = 1.0


@dataclass(slots=True)
class Delivery:
    """How webhooks leave; `spread` puts each update into one list, a change of its own or an entry of its own."""

    window_ms: float = 100
    max_updates: int = 100
    concurrency: int = 8
    tries: int = 10
    first_retry_ms: float = 200
    max_retry_ms: float = 10_000
    timeout_s: float = 20
    spread: str = "statuses"


@dataclass(slots=True)
class Faults:
    """Probabilities from 0 to 1 by fault name; `magic` lets the magic recipients misbehave."""

    magic: bool = True
    send: dict[str, float] = field(default_factory=dict)
    status: dict[str, float] = field(default_factory=dict)
    slow_s: float = 2
    hang_s: float = 30
    pair_s: float = 6
    idle_close_s: float = 0.2
    status_delay_ms: float = 2_000
    media_life_s: float = 300
    media_redirect: str = ""


@dataclass(slots=True)
class Review:
    """How a new or edited template is judged: with that `verdict` after so many seconds, or, if it is empty, never.

    A template with `rejected` in its name is rejected whatever the verdict says.
    """

    after_s: float = 0.3
    verdict: str = "APPROVED"
    reason: str = "INVALID_FORMAT"


@dataclass(slots=True)
class Config:
    seed: int = 1
    accounts: list[Account] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    templates: list[Template] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    statuses: StatusTimes = field(default_factory=StatusTimes)
    delivery: Delivery = field(default_factory=Delivery)
    faults: Faults = field(default_factory=Faults)
    review: Review = field(default_factory=Review)
