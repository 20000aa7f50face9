"""Pages: the file of a message, and the wish to have it fetched again. No byte of it is taken for a page of ours."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _
from bot.media import claims, kinds, names
from bot.media.shelf import NoSuchFileError, ShelfError, open_shelf
from bot.models.conversation import Conversation
from bot.models.message import Media, Message
from bot.models.words import MediaState

pages = Blueprint("media", __name__)

HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=600",
    "Accept-Ranges": "bytes",
}


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a file that is asked for, from `start` to before `stop`."""

    start: int
    stop: int
    status: int


@pages.get("/media/<int:media_id>")
def show(media_id: int) -> ResponseReturnValue:
    """The file; a part of it for players, which ask so. Types that may hold script are only ever downloads."""
    rt = runtime.current()
    with rt.transaction() as tx:
        media = _find(tx, media_id)
        if media.state != MediaState.STORED or media.storage_key is None or media.size is None:
            abort(404)
    if request.if_none_match.contains(media.storage_key):
        return _described(Response(status=304), media)
    span = _span(media.size)
    try:
        pieces = open_shelf(rt.settings).read(media.storage_key, span.start, span.stop)
    except NoSuchFileError:
        abort(404)
    except ShelfError as error:
        abort(503, str(error))
    return _described(_answer(pieces, span, media.size), media)


@pages.post("/media/<int:media_id>/again")
def fetch_again(media_id: int) -> ResponseReturnValue:
    rt = runtime.current()
    with rt.transaction() as tx:
        media = _find(tx, media_id)
        is_waiting = claims.try_again(tx, media.id)
        conversation_id = tx.scalar(
            select(Conversation.id)
            .join(
                Message, and_(Message.person_id == Conversation.person_id, Message.number_id == Conversation.number_id)
            )
            .where(Message.id == media.message_id)
        )
    if is_waiting:
        rt.ring("media")
    flash(_("The file is being fetched again.") if is_waiting else _("There is nothing to fetch again."))
    if conversation_id is None:
        return redirect(url_for("inbox.index"), 303)
    return redirect(url_for("inbox.thread", conversation_id=conversation_id, _anchor=f"m{media.message_id}"), 303)


def _find(tx: Session, media_id: int) -> Media:
    """Of the environment that is shown, and of no other."""
    found = tx.scalar(
        select(Media)
        .join(Message, Message.id == Media.message_id)
        .where(Media.id == media_id, Message.environment == access.environment())
    )
    return found or abort(404)


def _span(size: int) -> Span:
    """All of it, or the one range asked for; whoever asks for several gets all, as RFC 9110 allows."""
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return Span(0, size, 200)
    found = asked.range_for_length(size)
    if found is None:
        abort(Response(status=416, headers={"Content-Range": f"bytes */{size}"}))
    return Span(*found, 206)


def _answer(pieces: Iterator[bytes], span: Span, size: int) -> Response:
    response = Response(pieces, status=span.status)
    response.content_length = span.stop - span.start
    if span.status == 206:
        response.headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
    return response


def _described(response: Response, media: Media) -> Response:
    is_inline = media.mime_type in kinds.INLINE
    name = names.safe_name(media.name, media.mime_type, media.id)
    response.headers.update(HEADERS)
    response.content_type = media.mime_type if is_inline and media.mime_type else kinds.UNKNOWN
    response.headers["Content-Disposition"] = names.disposition("inline" if is_inline else "attachment", name)
    response.set_etag(media.storage_key or "")
    return response
