"""What every answer tells the browser about itself."""

import re
import uuid

from flask import Flask, Response, g, request

from bot.settings import Settings

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; "  # Bootstrap draws its arrows and ticks as data: images
    "media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # what CSRF protection reads on https is left, nobody else gets one
}
PAGES = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


def init(app: Flask, settings: Settings) -> None:
    def describe(response: Response) -> Response:
        if request.blueprint == "webhooks":  # a provider reads the status and nothing else
            return response
        response.headers.update(EVERYWHERE)
        response.headers["X-Request-Id"] = request_id()
        if settings.is_https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if response.mimetype == "text/html":
            response.headers.update(PAGES)
        if request.endpoint not in {"static", "bootstrap.static"}:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(describe)


def request_id() -> str:
    """The id under which this request is in the log; a proxy's X-Request-Id is kept if it looks like one."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex[:16]
    found: str = g.request_id
    return found
