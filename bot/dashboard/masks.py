"""Whatever leaves for somebody who may not see contact is masked on its way out, the pages of tomorrow too."""

from collections.abc import Callable, Iterable, Iterator

from flask import Flask, Response, abort, g, has_request_context, json, request

from bot import runtime
from bot.language import _
from bot.people import terms
from bot.team import hiding
from bot.team.masking import is_hidden
from bot.team.rights import Permission
from bot.team.sign_ins import SignedIn

WHOLE = frozenset({"text/html", "text/plain"})
"""Answers that are made before they are sent, as JSON is; files are masked line by line as they go."""
AS_THEY_ARE = frozenset({"static", "bootstrap.static", "media.show"})
"""What holds nothing of ours, and what people sent as a picture, a voice or a document."""
PUSHED = "text/event-stream"
"""Masked by who makes it, event by event."""


def init(app: Flask) -> None:
    terms.follow(lambda: has_request_context() and (hides() or bool(g.get("masks"))))
    app.before_request(_refuse_hidden)
    app.after_request(_mask)


def show(values: Iterable[str]) -> None:
    """Leave these as they are in this answer: somebody gave a reason, and it is written down."""
    g.shown_contact = frozenset(values)


def hides() -> bool:
    """Whether whoever asks may not see contact: they are not to find it out by searching either."""
    me: SignedIn | None = g.get("signed_in")
    return me is not None and Permission.PEOPLE_SEE_CONTACT not in me.role


def hider() -> Callable[[str], str]:
    """What hides contact from whoever asks, for text that is made after this request: nothing if they may see it."""
    me: SignedIn | None = g.get("signed_in")
    if me is None or not hides():
        return str
    return hiding.hider(runtime.current(), {me.email, *g.get("shown_contact", ())})


def _refuse_hidden() -> None:
    """A form filled in with what is shown in place of contact would take its place; a message may quote it."""
    is_form = request.method == "POST" and request.blueprint != "inbox"
    if is_form and hides() and any(map(is_hidden, request.form.values())):
        abort(
            422,
            _("This form holds contact that you see shortened: saved, it would be lost. Ask somebody who sees it."),
        )


def _mask(response: Response) -> Response:
    """What cannot be masked does not leave at all."""
    if not hides() or request.endpoint in AS_THEY_ARE or response.mimetype == PUSHED or response.status_code == 304:
        return response
    if response.mimetype == "text/csv":
        response.response = _lines(response.iter_encoded(), hider())
        response.headers.pop("Content-Length", None)
    elif response.mimetype in WHOLE and not response.is_streamed:
        response.set_data(hider()(response.get_data(as_text=True)))
    elif response.mimetype == "application/json" and not response.is_streamed:
        response.set_data(json.dumps(hiding.everywhere(json.loads(response.get_data()), hider())))
    else:
        response.close()
        said = _("This cannot be shown without phone numbers and e-mail addresses.")
        return Response(said, 403, mimetype="text/plain")
    return response


def _lines(pieces: Iterable[bytes], hide: Callable[[str], str]) -> Iterator[bytes]:
    """A number may be cut in two where one piece ends, but not where a line does."""
    rest = b""
    for piece in pieces:
        whole, mark, rest = (rest + piece).rpartition(b"\n")
        if mark:
            yield hide((whole + mark).decode(errors="replace")).encode()
    if rest:
        yield hide(rest.decode(errors="replace")).encode()
