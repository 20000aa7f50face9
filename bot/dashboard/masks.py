"""Whatever leaves for somebody who may not see contact is masked on its way out, the pages of tomorrow too."""

from collections.abc import Callable, Iterable, Iterator

from flask import Flask, Response, g
from sqlalchemy import select

from bot import runtime
from bot.models.connection import Number
from bot.team.masking import masked
from bot.team.rights import Permission
from bot.team.sign_ins import SignedIn

WHOLE = frozenset({"text/html", "application/json", "text/plain"})
"""Answers that are made before they are sent; files are masked line by line as they go."""


def init(app: Flask) -> None:
    app.after_request(_mask)


def show(values: Iterable[str]) -> None:
    """Leave these as they are in this answer: somebody gave a reason, and it is written down."""
    g.shown_contact = frozenset(values)


def hider() -> Callable[[str], str]:
    """What hides contact from whoever asks, for text that is made after this request: nothing if they may see it."""
    me: SignedIn | None = g.get("signed_in")
    if me is None or Permission.PEOPLE_SEE_CONTACT in me.role:
        return str
    with runtime.current().transaction() as tx:
        ours = frozenset(tx.scalars(select(Number.phone)))  # the business's own numbers are no secret to its team
    keep = ours | {me.email} | g.get("shown_contact", frozenset())
    return lambda text: masked(text, keep)


def _mask(response: Response) -> Response:
    is_file = response.mimetype == "text/csv"
    if not is_file and (response.is_streamed or response.mimetype not in WHOLE):
        return response
    me: SignedIn | None = g.get("signed_in")
    if me is None or Permission.PEOPLE_SEE_CONTACT in me.role:
        return response
    if is_file:
        response.response = _lines(response.iter_encoded(), hider())
        response.headers.pop("Content-Length", None)
    else:
        response.set_data(hider()(response.get_data(as_text=True)))
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
