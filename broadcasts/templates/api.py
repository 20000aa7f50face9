"""REST for programs: templates, listed, made, changed, asked for anew and deleted; docs/api.md is its manual."""

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from bot import runtime
from bot.api import answers, idempotency, refusals
from bot.api.access import authenticate, read_fields
from bot.api.refusals import RefusalError, invalid
from bot.api.requests import LARGEST_ID, read_key
from bot.connections import template_history
from bot.connections.secrets import SealError
from bot.connections.template_history import By
from bot.messages.templates import slots_of
from bot.models.broadcast import Template
from bot.models.connection import Connection
from bot.models.team import ApiRequest, ApiToken
from broadcasts.templates import making, refreshing, shown, templates, unpausing, uses
from broadcasts.templates.making import ProblemsError
from broadcasts.templates.shown import Wanted
from broadcasts.templates.templates import TemplateError

PAGE = 100
_MOST_PAGES = 10_000
_TEXTS = ("name", "language", "category", "parameter_format")

api = refusals.blueprint("templates_api", __name__)


@api.get("/templates")
def index() -> Response:
    """In the order of names; `more` is the next page."""
    token = authenticate(("page", "q", "name", *shown.FILTERS))
    page = request.args.get("page", "1")
    if not page.isdecimal() or not 0 < int(page) <= _MOST_PAGES:
        raise RefusalError(400, "unexpected_query", "page is the `more` of the page before.", "page")
    wanted = Wanted(**{name: request.args.get(name, "").replace("\0", "") for name in ("q", "name", *shown.FILTERS)})
    with runtime.current().transaction() as session:
        known = shown.connections(session, token.environment)
        found = shown.lines(session, known, wanted, (int(page) - 1) * PAGE, PAGE + 1)
        slugs = {each.id: each for each in known}
        told = [_shape(line.template, slugs[line.template.connection_id]) for line in found[:PAGE]]
    return jsonify({"templates": told, "more": int(page) + 1 if len(found) > PAGE else None})


@api.post("/templates")
def create() -> Response:
    """Written down, then submitted: the same key again submits what the provider has not taken yet."""
    token, rt = authenticate(), runtime.current()
    given = read_fields("connection", "components", *_TEXTS)
    key = read_key(request.headers.get("Idempotency-Key"))
    document = _document(given)
    fingerprint = hashlib.sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)).digest()

    def make(session: Session) -> int:
        connection = _connection(session, token, given.get("connection"))
        return making.write_down(session, connection, document, By(token_id=token.id)).id

    def submit() -> int:
        with rt.transaction() as session:
            made = functools.partial(make, session)
            template_id = idempotency.once(session, token, key, fingerprint, ApiRequest.template_id, made)
        making.submit(rt, template_id, By(token_id=token.id))
        return template_id

    template_id = _refusing(submit)
    told = _told(token, template_id)
    return answers.versioned(answers.made(told, f"templates/{template_id}"), told["version"])


@api.get("/templates/<int:template_id>")
def show(template_id: int) -> Response:
    return _whole(authenticate(), template_id)


@api.patch("/templates/<int:template_id>")
def change(template_id: int) -> Response:
    """Other components, whole, or another category; it is reviewed anew. With If-Match only as it was read."""
    token, rt = authenticate(), runtime.current()
    given = read_fields("category", "components")
    with rt.transaction() as session:
        template = _found(session, token, template_id)
        answers.demand_version(templates.version_of(template))
        document = _document({**templates.frozen(template), **given})
    _refusing(lambda: making.edit(rt, template_id, document, By(token_id=token.id)))
    return _whole(token, template_id)


@api.post("/templates/<int:template_id>/refresh")
def refresh(template_id: int) -> Response:
    """Asks the provider now, and waits for its answer."""
    token, rt = authenticate(), runtime.current()
    with rt.transaction() as session:
        _found(session, token, template_id)
    problem = refreshing.refresh(rt, template_id)
    if problem is not None:
        raise RefusalError(502, "provider_unsure", problem)
    return _whole(token, template_id)


