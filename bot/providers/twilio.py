"""Twilio: forms both ways, signed over our own address; templates are content of its Content API (Twilio, "WhatsApp").

Our mark goes out in the query of the address for statuses, and comes back there.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode, urlsplit

from bot.providers import form, twilio_answers, twilio_form, twilio_parse
from bot.providers.base import (
    NO_HEADERS,
    QUERY,
    Account,
    AnswerError,
    BadSignatureError,
    Call,
    HttpRequest,
    MediaAccess,
    MediaLocation,
    OutboundMessage,
    Outcome,
    ReadReceipts,
    TemplateList,
    UnsendableError,
)
from bot.providers.cloud_graph import origin_of
from bot.providers.cloud_identity import digits_of
from bot.providers.events import Event, MediaRef
from bot.providers.twilio_content import TwilioContent, login

_PORTS = {"https": 443, "http": 80}
_MOST_FIELDS = 1000
"""Anybody may send a form to be verified, and one of two million fields takes seconds to take apart."""


class _Media:
    """Files by the address in the webhook; it wants our login and redirects to a store that must not get it."""

    def locate(self, account: Account, number_id: str, media: MediaRef) -> HttpRequest | None:  # noqa: ARG002
        """Never asks."""
        return None

    def location(self, account: Account, status: int, body: bytes) -> MediaLocation:  # noqa: ARG002 (the contract)
        raise AnswerError("Twilio is not asked where a file is: its webhook names the address.")

    def fetch(self, account: Account, url: str) -> HttpRequest:
        is_own = origin_of(url) == origin_of(account.base_url)
        return HttpRequest("GET", url, login(account) if is_own else {}, b"")


class Twilio:
    """`account_id` is the AccountSid; a number's id is its phone in digits."""

    name = "twilio"
    title = "Twilio"
    secret_names: tuple[str, ...] = ("auth_token",)
    chosen_secrets: tuple[str, ...] = ()
    default_base_url: str | None = "https://api.twilio.com"
    takes_get = False
    kept_headers: tuple[str, ...] = (QUERY,)
    acknowledgement = ("text/xml; charset=utf-8", "<Response/>")
    templates: TemplateList | None = TwilioContent()
    media: MediaAccess | None = _Media()
    receipts: ReadReceipts | None = None
    opt_outs: Mapping[int, str] = twilio_answers.OPT_OUTS

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:  # noqa: ARG002 (it has no handshake)
        return None

    def verify(self, account: Account, call: Call) -> None:
        """HMAC-SHA1 of the address and every name and value of the form in order (Twilio, "Webhooks security")."""
        given = call.headers.get("X-Twilio-Signature", "").encode("utf-8", "surrogatepass")
        told = _told(call.body)
        for secret in account.accepted("auth_token"):
            for url in _spellings(call.url):
                if hmac.compare_digest(given, _signature(secret, url + told)):
                    return
        raise BadSignatureError

    def prove(self, account: Account, call: Call) -> dict[str, str]:
        return {"X-Twilio-Signature": _signature(account.secrets["auth_token"], call.url + _told(call.body)).decode()}

    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:
        return twilio_parse.parse(body, headers)

    def request(self, account: Account, number_id: str, message: OutboundMessage) -> HttpRequest:
        to = digits_of(message.to)
        if to is None:
            raise UnsendableError("Twilio reaches people by phone number only, and none is known of this person.")
        told = {
            "From": f"whatsapp:+{number_id.lstrip('+')}",
            "To": f"whatsapp:+{to}",
            **twilio_form.content(message.content),
            "StatusCallback": f"{account.webhook_url}?{urlencode({twilio_parse.MARK: message.callback})}",
        }
        headers = login(account) | {"Content-Type": "application/x-www-form-urlencoded"}
        url = f"{account.base_url}/2010-04-01/Accounts/{account.account_id}/Messages.json"
        return HttpRequest("POST", url, headers, urlencode(told).encode())

    def outcome(self, status: int, body: bytes) -> Outcome:
        return twilio_answers.outcome(status, body)


def _told(body: bytes) -> str:
    """The form as it is signed; raises BadSignatureError where it has far more fields than Twilio has names for."""
    try:
        return "".join(name + value for name, value in sorted(set(form.pairs(body, _MOST_FIELDS))))
    except ValueError:
        raise BadSignatureError from None


def _signature(secret: str, signed: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), hashlib.sha1))


def _spellings(url: str) -> Iterator[str]:
    """As we know the address, and with the scheme's own port written out or left out: Twilio's clients differ."""
    yield url
    parts = urlsplit(url)
    port = f":{_PORTS.get(parts.scheme, '')}"
    bare = parts.netloc.removesuffix(port)
    netloc = bare if bare != parts.netloc else f"{bare}{port}"
    yield f"{parts.scheme}://{netloc}{url[len(parts.scheme) + 3 + len(parts.netloc) :]}"
