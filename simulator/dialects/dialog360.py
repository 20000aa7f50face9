"""360dialog: the Cloud API's bodies behind a key of one number, and a webhook whose headers the business chooses."""

import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from simulator.config import LOOPBACK, Account
from simulator.dialects.base import Dialect
from simulator.dialects.door import Route, only_number, read_json, speaking
from simulator.dialects.seals import Planted, Seal
from simulator.graph import GraphError, answer
from simulator.media import describe_media, seal, serve_sealed, take_upload
from simulator.messages import take_body
from simulator.templates import add_template, drop_templates, show_templates
from simulator.world import World

META_FILES = "https://lookaside.fbsbx.com"
FILES = "/whatsapp_business/attachments/"
OWN: dict[int, tuple[int, str]] = {190: (401, "Invalid api key"), 130429: (400, "exceeded endpoint rate limit")}
"""What 360dialog says itself, without a code of Meta's."""


class Dialog360(Dialect):
    name = "360dialog"
    family = "360dialog"
    samples_by_link = True
    seal: Seal = Planted()

    async def key_of(self, request: web.BaseRequest) -> str:
        return request.headers.get("D360-API-KEY", "")

    def refusal(self, error: GraphError) -> web.Response:
        if error.code not in OWN:
            return super().refusal(error)
        status, words = OWN[error.code]
        return answer({"meta": {"success": False, "http_code": status, "developer_message": words}}, status)


async def post_message(world: World, request: web.BaseRequest, account: Account) -> web.StreamResponse:
    world.counts["requests"] += 1
    return await take_body(world, request, account, only_number(world, account))


async def list_templates(world: World, request: web.BaseRequest, account: Account) -> web.StreamResponse:
    return show_templates(world, request, account.waba_id)


async def delete_template(world: World, request: web.BaseRequest, account: Account) -> web.StreamResponse:
    return drop_templates(world, request, account.waba_id)


async def show_media(world: World, _request: web.BaseRequest, account: Account, media_id: str) -> web.StreamResponse:
    """Where Meta has the file; there it is had with Meta's token only, and with the key at the same path here."""
    expires = int(time.time() + world.config.faults.media_life_s)
    query = urlencode({"mid": media_id, "ext": expires, "hash": seal(world, media_id, expires)})
    return describe_media(world, account, media_id, f"{META_FILES}{FILES}?{query}")


async def download(world: World, request: web.BaseRequest, _account: Account) -> web.StreamResponse:
    return await serve_sealed(world, request, request.query.get("mid", ""))


async def set_webhook(_world: World, request: web.BaseRequest, account: Account) -> web.StreamResponse:
    _, given = await read_json(request)
    url, headers = str(given.get("url", "")), given.get("headers", {})
    if urlsplit(url).hostname not in LOOPBACK:
        raise GraphError(100, "url: this simulator calls loopback addresses only.")
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise GraphError(100, "headers: an object of texts is needed.")
    account.callback_url, account.callback_headers = url, headers
    return answer(_webhook(account))


async def show_webhook(_world: World, _request: web.BaseRequest, account: Account) -> web.StreamResponse:
    return answer(_webhook(account))


def _webhook(account: Account) -> dict[str, Any]:
    return {"url": account.callback_url, "headers": account.callback_headers}


DIALECT = Dialog360()
ROUTES: list[Route] = [
    (method, path, speaking(DIALECT, handler))
    for method, path, handler in (
        ("POST", r"/messages", post_message),
        ("POST", r"/media", take_upload),
        ("GET", r"/message_templates", list_templates),
        ("POST", r"/message_templates", add_template),
        ("DELETE", r"/message_templates", delete_template),
        ("GET", r"/v1/configs/webhook", show_webhook),
        ("POST", r"/v1/configs/webhook", set_webhook),
        ("GET", FILES, download),
        ("GET", r"/(\d+|sample-[\w-]+)", show_media),
    )
]
