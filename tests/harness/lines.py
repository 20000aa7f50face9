"""Connections to the providers, as the simulator has them and as Backchat is told of them."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.harness import simulator
from tests.harness.simulator import ACCESS_TOKEN, APP_SECRET, BUSINESS_PHONE, NUMBER_ID, VERIFY_TOKEN, WABA_ID


@dataclass(frozen=True)
class Line:
    """`account` is laid over the simulator's; `ending` stands behind the address that the provider was told."""

    provider: str
    secrets: Mapping[str, str]
    waba_id: str = WABA_ID
    number_id: str = NUMBER_ID
    """The simulator's; `told` is ours."""
    told: str = NUMBER_ID
    phone: str = BUSINESS_PHONE
    slug: str = "line"
    base_path: str = ""
    ending: str = ""
    account: Mapping[str, Any] = field(default_factory=dict)


CLOUD = Line(
    "cloud",
    {"access_token": ACCESS_TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN},
    base_path="/v25.0",
)


def sections(lines: Iterable[Line], webhooks: str) -> dict[str, Any]:
    """The simulator's accounts and numbers; `webhooks` is our address up to the slug."""
    accounts, numbers = [], []
    for line in lines:
        usual = simulator.document(f"{webhooks}/{line.slug}{line.ending}")
        about = {"waba_id": line.waba_id, "dialect": line.provider}
        accounts.append({**usual["accounts"][0], **about, **line.account})
        named = {"id": line.number_id, "waba_id": line.waba_id, "display_phone_number": line.phone}
        numbers.append({**usual["numbers"][0], **named})
    return {"accounts": accounts, "numbers": numbers}


PLANTED = "planted0by0the0operator"
BASIC = "Basic " + base64.b64encode(f"operator:{PLANTED}".encode()).decode()
FORMAT = "&".join(
    f"{name}=<{name}>"
    for name in (
        *("wanumber", "from", "name", "type", "body", "created_at", "media_url", "mime_type", "reply_to"),
        *("custom_response", "contacts", "location"),
    )
)
"""As docs/providers.md tells operators to write it."""


def _line(provider: str, place: int, *, key: str, secret: str = PLANTED, **more: Any) -> Line:
    """One of several beside each other; all but 360dialog's number are told to us as digits."""
    token, phone = f"{ACCESS_TOKEN}-{place}", f"+20100000000{place}"
    known = {
        "waba_id": f"10020030040060{place}",
        "number_id": f"20030040050070{place}",
        "told": phone.removeprefix("+"),
        "phone": phone,
        "slug": provider,
    } | more
    account = {"access_token": token, **more.get("account", {})}
    return Line(provider, {key: token, "webhook_secret": secret}, **known | {"account": account})


def _planted(header: str, value: str) -> dict[str, Any]:
    return {"app_secret": "", "callback_headers": {header: value}}


OTHERS: dict[str, Line] = {
    line.provider: line
    for line in (
        _line("360dialog", 1, key="api_key", told="200300400500701", account=_planted("X-Backchat-Secret", PLANTED)),
        _line("turn", 2, key="access_token", secret=APP_SECRET),
        _line("onpremise", 3, key="access_token", ending=f"/{PLANTED}"),
        _line("kaleyra-v1", 4, key="api_key", ending=f"/{PLANTED}?{FORMAT}"),
        _line("kaleyra-v2", 5, key="api_key", account=_planted("Authorization", BASIC)),
        _line("twilio", 6, key="auth_token", waba_id="AC" + "0123456789abcdef" * 2),
    )
}
"""Every way to plant a secret is among them: a header, a login, the end of an address."""
