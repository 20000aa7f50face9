"""360dialog: the Cloud API's bodies both ways, at another door (360dialog, "Messaging", "Webhooks", "Media").

Its key belongs to one number, so no address names the number, and it does not sign: the proof is a secret we plant.
"""

from collections.abc import Mapping

import orjson

from bot.language import later
from bot.providers import cloud_answers, cloud_codes, cloud_parse
from bot.providers.authenticity import Planted
from bot.providers.base import (
    NO_HEADERS,
    Account,
    Action,
    HttpRequest,
    MediaAccess,
    OutboundMessage,
    Outcome,
    ReadReceipts,
    TemplateList,
)
from bot.providers.cloud_graph import FILES, GraphMedia, origin_of
from bot.providers.cloud_identity import is_user_id
from bot.providers.cloud_items import part_of
from bot.providers.cloud_receipts import CloudReceipts
from bot.providers.cloud_template_making import GraphTemplateMaker
from bot.providers.events import Event

_MEANINGS: tuple[tuple[int, bytes, Action, str], ...] = (
    (400, b"rate limit", Action.THROTTLE, later("too many requests")),
    (400, b"unpaid", Action.STOP_NUMBER, later("the account at 360dialog has a payment problem")),
    (400, b"payment", Action.STOP_NUMBER, later("the account at 360dialog has a payment problem")),
    (401, b"", Action.STOP_NUMBER, later("the API key is not valid")),
    (403, b"", Action.STOP_NUMBER, later("360dialog has blocked the number or the key")),
)
"""What 360dialog itself says, by status and a word of the body in lower case; a code of Meta's goes first."""


class _Templates(GraphTemplateMaker):
    """It has no door for edits, for pauses nor for samples: a file is shown by its address."""

    edits = False
    unpauses = False
    samples_by_link = True

    def headers(self, account: Account) -> dict[str, str]:
        return _key(account)

    def list_url(self, account: Account) -> str:
        return f"{account.base_url}/message_templates"


class _Media(GraphMedia):
    def headers(self, account: Account) -> dict[str, str]:
        return _key(account)

    def own_origins(self, account: Account) -> frozenset[str]:
        return frozenset({origin_of(account.base_url)})

    def fetch(self, account: Account, url: str) -> HttpRequest:
        """Meta's host takes no key of 360dialog's: what lies there is had through 360dialog."""
        is_metas = origin_of(url) == FILES
        return super().fetch(account, f"{account.base_url}{url[len(FILES) :]}" if is_metas else url)


class _Receipts(CloudReceipts):
    def headers(self, account: Account) -> dict[str, str]:
        return _key(account)

    def url(self, account: Account, number_id: str) -> str:  # noqa: ARG002 (the key's)
        return f"{account.base_url}/messages"


class Dialog360(Planted):
    name = "360dialog"
    title = "360dialog"
    secret_names: tuple[str, ...] = ("api_key", "webhook_secret")
    default_base_url: str | None = "https://waba-v2.360dialog.io"
    takes_get = False
    kept_headers: tuple[str, ...] = ()
    acknowledgement = ("text/plain; charset=utf-8", "")
    templates: TemplateList | None = _Templates()
    media: MediaAccess | None = _Media()
    receipts: ReadReceipts | None = _Receipts()
    opt_outs: Mapping[int, str] = cloud_codes.OPT_OUTS

    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:  # noqa: ARG002 (the contract)
        return cloud_parse.parse(body)

    def request(self, account: Account, number_id: str, message: OutboundMessage) -> HttpRequest:  # noqa: ARG002 (the key's)
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "recipient" if is_user_id(message.to) else "to": message.to,
            **message.content,
            "biz_opaque_callback_data": message.callback,
        }
        headers = _key(account) | {"Content-Type": "application/json"}
        return HttpRequest("POST", f"{account.base_url}/messages", headers, orjson.dumps(body))

    def outcome(self, status: int, body: bytes) -> Outcome:
        answer, said = cloud_answers.read(body), body.lower()
        if not isinstance(part_of(answer, "error").get("code"), int):
            for of_status, word, action, text in _MEANINGS:
                if status == of_status and word in said:
                    return Outcome(action, text=text)
        return cloud_answers.outcome(status, answer)


def _key(account: Account) -> dict[str, str]:
    return {"D360-API-KEY": account.secrets["api_key"]}
