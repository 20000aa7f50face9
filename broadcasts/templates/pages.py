"""Pages: the templates of the shown environment's connections, and fetching them anew."""

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.connections import numbers
from bot.dashboard import access, downloads
from bot.models.broadcast import TemplateFetch
from bot.models.connection import Connection
from bot.providers.registry import PROVIDERS
from broadcasts.labels import QUALITY, TEMPLATE
from broadcasts.templates import fetching, making, markup, shown
from broadcasts.templates.languages import name_of
from broadcasts.templates.shown import Wanted
from broadcasts.templates.states import meaning_of

pages = Blueprint("templates", __name__)
pages.add_app_template_filter(markup.shown, "as_whatsapp")

PAGE = 100


@dataclass(frozen=True, slots=True)
class Source:
    """A connection and how its list stands: `waiting`, `failed`, `fetched`, `never`, or `none` if it has no list."""

    connection: Connection
    title: str
    state: str
    last: TemplateFetch | None


@pages.get("/templates")
def index() -> ResponseReturnValue:
    page, wanted = max(request.args.get("page", 1, int), 1), _wanted()
    with runtime.current().transaction() as tx:
        sources = _sources(tx)
        known = [source.connection for source in sources]
        lines = shown.lines(tx, known, wanted, (min(page, 10_000) - 1) * PAGE, PAGE + 1)
        choices = shown.choices(tx, known)
        elsewhere = None if known else numbers.elsewhere(tx, access.environment())
    return render_template(
        "broadcasts/templates.html",
        sources=sources,
        lines=lines[:PAGE],
        more=page + 1 if len(lines) > PAGE else None,
        wanted=wanted,
        choices=choices,
        is_filtered=wanted != Wanted(),
        statuses=TEMPLATE,
        qualities=QUALITY,
        language=name_of,
        meaning=meaning_of,
        can_fetch=any(source.state != "none" for source in sources),
        elsewhere=elsewhere,
        can_make=any(making.maker_of(connection) for connection in known),
    )


@pages.get("/templates.csv")
def export() -> ResponseReturnValue:
    """What the page shows, of all its pages."""
    with runtime.current().transaction() as tx:
        lines = shown.lines(tx, shown.connections(tx, access.environment()), _wanted())
    columns = ("name", "language", "category", "status", "quality")
    rows = ([getattr(line.template, name) for name in columns] + [line.reason, line.connection] for line in lines)
    return downloads.csv("templates", (*columns, "reason", "connection"), rows)


@pages.get("/templates/live")
def live() -> ResponseReturnValue:
    """The part of the page that moves, for its script."""
    with runtime.current().transaction() as tx:
        return render_template("broadcasts/_sources.html", sources=_sources(tx))


@pages.post("/templates/fetch")
def fetch() -> ResponseReturnValue:
    """Only asks for it: a worker fetches, and the page tells how it goes."""
    rt = runtime.current()
    with rt.transaction() as tx:
        fetching.ask(tx, [source.connection for source in _sources(tx)])
    rt.ring("bulk")
    return redirect(url_for("templates.index"), 303)


def _wanted() -> Wanted:
    given = {name: request.args.get(name, "").replace("\0", "").strip()[:512] for name in ("q", *shown.FILTERS)}
    return Wanted(**given)


def _sources(tx: Session) -> list[Source]:
    known = shown.connections(tx, access.environment())
    ids = [connection.id for connection in known]
    fetches = tx.scalars(select(TemplateFetch).where(TemplateFetch.connection_id.in_(ids)))
    last = {each.connection_id: each for each in fetches}
    return [_source(connection, last.get(connection.id)) for connection in known]


def _source(connection: Connection, last: TemplateFetch | None) -> Source:
    return Source(connection, PROVIDERS[connection.provider].title, _state(connection, last), last)


def _state(connection: Connection, last: TemplateFetch | None) -> str:
    if not fetching.can_list(connection):
        return "none"
    if last is None:
        return "never"
    if last.wanted_at is not None:
        return "waiting"
    return "failed" if last.problem else "fetched"
