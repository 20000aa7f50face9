"""What Kaleyra's two APIs share: the key, ids, refusals by member, and links to files."""

import hashlib
import uuid

from aiohttp import web

from simulator.dialects.base import Dialect
from simulator.dialects.seals import Planted, Seal
from simulator.graph import GraphError, answer
from simulator.media import serve_file
from simulator.world import World

MEMBERS: dict[int, str] = {
    190: "api-key",
    131053: "media",
    **dict.fromkeys((131026, 131047, 131049, 131050), "to"),
    **dict.fromkeys((131008, 132000, 132005, 132012, 132018), "params"),
    **dict.fromkeys((132001, 132015, 132016), "template_name"),
}
"""Code of the Cloud API: the member of the form that is told to be wrong."""


class MemberError(GraphError):
    """A member of the posted form is missing or wrong."""

    def __init__(self, member: str, why: str) -> None:
        super().__init__(100, why)
        self.member = member


class Kaleyra(Dialect):
    most = 1
    tells_fields = False
    seal: Seal = Planted()

    async def key_of(self, request: web.BaseRequest) -> str:
        return request.headers.get("api-key", "")

    def refusal(self, error: GraphError) -> web.Response:
        if error.code == 130429:
            return answer({"error": {"message": "Too many requests"}}, 429)
        if error.code == 131000:
            return answer({"error": {"message": "Internal server error"}}, 500)
        member = error.member if isinstance(error, MemberError) else MEMBERS.get(error.code, "body")
        return answer({"error": {member: error.details or "invalid"}}, 401 if error.code == 190 else 400)


def bare_uuid(epoch: bytes, address: str, n: int) -> uuid.UUID:
    told = epoch + address.encode() + n.to_bytes(8)
    return uuid.UUID(bytes=hashlib.blake2b(told, digest_size=16).digest(), version=4)


def link_to(address: str, media_id: str) -> str:
    """Where Kaleyra's store has a copy of a file; it asks nobody who he is."""
    return f"{address}/_media/open/{media_id}"


async def download_openly(world: World, request: web.BaseRequest, media_id: str) -> web.StreamResponse:
    return await serve_file(world, request, media_id)
