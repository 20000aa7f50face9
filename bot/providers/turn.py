"""Turn.io: signed bodies in the on-premises shape, with Turn's word on each message in `_vnd.v1` (Turn, "Webhooks")."""

from collections.abc import Mapping

from bot.providers import authenticity, legacy, legacy_codes, turn_hooks
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
    UnsendableError,
)
from bot.providers.cloud_identity import is_user_id
from bot.providers.cloud_items import part_of
from bot.providers.cloud_kinds import MEDIA_KINDS
from bot.providers.events import Event, Unreadable


class Turn:
    """`account_id` is the namespace of the templates, which each send has to name."""

    name = "turn"
    title = "Turn.io"
    secret_names: tuple[str, ...] = ("access_token", "webhook_secret")
    chosen_secrets: tuple[str, ...] = ()
    default_base_url: str | None = "https://whatsapp.turn.io"
    takes_get = False
    kept_headers: tuple[str, ...] = (
        turn_hooks.SUBSCRIPTION,
        turn_hooks.MESSAGE_ID,
        turn_hooks.EVENT,
        "x-turn-claim",
        "x-turn-fallback-channel",
    )
    acknowledgement = ("text/plain; charset=utf-8", "")
    templates: TemplateList | None = None
    media: MediaAccess | None = legacy.LegacyMedia()
    receipts: ReadReceipts | None = None
    opt_outs: Mapping[int, str] = legacy_codes.OPT_OUTS

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:  # noqa: ARG002 (it has no handshake)
        return None

    def verify(self, account: Account, call: Call) -> None:
        authenticity.check_hmac_base64(account, call, "webhook_secret", "X-Turn-Hook-Signature")

    def prove(self, account: Account, call: Call) -> dict[str, str]:
        return authenticity.prove_hmac_base64(account, call, "webhook_secret", "X-Turn-Hook-Signature")

    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:
        document = legacy.document_of(body)
        return [document] if isinstance(document, Unreadable) else list(turn_hooks.events_of(document, headers))

    def request(self, account: Account, number_id: str, message: OutboundMessage) -> HttpRequest:  # noqa: ARG002 (one number)
        kind = str(message.content.get("type"))
        if kind in MEDIA_KINDS and "id" not in part_of(message.content, kind):
            raise UnsendableError("Turn.io sends a file by the id it has at Turn.io, not by a link.")
        address = "recipient" if is_user_id(message.to) else "to"
        return legacy.request(account, message, legacy.translated(account, message.content), address)

    def outcome(self, status: int, body: bytes) -> Outcome:
        return legacy.outcome(status, body)
