"""Answers that go on: a page is told what changes by server-sent events, or, without a free place, to ask by itself."""

import zlib
from collections.abc import Callable, Iterator

from flask import Flask, Response, current_app, g, request, stream_with_context

from bot import language, live, runtime
from bot.dashboard import access, languages, masks
from bot.language import SOURCE
from bot.live import FullError, Hub, Look, Reader, Stream

_SHARE = 4
_COME_AGAIN_S = "10"
_HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",  # nginx would keep events until they fill a buffer
}


def hub_of(app: Flask) -> Hub:
    """Of a process's threads a quarter may be held by streams: each holds one for as long as its page is looked at."""
    rt = runtime.current()
    hub: Hub = app.extensions.setdefault("live", Hub(rt.redis, max(1, rt.settings.web_threads // _SHARE)))
    return hub


def glance(topic: str, look: Look) -> object:
    """What a page that asks by itself is told; one that is just being watched is not looked at once more."""
    return hub_of(current_app).glance(_topic(topic), language.keep(look))


def push(topic: str, look: Look, render: Callable[[object], str], quick_s: float | None = None) -> Response:
    """Send what `render` makes, for this reader, of what `look` tells; 503 where the process has no place left.

    It ends when the reader is signed out or may do something else than before; their page then comes again and is told.
    """
    reader = Reader(live.operator(access.operator().id), access.follow())
    try:
        stream = hub_of(current_app).watch(_topic(topic), language.keep(look), quick_s, reader)
    except FullError:
        return Response("No place to wait: ask again.", 503, {"Retry-After": _COME_AGAIN_S}, mimetype="text/plain")
    seen, hide = request.headers.get("Last-Event-ID", ""), masks.hider()
    answer = Response(
        stream_with_context(_events(stream, lambda facts: hide(render(facts)), seen)),
        headers=_HEADERS,
        mimetype="text/event-stream",
    )
    answer.call_on_close(stream.close)
    return answer


def _topic(topic: str) -> str:
    """Who read another language look at a view of their own, for what is looked at says words."""
    code = languages.locale().language
    return topic if code == SOURCE else f"{topic}{'&' if '?' in topic else '?'}{code}"


def _events(stream: Stream, render: Callable[[object], str], seen: str) -> Iterator[bytes]:
    """Whoever comes again with the id of what they saw last is told only what is new."""
    yield b"retry: 1000\n\n"
    for news in stream:
        if news is None:
            yield b": still here\n\n"
            continue
        data = render(news.facts).encode()
        token = g.get("csrf_token", "").encode()  # signed anew each second, which is no news
        mark = f"{zlib.crc32(data.replace(token, b'')):08x}"
        if mark != seen:
            seen = mark
            yield b"".join(
                (b"id: ", mark.encode(), b"\n", *(b"data: %s\n" % line for line in data.split(b"\n")), b"\n")
            )
