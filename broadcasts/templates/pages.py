"""Pages: the templates of the shown environment's connections, and fetching them anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, downloads
from bot.models.broadcast import Template, TemplateFetch
from bot.models.connection import Connection, Number
from bot.providers.registry import PROVIDERS
from broadcasts.labels import QUALITY, TEMPLATE
from broadcasts.templates import fetching, templates
from broadcasts.templates.templates import APPROVED

pages = Blueprint("templates", __name__)

PAGE = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A template as the page shows it."""

    template: Template
    connection: str
    reason: str | None
    is_stuck: bool
    """Approved, and yet Backchat cannot send it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A connection and how its list stands: `waiting`, `failed`, `fetched`, `never`, or `none` if it has no list."""

    connection: Connection
    title: str
    state: str
    last: TemplateFetch | None


@pages.get("/templates")
def index() -> ResponseReturnValue:
    page = max(request.args.get("page", 1, int), 1)
    with runtime.current().transaction() as tx:
        sources = _sources(tx)
        lines = _lines(tx, sources, (page - 1) * PAGE)
    more = page + 1 if len(lines) > PAGE else None
    return render_template(
        "broadcasts/templates.html",
        sources=sources,
        lines=lines[:PAGE],
        more=more,
        statuses=TEMPLATE,
        qualities=QUALITY,
        can_fetch=any(source.state != "none" for source in sources),
    )


@pages.get("/templates.csv")
def export() -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        lines = _lines(tx, _sources(tx), 0, limit=None)
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


def _sources(tx: Session) -> list[Source]:
    """Connections with a number in the shown environment, and those that have none at all yet."""
    numbers = exists().where(Number.connection_id == Connection.id)
    here = numbers.where(Number.environment == access.environment())
    found = tx.execute(
        select(Connection, TemplateFetch)
        .outerjoin(TemplateFetch, TemplateFetch.connection_id == Connection.id)
        .where(here | ~numbers)
        .order_by(Connection.slug)
    )
    return [
        Source(connection, PROVIDERS[connection.provider].title, _state(connection, last), last)
        for connection, last in found
    ]


def _state(connection: Connection, last: TemplateFetch | None) -> str:
    if not fetching.can_list(connection):
        return "none"
    if last is None:
        return "never"
    if last.wanted_at is not None:
        return "waiting"
    return "failed" if last.problem else "fetched"


def _lines(tx: Session, sources: Sequence[Source], offset: int, limit: int | None = PAGE + 1) -> list[Line]:
    """Unless told, one more than a page; those that are gone come last."""
    by_id = {source.connection.id: source.connection for source in sources}
    found = tx.scalars(
        select(Template)
        .where(Template.connection_id.in_(by_id))
        .order_by(Template.status == templates.GONE, Template.name, Template.language, Template.id)
        .offset(offset)
        .limit(limit)
    )
    return [_line(template, by_id[template.connection_id]) for template in found]


def _line(template: Template, connection: Connection) -> Line:
    is_stuck = template.status == APPROVED and bool(templates.obstacles(connection.provider, template))
    return Line(template, connection.slug, templates.reason(connection.provider, template), is_stuck)
