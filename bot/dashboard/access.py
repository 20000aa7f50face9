"""The guard before every route, and what pages ask of their request: who is signed in, which environment is shown."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Request, abort, current_app, g, has_request_context, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.sansio.utils import host_is_trusted

from bot import runtime
from bot.language import _
from bot.models.words import Environment
from bot.team import permissions, sign_ins
from bot.team.audit import By
from bot.team.rights import Permission
from bot.team.routes import ROUTES, Door, Scope
from bot.team.sign_ins import Limits, Place, SignedIn

log = structlog.get_logger()

BODY_BYTES = 1024 * 1024
UPLOAD_BYTES = 201 * 1024 * 1024
UPLOADS = frozenset({"inbox.send_file", "imports.upload", "templates.create", "templates.change", "templates.look"})
"""Routes that take a file, of 200 MiB at most, and a form around it; other pages refuse a body above BODY_BYTES."""

UNATTENDED = frozenset(
    {
        "inbox.rows",
        "inbox.listen",
        "inbox.live",
        "inbox.stream",
        "inbox.present",
        "inbox.mark_read",
        "inbox.mention_rows",
        "inbox.listen_mentions",
        "inbox.count_mentions",
        "ledger.live",
        "ledger.stream",
        "drafts.tests",
        "imports.live",
        "preflight.part",
        "imports.together_live",
        "templates.live",
        "connections.live",
        "media.show",
    }
)
"""Asked by a page, not by a hand: they keep no session alive, and answer 401 where a click would lead to a sign-in."""

BEFORE_FACTOR = frozenset({"factor.index", "factor.turn_on", "sign_in.leave"})
"""What opens to somebody who has no second factor yet where the team asks for one."""

_SECRET = "secret"  # noqa: S105 (a key of the session cookie)
_HALF = "half"  # the same, of somebody who has still to give a code


MACHINES = ("/webhooks/", "/api/", "/healthz")
"""Addresses of routes that prove themselves: their requests bring no cookie, so none is read or written."""


class PageSessions(SecureCookieSessionInterface):
    """Sessions for people's requests only: a tenth of what a webhook costs would go into opening and saving one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith(MACHINES):
            return None  # Flask then makes one that cannot be written
        return super().open_session(app, request)


def init(app: Flask, csrf: CSRFProtect) -> None:
    app.session_interface = PageSessions()

    def guard() -> ResponseReturnValue | None:
        return _check(csrf)

    app.before_request(guard)
    app.url_defaults(_keep_environment)


def operator() -> SignedIn:
    """Who is signed in; only for routes that the table of permissions gives to roles."""
    found = signed_in()
    if found is None:
        abort(401)
    return found


def signed_in() -> SignedIn | None:
    """Who is signed in, if anybody; asks the database once per request."""
    if "signed_in" not in g:
        secret = session.get(_SECRET)
        g.signed_in = None
        if isinstance(secret, str):
            by_hand = request.endpoint not in UNATTENDED
            with runtime.current().transaction() as tx:
                g.signed_in = sign_ins.find(tx, secret, by_hand=by_hand, limits=limits())
    found: SignedIn | None = g.signed_in
    return found


def follow() -> Callable[[], bool]:
    """Tells, long after this request, whether its session goes on and may do what it could; no, without a database."""
    me, secret, allowed, rt = operator(), str(session.get(_SECRET)), limits(), runtime.current()

    def is_still() -> bool:
        try:
            with rt.transaction() as tx:
                still = sign_ins.find(tx, secret, by_hand=False, limits=allowed)
        except SQLAlchemyError:
            return False
        return still == me

    return is_still


def limits() -> Limits:
    """How long sessions last here."""
    told = runtime.current().settings
    return Limits(timedelta(hours=told.session_hours), timedelta(minutes=told.session_idle_min))


def place() -> Place:
    """Where this request comes from, as a session remembers it."""
    return Place(request.headers.get("User-Agent", "").replace("\0", ""), request.remote_addr or "")


def by() -> By:
    """Whose doing this request is, for the audit log."""
    return By(operator_id=operator().id, address=request.remote_addr)


