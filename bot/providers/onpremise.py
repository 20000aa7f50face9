"""The on-premises API, which Meta has ended and installations of which are still about (Meta, "On-premises API")."""

from collections.abc import Mapping

from bot.providers import legacy, legacy_codes
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
from bot.providers.cloud_identity import is_user_id
from bot.providers.cloud_items import part_of
from bot.providers.events import Event, Unreadable

_KINDS = frozenset({"text", "image", "audio", "video", "document", "sticker", "location", "contacts", "template"})
_INTERACTIVE = frozenset({"button", "list", "product", "product_list"})


class OnPremise(Planted):
    """`account_id` is the namespace of the templates, which each send has to name."""

    name = "onpremise"
    title = "WhatsApp on-premises API"
    secret_names: tuple[str, ...] = ("access_token", "webhook_secret")
    default_base_url: str | None = None
    takes_get = False
    kept_headers: tuple[str, ...] = ()
    acknowledgement = ("text/plain; charset=utf-8", "")
    templates: TemplateList | None = None
    media: MediaAccess | None = legacy.LegacyMedia()
    receipts: ReadReceipts | None = None
    opt_outs: Mapping[int, str] = legacy_codes.OPT_OUTS

    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:  # noqa: ARG002 (the contract)
        document = legacy.document_of(body)
        return [document] if isinstance(document, Unreadable) else list(legacy.events_of(document))

    def request(self, account: Account, number_id: str, message: OutboundMessage) -> HttpRequest:  # noqa: ARG002 (one number)
        if is_user_id(message.to):
            raise UnsendableError("The on-premises API cannot write to a user id: the person's phone number is needed.")
        kind = str(message.content.get("type"))
        inner = str(part_of(message.content, "interactive").get("type"))
        if kind not in _KINDS and not (kind == "interactive" and inner in _INTERACTIVE):
            told = f"an interactive message of the kind {inner}" if kind == "interactive" else f"the kind {kind}"
            raise UnsendableError(f"The on-premises API cannot send {told}.")
        return legacy.request(account, message, legacy.translated(account, message.content), "to")

    def outcome(self, status: int, body: bytes) -> Outcome:
        return legacy.outcome(status, body)
