"""Twilio: forms both ways, a login of the account's, and statuses at the address that each send names."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import orjson
from aiohttp import web

from simulator.config import Account, ConfigError
from simulator.dialects import twilio_content, twilio_form, twilio_hooks
from simulator.dialects.base import Dialect, Surroundings, Taken
from simulator.dialects.door import Route, number_of_phone, speaking
from simulator.dialects.forms import read_form
from simulator.dialects.seals import Seal, Signed, by_form
from simulator.dialects.twilio_form import TwilioError
from simulator.graph import ERRORS, GraphError, answer
from simulator.messages import prepare, take
from simulator.people import Contact
from simulator.posting import FORM, Webhook
from simulator.updates import StatusUpdate, Update
from simulator.validate import check_common
from simulator.world import World

ACCOUNT = r"/2010-04-01/Accounts/(\w+)"
HELP = "https://www.twilio.com/docs/errors/"


class Twilio(Dialect):
    name = "twilio"
    family = "twilio"
    most = 1
    tells_fields = False
    accepted_status = 201
    seal: Seal = Signed("X-Twilio-Signature", by_form, "access_token")

    def key(self, account: Account) -> str:
        return f"{account.waba_id}:{account.access_token}"

    async def key_of(self, request: web.BaseRequest) -> str:
        scheme, _, login = request.headers.get("Authorization", "").partition(" ")
        try:
            return base64.b64decode(login, validate=True).decode() if scheme == "Basic" else ""
        except (binascii.Error, ValueError):
            return ""

    def new_id(self, epoch: bytes, address: str, n: int) -> str:
        return "SM" + twilio_content.hex_of(epoch.hex(), address, n)

    def answer(self, taken: Taken, message_id: str) -> bytes:
        """Queued: whatever goes wrong from here on is told by a status."""
        told = {
            "sid": message_id,
            "account_sid": taken.number.waba_id,
            "from": twilio_hooks.address_of(taken.number.display_phone_number),
            "to": twilio_hooks.address_of(taken.contact.phone),
            "body": (taken.body.get("text") or {}).get("body", ""),
            "status": "queued",
            "direction": "outbound-api",
            "num_segments": "1",
            "error_code": None,
            "error_message": None,
            "uri": f"/2010-04-01/Accounts/{taken.number.waba_id}/Messages/{message_id}.json",
        }
        return orjson.dumps(told)

    def close_window(self, taken: Taken) -> None:
        taken.failed_code = 131047

    def refusal(self, error: GraphError) -> web.Response:
        status, code = twilio_form.CODES.get(error.code, (ERRORS[error.code][0], 20001))
        code = error.own if isinstance(error, TwilioError) else code
        message = error.details or ERRORS[error.code][1].partition(") ")[2] or "Authenticate"
        return answer({"code": code, "message": message, "more_info": f"{HELP}{code}", "status": status}, status)

    def check_inbound(self, message: dict[str, Any], contact: Contact) -> None:  # noqa: ARG002 (the contract)
        told = twilio_hooks.TOLD
        if message["type"] not in told or message.get(message["type"]) is None:
            raise ConfigError(f"type: Twilio tells {', '.join(sorted(told))} only")

    def webhook(self, account: Account, updates: Sequence[Update], around: Surroundings) -> Webhook | None:
        (update,) = updates
        number = around.numbers[update.number_id]
        if not isinstance(update, StatusUpdate):
            form = twilio_hooks.inbound(account, number, update.piece(), around.address)
            return Webhook(account.callback_url, form, FORM)
        sent = update.sent
        return Webhook(sent.status_url, twilio_hooks.status(account, number, update), FORM) if sent.status_url else None


async def post_message(world: World, request: web.BaseRequest, account: Account, sid: str) -> web.StreamResponse:
    world.counts["requests"] += 1
    if sid != account.waba_id:
        raise TwilioError(20404, f"The requested resource /2010-04-01/Accounts/{sid}/Messages.json was not found", 404)
    form = await read_form(request)
    channel, _, phone = form.fields.get("From", "").partition(":")
    number = number_of_phone(world, account, phone) if channel == "whatsapp" else None
    if number is None:
        raise TwilioError(63007, "Twilio could not find a Channel with the specified From address")
    body = check_common(twilio_form.message_of(world, account, form.fields))
    draft = prepare(world, account, number, form.raw, body)
    draft.shown, draft.status_url = orjson.dumps(body), form.fields.get("StatusCallback", "")
    return await take(request, draft)


async def show_file(
    world: World, _request: web.BaseRequest, account: Account, sid: str, file: str
) -> web.StreamResponse:
    """On to the store where the file lies, which asks for no login."""
    if sid != account.waba_id:
        raise TwilioError(20404, "The requested resource was not found", 404)
    place = f"{world.callbacks.address}/_media/open/{twilio_hooks.media_id_of(file)}"
    return web.Response(status=307, headers={"Location": place})


DIALECT = Twilio()
ROUTES: list[Route] = [
    ("POST", ACCOUNT + r"/Messages\.json", speaking(DIALECT, post_message)),
    ("GET", ACCOUNT + r"/Messages/\w+/Media/(\w+)", speaking(DIALECT, show_file)),
    ("GET", r"/v1/ContentAndApprovals", speaking(DIALECT, twilio_content.list_contents)),
]
