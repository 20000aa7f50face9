"""Kaleyra's first API: forms out, and callbacks in a format that the business writes, often by GET."""

import csv
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from aiohttp import web

from simulator.config import Account, ConfigError
from simulator.dialects.base import Surroundings, Taken
from simulator.dialects.door import Route, number_of_phone, speaking
from simulator.dialects.forms import Form, read_form
from simulator.dialects.kaleyra import Kaleyra, MemberError, bare_uuid, download_openly, link_to
from simulator.dialects.links import is_ours_to_call, kind_of
from simulator.media import store
from simulator.messages import prepare, take
from simulator.people import Contact, digits_of
from simulator.posting import JSON, Webhook
from simulator.updates import Piece, StatusUpdate, Update
from simulator.validate import Body, check_common
from simulator.world import World

VARIABLE = re.compile(r"<(\w+)>")
UNREACHABLE = 131026
Part = dict[str, Any]


class KaleyraV1(Kaleyra):
    """A `callback_url` with a query is called by GET, that query being the format; any other by POST of JSON."""

    name = "kaleyra-v1"
    family = "kaleyra-v1"

    async def key_of(self, request: web.BaseRequest) -> str:
        """In a header or in the form."""
        return await super().key_of(request) or (await read_form(request)).fields.get("api-key", "")

    def new_id(self, epoch: bytes, address: str, n: int) -> str:
        return f"{bare_uuid(epoch, address, n)}:0"

    def answer(self, taken: Taken, message_id: str) -> bytes:  # noqa: ARG002 (the contract)
        return orjson.dumps({"id": message_id})

    def check_inbound(self, message: Part, contact: Contact) -> None:  # noqa: ARG002 (the contract)
        if message["type"] not in TOLD or message.get(message["type"]) is None:
            raise ConfigError(f"type: Kaleyra V1 tells {', '.join(sorted(TOLD))} only")

    def webhook(self, account: Account, updates: Sequence[Update], around: Surroundings) -> Webhook | None:
        (update,) = updates
        if not isinstance(update, StatusUpdate):
            number = around.numbers[update.number_id]
            told = {"wanumber": digits_of(number.display_phone_number)} | _told(update.piece(), around.address)
            if "?" in account.callback_url:
                return Webhook(_filled(account.callback_url, told), headers={}, method="GET")
            return Webhook(account.callback_url, orjson.dumps(told), JSON)
        sent = update.sent
        if not sent.status_url:
            return None
        failed = "not-sent" if sent.failed_code == UNREACHABLE else "failed"
        told = {"id": sent.wamid, "status": failed if update.status == "failed" else update.status}
        if "?" not in sent.status_url:
            return Webhook(f"{sent.status_url}?{urlencode(told)}", headers={}, method="GET")
        ref = {"ref": sent.callback} if sent.callback and update.echo else {}
        return Webhook(_filled(sent.status_url, told | ref), headers={}, method="GET")


def _filled(url: str, values: dict[str, str]) -> str:
    """A variable without a value stays what it is, as Kaleyra leaves it."""
    return VARIABLE.sub(lambda found: quote(values.get(found[1], found[0]), safe=""), url)


def _told(piece: Piece, address: str) -> dict[str, str]:
    item = piece.item
    kind, sender = item["type"], str(item.get("from") or item["from_user_id"])
    told = {
        "created_at": str(item["timestamp"]),
        "type": "voice" if kind == "audio" and item[kind].get("voice") else kind,
        "from": sender,
        "mobile": sender,
        "name": (piece.contact or {}).get("profile", {}).get("name", ""),
        "reply_to": (item.get("context") or {}).get("id", ""),
        **TOLD[kind](item[kind], address),
    }
    return {name: value for name, value in told.items() if value}


def _told_file(part: Part, address: str) -> dict[str, str]:
    link = link_to(address, str(part.get("id")))
    return {"media_url": link, "mime_type": part.get("mime_type", ""), "body": part.get("caption", "")}


def _told_choice(part: Part, _address: str) -> dict[str, str]:
    reply = part.get(part.get("type", ""), {})
    return {"body": reply.get("title", ""), "custom_response": reply.get("id", "")}


