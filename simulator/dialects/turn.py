"""Turn.io: the on-premises shape with user ids, a signature, and Turn's word on each message in `_vnd.v1`."""

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from simulator.config import Account
from simulator.dialects.legacy import Legacy
from simulator.dialects.seals import Seal, Signed, by_base64
from simulator.graph import GraphError, refusal
from simulator.posting import JSON
from simulator.updates import Piece
from simulator.validate import MEDIA_EXTRAS, Body, member


class Turn(Legacy):
    name = "turn"
    seal: Seal = Signed("X-Turn-Hook-Signature", by_base64)

    def refusal(self, error: GraphError) -> web.Response:
        """WhatsApp's own refusals are handed through as they are; Turn's have a list."""
        handed_through = error.code > 130_000 and error.code != 130429
        response = refusal(error) if handed_through else super().refusal(error)
        if error.code == 130429:
            bucket = {"X-Ratelimit-Bucket": "whatsapp", "X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "1"}
            response.headers.update({"Retry-After": "1"} | bucket)
        return response

    def read(self, account: Account, body: Body) -> Body:
        kind = str(body.get("type", "text"))
        if kind in MEDIA_EXTRAS and "id" not in member(body, kind):
            raise GraphError(100, f"{kind}: a file is sent by the id it was uploaded under.")
        return super().read(account, body)

    def message(self, piece: Piece) -> dict[str, Any]:
        told = {("from_bsuid" if name == "from_user_id" else name): value for name, value in piece.item.items()}
        return told | {"_vnd": {"v1": _about(piece)}}

    def contact(self, contact: dict[str, Any]) -> dict[str, Any]:
        return contact

    def headers(self) -> dict[str, str]:
        return {**JSON, "X-Turn-Hook-Subscription": "whatsapp"}

    def is_taken(self, status: int) -> bool:
        return 200 <= status < 300

    def is_refused(self, status: int) -> bool:
        """Turn gives up on what was answered 4xx."""
        return 400 <= status < 500


def _about(piece: Piece) -> dict[str, Any]:
    sender = str(piece.item.get("from") or piece.item.get("from_user_id"))
    name = (piece.contact or {}).get("profile", {}).get("name", "")
    moment = datetime.now(UTC).isoformat()
    chat = str(uuid.UUID(bytes=hashlib.blake2b(sender.encode(), digest_size=16).digest()))
    return {
        "direction": "inbound",
        "in_reply_to": (piece.item.get("context") or {}).get("id"),
        "author": {"id": sender, "name": name, "type": "OWNER"},
        "chat": {
            "uuid": chat,
            "owner": f"+{sender}",
            "state": "OPEN",
            "state_reason": "Re-opened by inbound message.",
            "assigned_to": None,
            "unread_count": 1,
            "inserted_at": moment,
            "updated_at": moment,
        },
        "labels": [],
        "last_status": None,
        "last_status_timestamp": None,
        "on_fallback_channel": False,
        "rendered_content": None,
        "uuid": str(uuid.uuid4()),
        "inserted_at": moment,
    }


DIALECT = Turn()
