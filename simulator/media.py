"""Upload, look-up and download of media (Cloud API reference, "Media")."""

import hashlib
import hmac
import secrets
import time
from pathlib import Path
from typing import Any

import orjson
from aiohttp import BodyPartReader, web

from simulator.access import find_account, find_number, unknown_object
from simulator.config import Account
from simulator.graph import GraphError, answer
from simulator.media_faults import MISBEHAVING
from simulator.media_samples import SAMPLES
from simulator.world import World

MB = 1024 * 1024
LIMITS: dict[str, int] = {
    **dict.fromkeys(("image/jpeg", "image/png"), 5 * MB),
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16 * MB),
    **dict.fromkeys(("video/mp4", "video/3gpp"), 16 * MB),
    "image/webp": 500 * 1024,
    **dict.fromkeys(
        (
            *("text/plain", "application/pdf", "application/msword", "application/vnd.ms-excel"),
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        100 * MB,
    ),
}
"""Largest size by type of what may be uploaded."""


async def post_media(world: World, request: web.BaseRequest, _version: str, number_id: str) -> web.StreamResponse:
    account, _ = find_number(world, request, number_id)
    return await take_upload(world, request, account)


async def take_upload(world: World, request: web.BaseRequest, account: Account) -> web.StreamResponse:
    if not request.content_type.startswith("multipart/"):
        raise GraphError(100, "The upload must be multipart/form-data.")
    fields: dict[str, str] = {}
    content, file_type = b"", ""
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise GraphError(100, "Nested parts are not supported.")
        if part.name == "file":
            file_type = part.headers.get("Content-Type", "")
            content = await _read_file(part)
        else:
            fields[part.name or ""] = await part.text()
    if fields.get("messaging_product") != "whatsapp":
        raise GraphError(100, "The parameter messaging_product is required.")
    kind = (fields.get("type") or file_type).partition(";")[0].strip().lower()
    if kind not in LIMITS:
        raise GraphError(100, f"Param file must be a file with one of the following types: {', '.join(LIMITS)}.")
    if not content:
        raise GraphError(100, "The parameter file is required.")
    if len(content) > LIMITS[kind]:
        raise GraphError(131053, f"A file of type {kind} may have at most {LIMITS[kind]} bytes.")
    return answer({"id": store(world, content, kind, account.waba_id)})


async def _read_file(part: BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(256 * 1024):
        content += chunk
        if len(content) > max(LIMITS.values()):
            raise GraphError(131053, "The file is larger than any type may be.")
    return bytes(content)


def store(world: World, content: bytes, mime_type: str, waba_id: str) -> str:
    media_id = str(secrets.randbelow(9 * 10**14) + 10**14)
    world.media.mkdir(exist_ok=True)
    (world.media / media_id).write_bytes(content)
    (world.media / f"{media_id}.json").write_bytes(orjson.dumps({"mime_type": mime_type, "waba_id": waba_id}))
    return media_id


def find_media(world: World, media_id: str) -> tuple[bytes, str, str] | None:
    """Content, type and owner (nobody: a built-in sample) of a medium."""
    if media_id in SAMPLES:
        mime_type, content = SAMPLES[media_id]
        return content, mime_type, ""
    path: Path = world.media / media_id
    if not media_id.isdecimal() or not path.is_file():
        return None
    about = orjson.loads((world.media / f"{media_id}.json").read_bytes())
    return path.read_bytes(), about["mime_type"], about["waba_id"]


def check_media_known(world: World, asset: dict[str, Any]) -> None:
    if asset.get("id") and find_media(world, str(asset["id"])) is None:
        raise GraphError(131009, f"No media with the id {asset['id']} was uploaded.")


async def show_media(world: World, request: web.BaseRequest, media_id: str) -> web.StreamResponse:
    """Where the file is; the url works for `media_life_s` (the provider's five minutes) and only with the token."""
    account = find_account(world, request)
    expires = int(time.time() + world.config.faults.media_life_s)
    url = f"http://{request.host}/_media/{media_id}?ext={expires}&hash={seal(world, media_id, expires)}"
    return describe_media(world, account, media_id, url)


def describe_media(world: World, account: Account, media_id: str, url: str) -> web.StreamResponse:
    found = find_media(world, media_id)
    if found is None or found[2] not in {"", account.waba_id}:
        raise unknown_object(media_id)
    content, mime_type, _ = found
    return answer(
        {
            "messaging_product": "whatsapp",
            "url": url,
            "mime_type": mime_type,
            "sha256": hashlib.sha256(content).hexdigest(),
            "file_size": len(content),
            "id": media_id,
        }
    )


async def download_media(world: World, request: web.BaseRequest, media_id: str) -> web.StreamResponse:
    """The bytes; 404 once the url is too old, as the provider answers."""
    find_account(world, request)
    return await serve_sealed(world, request, media_id)


async def serve_sealed(world: World, request: web.BaseRequest, media_id: str) -> web.StreamResponse:
    expires = request.query.get("ext", "0")
    sealed = expires.isdecimal() and hmac.compare_digest(
        seal(world, media_id, int(expires)).encode(), request.query.get("hash", "").encode()
    )
    if not sealed or int(expires) < time.time():
        return web.Response(status=404)
    return await serve_file(world, request, media_id)


async def serve_file(world: World, request: web.BaseRequest, media_id: str) -> web.StreamResponse:
    """To whoever was let in; misbehaves where the id says so."""
    found = find_media(world, media_id)
    if found is None:
        return web.Response(status=404)
    misbehave = MISBEHAVING.get(media_id)
    if misbehave is not None:
        return await misbehave(world, request, found[0])
    return web.Response(body=found[0], headers={"Content-Type": found[1]})


async def delete_media(world: World, request: web.BaseRequest, _version: str, media_id: str) -> web.StreamResponse:
    account = find_account(world, request)
    found = find_media(world, media_id)
    if found is None or found[2] != account.waba_id:
        raise unknown_object(media_id)
    (world.media / media_id).unlink()
    (world.media / f"{media_id}.json").unlink()
    return answer({"success": True})


def seal(world: World, media_id: str, expires: int) -> str:
    return hmac.new(world.epoch, f"{media_id}|{expires}".encode(), hashlib.sha256).hexdigest()[:32]
