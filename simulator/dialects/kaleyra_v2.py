"""Kaleyra's second API: the Cloud API's bodies with something around them."""

import secrets
import time
from collections.abc import Sequence
from typing import Any

import orjson
from aiohttp import web

from simulator.config import Account
from simulator.dialects.base import Surroundings
from simulator.dialects.door import Route, number_of_phone, read_json, speaking
from simulator.dialects.kaleyra import Kaleyra, MemberError, link_to
from simulator.graph import GraphError, refusal
from simulator.messages import prepare, take
from simulator.posting import Webhook
from simulator.updates import StatusUpdate, Update, encode, envelope
from simulator.validate import MEDIA_EXTRAS, check_common
from simulator.world import World

PRICED = "PMP: per message, as agreed"
CALLBACK = "biz_opaque_callback_data"


class KaleyraV2(Kaleyra):
    name = "kaleyra-v2"
    family = "kaleyra-v2"

    def refusal(self, error: GraphError) -> web.Response:
        """WhatsApp's own refusals are handed through as they are."""
        return refusal(error) if error.code > 131000 else super().refusal(error)

    def webhook(self, account: Account, updates: Sequence[Update], around: Surroundings) -> Webhook | None:
        """A change of the Cloud API; the wamid of a status and the sender's mark stand outside of it."""
        (update,) = updates
        change = envelope(updates, around.numbers)["entry"][0]["changes"][0]
        extra: dict[str, Any] = {"trace_id": secrets.token_hex(8), "waba_id": account.waba_id}
        body = {"meta_object": change, "extra_info": extra, "time": int(time.time())}
        if isinstance(update, StatusUpdate):
            (item,) = change["value"]["statuses"]
            extra |= {"message_id": item["id"], "ref": item.pop(CALLBACK, None), "ref1": None, "ref2": None}
            body |= {"status": item["status"], "message_id": item["id"]}
            item["id"] = secrets.token_hex(16)
            if "pricing" in item:
                item["pricing"]["pricing_model"] = PRICED
        else:
            item = update.piece().item
            extra["message_id"] = item["id"]
            if item["type"] in MEDIA_EXTRAS or item["type"] == "voice":
                extra["media_url"] = link_to(around.address, item[item["type"]].get("id"))
        return Webhook(account.callback_url, encode(body))


async def post_message(
    world: World, request: web.BaseRequest, account: Account, sid: str, phone: str
) -> web.StreamResponse:
    world.counts["requests"] += 1
    number = number_of_phone(world, account, phone)
    if sid != account.waba_id or number is None:
        raise MemberError("from", "the account has no such number")
    raw, posted = await read_json(request)
    message, extra = posted.get("messaging_object"), posted.get("extra_info")
    if not isinstance(message, dict):
        raise MemberError("messaging_object", "required")
    ref = extra.get("ref") if isinstance(extra, dict) else None
    body = check_common({**message, CALLBACK: ref})
    draft = prepare(world, account, number, raw, body)
    draft.shown = orjson.dumps(body)
    return await take(request, draft)


DIALECT = KaleyraV2()
ROUTES: list[Route] = [
    ("POST", r"/v2/(\w+)/whatsapp/(\+?\d+)/messages", speaking(DIALECT, post_message)),
]
