"""The list's rows as text: each is made once for all who look at it, until something in it changes."""

import re
from collections.abc import Callable, Hashable
from datetime import datetime
from functools import lru_cache

from flask import current_app, url_for
from markupsafe import Markup

from bot.dashboard import access, languages, times
from bot.dashboard.listing import Item, Listing

Row = Callable[[Item, int | None], Markup]
"""What dashboard/_rows.html asks for: a row, marked if it is that of the thread that is open."""

_KEPT = 4000
_NOWHERE = "/inbox/0"
_INDENT = re.compile(r"\s*\n\s*")


def painter(known: Listing | None = None) -> Row:
    """Of a row that stands in `known` as it is now, only its place: the page has it."""
    address, me = _address(), access.operator().id
    said = (str(languages.locale()), str(times.zone()), datetime.now(times.zone()).date())
    seen = {item.id: item for item in known.items} if known else {}

    def paint(item: Item, current: int | None) -> Markup:
        if seen.get(item.id) == item:
            return Markup('<li id="c{}" data-same></li>').format(item.id)
        left = times.until(item.window_closes_at) if item.window_closes_at else ""
        row = _row(item, _fill(address, item.id), left, said, is_mine=item.assigned_to_id == me)
        return mark(row, current) if item.id == current else row

    return paint


def view(listing: Listing) -> Hashable:
    """Whoever shares it is shown a list in the same words, apart from which thread is open and what is masked.

    Of one language: who reads another is pushed a list of their own (pushing).
    """
    me = access.operator().id
    is_theirs = bool(listing.counts.by_coach.get(me)) or any(item.assigned_to_id == me for item in listing.items)
    return _address(), me if is_theirs else 0


def mark(text: Markup, current: int | None) -> Markup:
    """Say which thread is open."""
    if current is None:
        return text
    link = Markup('<a href="{}"').format(_fill(_address(), current))
    marked = str(text).replace(f"{link}>", f'{link} aria-current="page">', 1)
    return Markup(marked)  # noqa: S704 (all of it was markup)


@lru_cache(_KEPT)
def _row(item: Item, address: str, left: str, _said: Hashable, *, is_mine: bool) -> Markup:
    """`_said` is what else its words depend on. A row has no lines of its own, as each costs a pushed page a mark."""
    template = current_app.jinja_env.get_template("dashboard/_row.html")
    text = template.render(item=item, address=address, left=left, is_mine=is_mine)
    return Markup(_INDENT.sub(" ", text))  # noqa: S704 (a template made it)


def _address() -> str:
    """Of a thread, with what its links hand on; the number is to be filled in: asking for each takes far longer."""
    return url_for("inbox.thread", conversation_id=0)


def _fill(address: str, conversation_id: int) -> str:
    before, found, after = address.partition(_NOWHERE)
    return f"{before}{found[:-1]}{conversation_id}{after}"
