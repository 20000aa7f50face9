"""Kaleyra's second WhatsApp API: Meta's bodies with something around them (Kaleyra, "WhatsApp API V2")."""

from collections.abc import Mapping

import orjson

from bot.providers import cloud_codes, kaleyra_answers, kaleyra_v2_parse
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
)
from bot.providers.cloud_identity import is_user_id
from bot.providers.events import Event
from bot.providers.kaleyra_media import OpenLinks


class KaleyraV2(Planted):
    """A number's id is its phone in digits, for that is what the API's addresses hold."""

    name = "kaleyra-v2"
    title = "Kaleyra (API V2)"
    secret_names: tuple[str, ...] = ("api_key", "webhook_secret")
    default_base_url: str | None = None  # one for each part of the world: https://api.in.kaleyra.io, …
    takes_get = False
    kept_headers: tuple[str, ...] = ()
    acknowledgement = ("text/plain; charset=utf-8", "")
    templates: TemplateList | None = None
    media: MediaAccess | None = OpenLinks()
    receipts: ReadReceipts | None = None
    opt_outs: Mapping[int, str] = cloud_codes.OPT_OUTS

    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:  # noqa: ARG002 (the contract)
        return kaleyra_v2_parse.parse(body)

    def request(self, account: Account, number_id: str, message: OutboundMessage) -> HttpRequest:
        address = "recipient" if is_user_id(message.to) else "to"
        body = {
            "messaging_object": {
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                address: message.to,
                **message.content,
            },
            "extra_info": {"ref": message.callback},
        }
        headers = {"api-key": account.secrets["api_key"], "Content-Type": "application/json"}
        url = f"{account.base_url}/v2/{account.account_id}/whatsapp/+{number_id.lstrip('+')}/messages"
        return HttpRequest("POST", url, headers, orjson.dumps(body))

    def outcome(self, status: int, body: bytes) -> Outcome:
        return kaleyra_answers.outcome(status, body)