TOLD: dict[str, Callable[[Any, str], dict[str, str]]] = {
    "text": lambda part, _: {"body": part["body"]},
    **dict.fromkeys(("image", "video", "audio", "voice", "document", "sticker"), _told_file),
    "location": lambda part, _: {"location": orjson.dumps(part).decode()},
    "contacts": lambda part, _: {"contacts": orjson.dumps(part).decode()},
    "button": lambda part, _: {"body": part["text"], "custom_response": part["payload"]},
    "interactive": _told_choice,
    "reaction": lambda part, _: {"body": part.get("emoji", ""), "reply_to": part["message_id"]},
}
"""Type of a message to the variables it fills beside those of every message."""


async def post_message(world: World, request: web.BaseRequest, account: Account, sid: str) -> web.StreamResponse:
    world.counts["requests"] += 1
    form = await read_form(request)
    given = form.fields
    number = number_of_phone(world, account, given.get("from", ""))
    status_url = given.get("callback_url", "")
    if sid != account.waba_id or number is None:
        raise MemberError("from", "invalid number")
    if given.get("channel", "").lower() != "whatsapp":
        raise MemberError("channel", "invalid channel")
    if not digits_of(given.get("to", "")):
        raise MemberError("to", "invalid number")
    if status_url and not is_ours_to_call(status_url):
        raise MemberError("callback_url", "invalid url")
    read = CONTENT.get(given.get("type", ""))
    if read is None:
        raise MemberError("type", f"one of {', '.join(CONTENT)}")
    about = {"messaging_product": "whatsapp", "to": given["to"]}
    ref = {"biz_opaque_callback_data": given["ref"]} if "ref" in given else {}
    body = check_common({**about, **ref, **read(world, account, form)})
    draft = prepare(world, account, number, form.raw, body)
    draft.shown, draft.status_url = orjson.dumps(body), status_url
    return await take(request, draft)


def _required(form: Form, name: str) -> str:
    if not form.fields.get(name):
        raise MemberError(name, "required")
    return form.fields[name]


def _text(_world: World, _account: Account, form: Form) -> Body:
    preview = form.fields.get("preview_url") == "true"
    return {"type": "text", "text": {"body": _required(form, "body"), "preview_url": preview}}


def _media(world: World, account: Account, form: Form) -> Body:
    """An uploaded file, or the address of one; what it is follows from its type."""
    caption = {"caption": form.fields["caption"]} if form.fields.get("caption") else {}
    if "media" in form.files:
        content, mime_type = form.files["media"]
        kind = mime_type.partition("/")[0]
        kind = kind if kind in {"image", "video", "audio"} else "document"
        return {"type": kind, kind: {"id": store(world, content, mime_type, account.waba_id), **caption}}
    link = _required(form, "media_url")
    return {"type": kind_of(link), kind_of(link): {"link": link, **caption}}


def _template(world: World, account: Account, form: Form) -> Body:
    name, language = _required(form, "template_name"), _required(form, "lang_code")
    given = form.fields
    components: list[Part] = []
    if given["type"] == "mediatemplate":
        link = _required(form, "media_url")
        kind = kind_of(link)
        components.append({"type": "header", "parameters": [{"type": kind, kind: {"link": link}}]})
    elif "param_header" in given:
        components.append({"type": "header", "parameters": [_words(given["param_header"])]})
    if given.get("params"):
        try:
            listed = next(csv.reader([given["params"]], skipinitialspace=True))
        except csv.Error:
            raise MemberError("params", "not a list divided by commas") from None
        components.append({"type": "body", "parameters": [_words(text) for text in listed]})
    if "param_url" in given:
        _, shape = world.templates.get((account.waba_id, name, language), (None, None))
        index = next(iter(shape.buttons), 0) if shape else 0
        button = {"type": "button", "sub_type": "url", "index": index, "parameters": [_words(given["param_url"])]}
        components.append(button)
    return {"type": "template", "template": {"name": name, "language": {"code": language}, "components": components}}


def _words(text: str) -> Part:
    return {"type": "text", "text": text}


CONTENT: dict[str, Callable[[World, Account, Form], Body]] = {
    "text": _text,
    "media": _media,
    "template": _template,
    "mediatemplate": _template,
}
"""The form's `type` to its content in the Cloud API's shape."""

DIALECT = KaleyraV1()
ROUTES: list[Route] = [
    ("POST", r"/v1/(\w+)/messages", speaking(DIALECT, post_message)),
    ("GET", r"/_media/open/([\w-]+)", download_openly),
]
