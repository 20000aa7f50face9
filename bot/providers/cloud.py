"""WhatsApp Cloud API: signed webhooks in, Graph calls out (Meta, "Webhooks" and "Send messages")."""

import hmac
from collections.abc import Mapping

import orjson

from bot.providers import authenticity, cloud_answers, cloud_codes, cloud_parse
from bot.providers.base import (
    NO_HEADERS,
    Account,
    Call,
    HttpRequest,
    MediaAccess,
    OutboundMessage,
    Outcome,
    ReadReceipts,
    TemplateList,
)
from bot.providers.cloud_identity import is_user_id
from bot.providers.cloud_receipts import CloudReceipts
from bot.providers.cloud_template_making import GraphTemplateMaker
from bot.providers.cloud_upload import CloudMedia
from bot.providers.events import Event


class Cloud:
    name = "cloud"
    title = "WhatsApp Cloud API"
    secret_names: tuple[str, ...] = ("access_token", "app_secret", "verify_token")
    chosen_secrets: tuple[str, ...] = ("verify_token",)
    default_base_url: str | None = "https://graph.facebook.com/v25.0"
    takes_get = False
    kept_headers: tuple[str, ...] = ()
    acknowledgement = ("text/plain; charset=utf-8", "")
    templates: TemplateList | None = GraphTemplateMaker()
    media: MediaAccess | None = CloudMedia()
    receipts: ReadReceipts | None = CloudReceipts()
    opt_outs: Mapping[int, str] = cloud_codes.OPT_OUTS

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:
        token = query.get("hub.verify_token", "").encode()
        is_right = any(hmac.compare_digest(token, known.encode()) for known in account.accepted("verify_token"))
        if not is_right or query.get("hub.mode") != "subscribe":
            return None
        return query.get("hub.challenge")

    def verify(self, account: Account, call: Call) -> None:
        authenticity.check_hmac_hex(account, call, "app_secret", "X-Hub-Signature-256", "sha256=")

    def prove(self, account: Account, call: Call) -> dict[str, str]:
        return authenticity.prove_hmac_hex(account, call, "app_secret", "X-Hub-Signature-256", "sha256=")

    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:  # noqa: ARG002 (the contract)
        return cloud_parse.parse(body)

    def request(self, account: Account, number_id: str, message: OutboundMessage) -> HttpRequest:
        """`account.base_url` includes the Graph version; a business-scoped user id goes in `recipient`, not in `to`."""
        address = "recipient" if is_user_id(message.to) else "to"
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            address: message.to,
            **message.content,
            "biz_opaque_callback_data": message.callback,
        }
        headers = {"Authorization": f"Bearer {account.secrets['access_token']}", "Content-Type": "application/json"}
        return HttpRequest("POST", f"{account.base_url}/{number_id}/messages", headers, orjson.dumps(body))

    def outcome(self, status: int, body: bytes) -> Outcome:
        return cloud_answers.outcome(status, cloud_answers.read(body))
