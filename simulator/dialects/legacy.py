"""The on-premises shape, which Turn.io speaks too: bodies without an envelope, one number, `errors` in answers."""

import base64
from collections.abc import Sequence
from typing import Any

import orjson
from aiohttp import web

from simulator.config import Account
from simulator.dialects.base import Dialect, Surroundings, Taken
from simulator.dialects.door import Route, only_number, read_json, speaking
from simulator.graph import ERRORS, GraphError, answer, title_of
from simulator.media import LIMITS, serve_file, store
from simulator.messages import prepare, take
from simulator.posting import JSON, Webhook
from simulator.updates import Piece, Update, encode
from simulator.validate import Body, check_common, member
from simulator.world import World


class Legacy(Dialect):
    family = "legacy"
    most = 100
    tells_fields = False

    def new_id(self, epoch: bytes, address: str, n: int) -> str:
        return "gBEG" + base64.urlsafe_b64encode(address[-6:].encode() + epoch + n.to_bytes(6)).decode()

    def answer(self, taken: Taken, message_id: str) -> bytes:  # noqa: ARG002 (the contract)
        return orjson.dumps({"messages": [{"id": message_id}]})

    def code_of(self, code: int) -> tuple[int, int]:
        """HTTP status and this API's own code of an error of the Cloud API."""
        return (401, 1005) if code == 190 else (ERRORS[code][0], code)

    def refusal(self, error: GraphError) -> web.Response:
        status, code = self.code_of(error.code)
        return answer({"errors": [{"code": code, "title": title_of(error.code), "details": error.details}]}, status)

    def read(self, account: Account, body: Body) -> Body:
        """A posted body in the Cloud API's shape; raises GraphError."""
        kind = body.get("type", "text")
        if kind == "template" and member(body, "template").get("namespace") != account.waba_id:
            raise GraphError(132001, "The template's namespace is not this account's.")
        return {**body, "messaging_product": "whatsapp"}

    def message(self, piece: Piece) -> dict[str, Any]:
        """An item of `messages` as this API tells it."""
        return dict(piece.item)

    def status(self, item: dict[str, Any]) -> dict[str, Any]:
        """An item of `statuses`; nothing the sender sent along comes back in it."""
        return {name: value for name, value in item.items() if name != "biz_opaque_callback_data"}

    def headers(self) -> dict[str, str]:
        return dict(JSON)

    def webhook(self, account: Account, updates: Sequence[Update], around: Surroundings) -> Webhook | None:  # noqa: ARG002 (the contract)
        body: dict[str, Any] = {}
        contacts: dict[str, dict[str, Any]] = {}
        for update in updates:
            piece = update.piece()
            is_status = piece.key == "statuses"
            body.setdefault(piece.key, []).append(self.status(piece.item) if is_status else self.message(piece))
            if piece.contact is not None and not is_status:
                contacts[piece.contact["user_id"]] = self.contact(piece.contact)
            if piece.errors:
                body.setdefault("errors", []).extend(piece.errors)
        listed = {"contacts": list(contacts.values())} if contacts else {}
        return Webhook(account.callback_url, encode(listed | body), self.headers())

    def contact(self, contact: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in contact.items() if name != "user_id"}


async def post_message(world: World, request: web.BaseRequest, account: Account) -> web.StreamResponse:
    world.counts["requests"] += 1
    number = only_number(world, account)
    raw, posted = await read_json(request)
    dialect = world.dialects[account.dialect]
    if not isinstance(dialect, Legacy):
        raise TypeError(account.dialect)
    draft = prepare(world, account, number, raw, check_common(dialect.read(account, posted)))
    draft.shown = orjson.dumps(draft.body)
    return await take(request, draft)


async def post_media(world: World, request: web.BaseRequest, account: Account) -> web.StreamResponse:
    """The bytes of the file are the body."""
    content, kind = await request.read(), request.content_type
    if kind not in LIMITS:
        raise GraphError(100, f"The Content-Type must be one of {', '.join(LIMITS)}.")
    if not 0 < len(content) <= LIMITS[kind]:
        raise GraphError(131053, f"A file of type {kind} has 1 to {LIMITS[kind]} bytes.")
    return answer({"media": [{"id": store(world, content, kind, account.waba_id)}]})


async def download(world: World, request: web.BaseRequest, _account: Account, media_id: str) -> web.StreamResponse:
    return await serve_file(world, request, media_id)


ANYBODY = Legacy()
ROUTES: list[Route] = [
    ("POST", r"/v1/messages", speaking(ANYBODY, post_message)),
    ("POST", r"/v1/media", speaking(ANYBODY, post_media)),
    ("GET", r"/v1/media/([\w-]+)", speaking(ANYBODY, download)),
]
