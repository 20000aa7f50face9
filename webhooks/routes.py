"""Where providers call: `GET` is their handshake, `POST` a body that is answered once it is durable."""

import functools
import hashlib
import re
from collections.abc import Mapping
from typing import cast

from flask import Blueprint, Response, current_app, request

from bot import runtime
from bot.providers.base import BadSignatureError, Call
from bot.runtime import Runtime
from webhooks import evidence
from webhooks.inbox import Inbox, NotStoredError
from webhooks.lines import Line, Lines, UnknownYetError
from webhooks.sightings import Kind, Sightings
from webhooks.spool import Spool
from webhooks.store import Entry

routes = Blueprint("webhooks", __name__, url_prefix="/webhooks")

_CHALLENGE = re.compile(r"[0-9A-Za-z_-]{1,128}")


class Intake:
    """What one process's webhook routes share: the opened accounts and the inbox."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self.lines = Lines(rt)
        spool = Spool(rt.settings.spool, rt.settings.spool_max_bytes)
        self.sightings = Sightings(rt.engine)
        self.inbox = Inbox(rt.engine, spool, lambda: rt.ring("intake"))


@routes.get("/<slug>")
@routes.get("/<slug>/<path:path_secret>")
def handshake(slug: str, path_secret: str | None = None) -> Response:
    intake = _intake()
    line = intake.lines.find(slug)
    if line is None:
        return _plain("no such connection", 404)
    if line.provider.takes_get:
        return _take(intake, line, _call(intake, request.query_string, path_secret))
    challenge = line.provider.challenge(line.account, request.args)
    if challenge is None:
        names = list(request.args)
        kind = Kind.HANDSHAKE_REFUSED if names else Kind.STRAY_GET
        intake.sightings.note(line.connection_id, kind, lambda: evidence.of_handshake(names))
        return _plain("not verified", 403)
    if not _CHALLENGE.fullmatch(challenge):  # it is sent back as it came
        return _plain("not a challenge", 400)
    intake.sightings.note(line.connection_id, Kind.HANDSHAKE)
    return _plain(challenge, 200)


@routes.post("/<slug>")
@routes.post("/<slug>/<path:path_secret>")
def receive(slug: str, path_secret: str | None = None) -> Response:
    intake = _intake()
    line = intake.lines.find(slug)
    if line is None:
        return _plain("no such connection", 404)
    body = _read(intake.rt.settings.webhook_max_bytes)
    if body is None:
        intake.sightings.note(line.connection_id, Kind.TOO_LARGE)
        return _plain("too large", 413)
    return _take(intake, line, _call(intake, body, path_secret))


@routes.errorhandler(UnknownYetError)
def cannot_ask(_: UnknownYetError) -> Response:
    return _plain("cannot look it up, send again", 503)


def _take(intake: Intake, line: Line, call: Call) -> Response:
    try:
        line.provider.verify(line.account, call)
    except BadSignatureError:
        refused = functools.partial(evidence.of_refused, intake.rt, line.connection_id, call)
        intake.sightings.note(line.connection_id, Kind.REFUSED, refused)
        return _plain("bad signature", 401)
    kept = call.kept(line.provider.kept_headers)
    digest = hashlib.sha256(call.body)
    for name, value in sorted(kept.items()):  # the same body under another heading is another event
        digest.update(f"\n{name}: {value}".encode())
    entry = Entry(line.connection_id, request.content_type, call.body, digest.digest(), kept or None)
    try:
        intake.inbox.put(entry)
    except NotStoredError:
        return _plain("not stored, send again", 503)
    content_type, text = line.provider.acknowledgement
    return Response(text, 200, content_type=content_type)


def _call(intake: Intake, body: bytes, path_secret: str | None) -> Call:
    query = request.query_string.decode("latin-1")
    url = f"{intake.rt.settings.base_url}{request.path}" + (f"?{query}" if query else "")
    return Call(request.method, url, cast("Mapping[str, str]", request.headers), body, path_secret)


def _read(limit: int) -> bytes | None:
    """The raw body, or None if it is longer than `limit`: unread if it says so, else read one byte beyond."""
    if (request.content_length or 0) > limit:
        return None
    # Without a Content-Length the stream just ends at the limit, so the byte beyond tells whether there was more.
    request.max_content_length = limit + 1
    body = request.get_data(cache=False)
    return body if len(body) <= limit else None


def _intake() -> Intake:
    rt = runtime.current()
    intake: Intake | None = current_app.extensions.get("backchat.intake")
    if intake is None or intake.rt is not rt:
        intake = current_app.extensions["backchat.intake"] = Intake(rt)
    return intake


def _plain(text: str, status: int) -> Response:
    return Response(text, status, {"X-Content-Type-Options": "nosniff"}, content_type="text/plain; charset=utf-8")
