"""POST /{version}/{phone_number_id}/messages (Cloud API reference, "Messages"), and what other dialects share of it."""

import hashlib
import time
from typing import Any

import orjson
from aiohttp import web

from simulator.access import find_number
from simulator.chats import Sent
from simulator.config import Account, Number
from simulator.faults import pick_send_fault
from simulator.graph import JSON_HEADERS, GraphError, answer
from simulator.media import check_media_known
from simulator.misbehave import MISBEHAVIOURS
from simulator.people import Contact, digits_of
from simulator.slots import check_parameters
from simulator.statuses import plan_statuses
from simulator.validate import MEDIA_EXTRAS, Body, check_common, check_content, text_of
from simulator.world import World

TYPING_S = 25
TEMPLATE_REFUSALS = {"PAUSED": 132015, "DISABLED": 132016}


class Draft:
    """A send that passed every check and may be accepted."""

    __slots__ = (
        *("body", "contact", "dialect", "failed_code", "fault", "kind", "number", "raw", "record", "shown"),
        *("status_url", "template_category", "world"),
    )

    def __init__(self, world: World, account: Account, number: Number, raw: bytes, body: Body) -> None:
        self.world = world
        self.dialect = world.dialects[account.dialect]
        self.number = number
        self.raw = raw
        self.shown = raw
        self.status_url = ""
        self.failed_code = 0  # of one that is accepted and fails for certain
        self.body = body
        self.contact = find_recipient(world, body)
        self.kind = check_content(body)
        self.record: dict[str, Any] = {}
        self.template_category = ""
        self.fault = ""

    async def accept(self, *, at_once: bool = False) -> bytes:
        """Make it durable, start its statuses, and return the body of the provider's answer."""
        world, contact, number = self.world, self.contact, self.number
        world.pace.check(number, contact, world.config.faults.pair_s)
        n = world.ledger.next_number()
        wamid = self.dialect.new_id(world.epoch, contact.address, n)
        sent = Sent(wamid=wamid, waba_id=number.waba_id, number_id=number.id, contact=contact, body=self.shown)
        await world.ledger.append(self._entry(n, sent))
        world.counts["accepted"] += 1
        contact.accepted += 1
        sent.nth = contact.accepted
        sent.in_window = world.is_open(number.id, contact.last_inbound)
        sent.category = self.template_category or "service"
        world.chats.add(number.id, contact, sent)
        plan_statuses(world.config, world.callbacks, sent, at_once=at_once)
        return self.dialect.answer(self, wamid)

    def _entry(self, n: int, sent: Sent) -> dict[str, Any]:
        sent.time = time.time()
        sent.kind = self.kind
        sent.callback = self.body.get("biz_opaque_callback_data")
        sent.by_user_id = not self.body.get("to")
        sent.status_url, sent.failed_code = self.status_url, self.failed_code
        entry: dict[str, Any] = {
            "n": n,
            "time": sent.time,
            "number_id": sent.number_id,
            "to": self.body.get("to"),
            "recipient": self.body.get("recipient"),
            "wamid": sent.wamid,
            "type": self.kind,
            "callback": sent.callback,
            "body_sha256": hashlib.sha256(self.raw).hexdigest(),
        }
        if self.fault:
            entry["fault"] = self.fault
        if self.status_url:
            entry["status_url"] = self.status_url
        return entry | self.record


async def post_message(world: World, request: web.BaseRequest, _version: str, number_id: str) -> web.StreamResponse:
    world.counts["requests"] += 1
    account, number = find_number(world, request, number_id)
    return await take_body(world, request, account, number)


async def take_body(world: World, request: web.BaseRequest, account: Account, number: Number) -> web.StreamResponse:
    """A body in the Cloud API's shape, as it was posted."""
    raw = await request.read()
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise GraphError(100, "The body is not valid JSON.") from None
    if isinstance(body, dict) and "status" in body:
        return _mark_read(world, number, body)
    return await take(request, prepare(world, account, number, raw, check_common(body)))


async def take(request: web.BaseRequest, draft: Draft) -> web.StreamResponse:
    """Accept, or let go wrong what is to."""
    draft.fault = pick_send_fault(draft.world.config, draft.contact)
    note(draft.world, draft)
    if draft.fault:
        return await MISBEHAVIOURS[draft.fault](draft, request)
    return web.Response(body=await draft.accept(), status=draft.dialect.accepted_status, headers=JSON_HEADERS)


def prepare(world: World, account: Account, number: Number, raw: bytes, body: Body) -> Draft:
    draft = Draft(world, account, number, raw, body)
    if draft.kind == "template":
        _check_template(world, account, draft)
        return draft
    if number.check_window and not world.is_open(number.id, draft.contact.last_inbound):
        draft.dialect.close_window(draft)
    if draft.kind == "text":
        draft.record["text"] = body["text"]["body"]
    elif draft.kind in MEDIA_EXTRAS:
        check_media_known(world, body[draft.kind])
    return draft


def find_recipient(world: World, body: Body) -> Contact:
    """`to` wins over `recipient`, as with the provider."""
    if body.get("to"):
        digits = digits_of(str(body["to"]))
        if not digits:
            raise GraphError(131009, "Param to is not a phone number.")
        return world.people.by_phone(digits)
    contact = world.people.find(str(body["recipient"]))
    if contact is None or not str(body["recipient"])[:2].isalpha():
        raise GraphError(131009, "Param recipient is not a business-scoped user id.")
    return contact


def _check_template(world: World, account: Account, draft: Draft) -> None:
    wanted = draft.body["template"]
    name = text_of(wanted, "name", "template")
    language = wanted.get("language")
    code = text_of(language if isinstance(language, dict) else {}, "code", "template['language']")
    template, shape = world.templates.get((account.waba_id, name, code), (None, None))
    if template is None or shape is None:
        raise GraphError(132001, f"template name ({name}) does not exist in {code}")
    status = template.status.upper()
    if status != "APPROVED":
        raise GraphError(TEMPLATE_REFUSALS.get(status, 132001), f"template name ({name}) in {code} is {status}")
    if template.category.upper() == "AUTHENTICATION" and not draft.body.get("to"):
        raise GraphError(131062)
    draft.template_category = template.category.lower()
    params = check_parameters(shape, wanted.get("components", []))
    draft.record = {"template": name, "language": code, "params": params}


def note(world: World, draft: Draft) -> None:
    """Remember the request itself, accepted or not, so that a test can count attempts."""
    callback = str(draft.body.get("biz_opaque_callback_data", ""))
    world.requests.append((time.time(), draft.number.id, draft.contact.address, callback, draft.fault))


def _mark_read(world: World, number: Number, body: Body) -> web.Response:
    """Read mark and typing indicator; any id of the provider's form is taken, since a restart forgets them."""
    if body.get("messaging_product") != "whatsapp":
        raise GraphError(100, "The parameter messaging_product is required.")
    if body["status"] != "read":
        raise GraphError(100, "Param status must be one of {READ}.")
    wamid = text_of(body, "message_id", "message")
    if not wamid.startswith("wamid."):
        raise GraphError(131009, "Param message_id is not the id of a received message.")
    typing = body.get("typing_indicator")
    if typing is not None and typing != {"type": "text"}:
        raise GraphError(100, "Param typing_indicator['type'] must be one of {TEXT}.")
    world.reads.append({"number_id": number.id, "message_id": wamid, "typing": typing is not None})
    world.chats.mark_read(number.id, wamid, time.time() + TYPING_S if typing else 0.0)
    return answer({"success": True})