def may(endpoint: str) -> bool:
    """Whether there is such a route and whoever is signed in gets to it, so that a page offers nothing else."""
    found = signed_in()
    return found is not None and endpoint in current_app.view_functions and permissions.may(found.role, endpoint)


def opens(address: str, method: str = "GET") -> bool:
    """As `may`, of an address that a page is about to offer."""
    try:
        found = current_app.create_url_adapter(request)
        endpoint, _ = found.match(urlsplit(address).path or request.path, method=method) if found else ("", {})
    except (RequestRedirect, HTTPException):
        return True  # it goes nowhere of ours: a fragment, or another address of the page
    return may(endpoint)


def is_page(endpoint: str) -> bool:
    """Whether it is for people who are signed in."""
    return ROUTES.get(endpoint) is Door.SIGNED_IN or isinstance(ROUTES.get(endpoint), Permission)


def environment() -> Environment:
    """The environment the page shows: `?environment=` of its address, which every link on it hands on."""
    if "environment" not in g:
        asked = request.args.get("environment", Environment.LIVE)
        g.environment = Environment(asked) if asked in list(Environment) else Environment.LIVE
    shown: Environment = g.environment
    return shown


def show_environment(value: str) -> None:
    """For the page of one thing: it belongs to an environment whatever the address says."""
    g.environment = Environment(value)


def remember(secret: str) -> None:
    """Sign this browser in: whatever its cookie held before is gone, the CSRF token too."""
    session.clear()
    session[_SECRET] = secret
    g.pop("csrf_token", None)


def remember_half(secret: str) -> None:
    """The password was right; the code of the second factor is asked for next."""
    session.clear()
    session[_HALF] = secret
    g.pop("csrf_token", None)


def half() -> str | None:
    found = session.get(_HALF)
    return found if isinstance(found, str) else None


def forget() -> str | None:
    """Empty the cookie; returns the secret it held."""
    secret = session.get(_SECRET)
    session.clear()
    return secret if isinstance(secret, str) else None


def _check(csrf: CSRFProtect) -> ResponseReturnValue | None:
    rule = ROUTES.get(request.endpoint) if request.endpoint else Door.MACHINE
    if rule is Door.MACHINE or isinstance(rule, Scope):  # proves itself; or no route, and Flask answers 404 or 405
        return None
    _check_host()
    request.max_content_length = UPLOAD_BYTES if request.endpoint in UPLOADS else BODY_BYTES
    if rule is None:
        log.error("route.not_in_permissions", endpoint=request.endpoint)
        abort(403)
    if any(isinstance(value, int) and value >= 2**63 for value in (request.view_args or {}).values()):
        abort(404)  # no row has such an id, and the database would not take the question
    if rule is not Door.PUBLIC:
        found = signed_in()
        if found is None:
            return _ask_to_sign_in()
        if found.lacks_factor and request.endpoint not in BEFORE_FACTOR:
            return _ask_for_factor()
        if isinstance(rule, Permission) and not permissions.may(found.role, request.endpoint or ""):
            abort(403)
    csrf.protect()
    return None


def _check_host() -> None:
    """Pages answer to their own name only; machines may come by any, as health checks and tunnels do."""
    base = urlsplit(runtime.current().settings.base_url).hostname or "localhost"
    if not host_is_trusted(request.environ.get("HTTP_HOST", ""), [base, "localhost", "127.0.0.1", "[::1]"]):
        abort(400, _("This page is not served under that name: set BACKCHAT_BASE_URL to the address you use."))


def _ask_to_sign_in() -> ResponseReturnValue:
    if request.endpoint in UNATTENDED:
        abort(401)
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("sign_in.form", next=None if wanted == "/" else wanted), 303)


def _ask_for_factor() -> ResponseReturnValue:
    if request.endpoint in UNATTENDED:
        abort(401)  # a part of a page is no place for another page: whole, it is led there
    return redirect(url_for("factor.index"), 303)


def _keep_environment(endpoint: str, values: dict[str, Any]) -> None:
    """Hand on what this page shows. An address without a word about it means live; only the start page then chooses."""
    if has_request_context() and is_page(endpoint):
        shown = environment()
        if shown is Environment.TEST or "environment" in request.args:
            values.setdefault("environment", shown.value)