@api.post("/templates/<int:template_id>/unpause")
def unpause(template_id: int) -> Response:
    """Broadcasts that paused because of it stay so."""
    token, rt = authenticate(), runtime.current()
    with rt.transaction() as session:
        _found(session, token, template_id)
    _refusing(lambda: unpausing.unpause(rt, template_id, By(token_id=token.id)))
    return _whole(token, template_id)


@api.delete("/templates/<int:template_id>")
def delete(template_id: int) -> Response:
    token, rt = authenticate(), runtime.current()
    with rt.transaction() as session:
        _found(session, token, template_id)
    try:
        uses.delete(rt, template_id, By(token_id=token.id))
    except (TemplateError, SealError) as error:
        raise RefusalError(409, "template_in_use", str(error)) from error
    return Response(status=204)


def _refusing(do: Callable[[], Any]) -> Any:  # noqa: ANN401 (whatever it returns)
    """`message` holds every problem, one a line; `field` is the place of the first."""
    try:
        return do()
    except ProblemsError as error:
        if error.is_unsure:
            raise RefusalError(502, "provider_unsure", str(error)) from error
        lines = [f"{each.place}: {each.text}" if each.place else each.text for each in error.problems]
        raise RefusalError(422, "bad_template", "\n".join(lines), error.problems[0].place or None) from error
    except SealError as error:
        raise RefusalError(502, "provider_unsure", str(error)) from error


def _connection(session: Session, token: ApiToken, slug: object) -> Connection:
    known = {each.slug: each for each in shown.connections(session, token.environment) if making.maker_of(each)}
    if slug is None and len(known) == 1:
        return next(iter(known.values()))
    if not isinstance(slug, str) or slug not in known:
        told = ", ".join(known) or "none yet"
        raise invalid("connection", f"connection is the slug of one that templates can be made for: {told}.")
    return known[slug]


def _document(given: Mapping[str, Any]) -> dict[str, Any]:
    document = {"parameter_format": "POSITIONAL", **given}
    for name in _TEXTS:
        if not isinstance(document.get(name), str):
            raise invalid(name, f"{name} must be a text.")
    if not templates.is_shaped(document.get("components")):
        raise invalid("components", 'components must be a list such as [{"type": "BODY", "text": "Hello {{1}}!"}].')
    if any("\0" in text for text in _texts_of(document)):
        raise invalid("components", "A text holds a NUL character: take it out.")
    upper = {name: document[name].upper() for name in ("category", "parameter_format")}
    return {name: document[name] for name in (*_TEXTS, "components")} | upper


def _texts_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts_of(each)


def _found(session: Session, token: ApiToken, template_id: int) -> Template:
    template = session.get(Template, min(template_id, LARGEST_ID), populate_existing=True)
    known = {each.id for each in shown.connections(session, token.environment)}
    if template is None or template.connection_id not in known:
        raise RefusalError(404, "unknown_template", f"There is no such template in {token.environment}.")
    return template


def _whole(token: ApiToken, template_id: int) -> Response:
    told = _told(token, template_id)
    return answers.versioned(jsonify(told), told["version"])


def _told(token: ApiToken, template_id: int) -> dict[str, Any]:
    with runtime.current().transaction() as session:
        template = _found(session, token, template_id)
        told = _shape(template, session.get_one(Connection, template.connection_id))
        told["version"] = templates.version_of(template)
        told["components"] = template.components
        told["slots"] = [
            {"name": slot.name, "example": slot.example, "required": slot.required} for slot in _slots(template)
        ]
        told["history"] = [
            {"at": each.at.isoformat(), "status": each.status, "reason": each.reason, "source": each.source}
            for each in template_history.of(session, template_id)
        ]
        here = token.environment
        told["broadcasts"] = [each.id for each in uses.of(session, template_id) if each.environment == here]
    return told


def _slots(template: Template) -> tuple[Any, ...]:
    return slots_of(template.components) if templates.is_shaped(template.components) else ()


def _shape(template: Template, connection: Connection) -> dict[str, Any]:
    return {
        "id": template.id,
        "connection": connection.slug,
        "name": template.name,
        "language": template.language,
        "category": template.category,
        "parameter_format": template.parameter_format,
        "status": template.status,
        "quality": template.quality,
        "reason": templates.reason(connection.provider, template),
        "created_at": template.created_at.isoformat(),
        "updated_at": template.updated_at.isoformat(),
    }
