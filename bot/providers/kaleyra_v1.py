"""Kaleyra's first WhatsApp API: forms out, GET or POST in, no ids on what people send (Kaleyra, "WhatsApp API V1")."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from bot.providers import cloud_codes, kaleyra_answers, kaleyra_v1_form, kaleyra_v1_parse
from bot.providers.authenticity import Planted
from bot.providers.base import (
    NO_HEADERS,
    Account,
    HttpRequest,
    MediaAccess,
    OutboundMessage,
    Outcome,
    ReadReceipts,
    TemplateList,
    UnsendableError,
)
from bot.providers.cloud_identity import digits_of
from bot.providers.events import Event
from bot.providers.kaleyra_media import OpenLinks


class KaleyraV1(Planted):
    """A number's id is its phone in digits, as `wanumber` tells it."""

    name = "kaleyra-v1"
    title = "Kaleyra (API V1)"
    secret_names: tuple[str, ...] = ("api_key", "webhook_secret")
    default_base_url: str | None = None  # one for each part of the world: https://api.in.kaleyra.io, …
    takes_get = True
    kept_headers: tuple[str, ...] = ()
    acknowledgement = ("text/plain; charset=utf-8", "")
    templates: TemplateList | None = None
    media: MediaAccess | None = OpenLinks()
    receipts: ReadReceipts | None = None
    opt_outs: Mapping[int, str] = cloud_codes.OPT_OUTS

    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:
        return [kaleyra_v1_parse.read(body, headers)]

    def request(self, account: Account, number_id: str, message: OutboundMessage) -> HttpRequest:
        """Statuses come to the address named in each send, so it carries our planted secret as its last part."""
        to = digits_of(message.to)
        if to is None:
            raise UnsendableError("Kaleyra V1 reaches people by phone number only: connect the number by kaleyra-v2.")
        form = {
            "channel": "whatsapp",
            "from": f"+{number_id.lstrip('+')}",
            "to": f"+{to}",
            **kaleyra_v1_form.content(message.content),
            "callback_url": f"{account.webhook_url}/{quote(account.secrets['webhook_secret'], safe='')}",
            "ref": message.callback,
        }
        headers = {"api-key": account.secrets["api_key"], "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{account.base_url}/v1/{account.account_id}/messages"
        return HttpRequest("POST", url, headers, urlencode(form).encode())

    def outcome(self, status: int, body: bytes) -> Outcome:
        return kaleyra_answers.outcome(status, body)
