"""The templates of an account as its provider lists them, page after page, and single calls about one of them.

No database is asked meanwhile.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.providers import cloud_templates
from bot.providers.base import Account, AnswerError, HttpRequest, TemplateList
from bot.queue import JobTimeoutError

CONNECT_S = 10.0
TOTAL_S = 60.0
"""For the whole list; the largest accounts have some thousands of templates, a hundred to a page."""
CALL_S = 20.0
"""For a call that somebody waits for."""
PAGES = 200
PAGE_BYTES = 16 * 1024 * 1024
_PIECE = 64 * 1024

Document = dict[str, Any]


class ListingError(Exception):
    """There is no list, or only a part of it; one sentence that names the connection and the remedy."""


@dataclass(frozen=True, slots=True)
class Order:
    """Whose list to fetch."""

    slug: str
    access: TemplateList
    account: Account
    name: str | None = None
    """Templates of this name only; providers that cannot tell them apart list all."""
    total_s: float = TOTAL_S


async def fetch(order: Order) -> list[Document]:
    """All of it, each in the Graph API's shape; raises ListingError."""
    try:
        async with asyncio.timeout(order.total_s), _open_session() as http:
            return await _pages(http, order)
    except JobTimeoutError:
        raise
    except Exception as error:  # an answer nobody foresaw is the provider's affair, not the worker's
        why = _why(error, order)
        raise ListingError(f"The templates of the connection {order.slug} were not fetched: {why}") from error


def call(slug: str, request: HttpRequest, total_s: float = CALL_S) -> tuple[int, bytes]:
    """One call about a template; raises ListingError if it is not known what became of it."""

    async def ask() -> tuple[int, bytes]:
        async with asyncio.timeout(total_s), _open_session() as http:
            return await _ask(http, request)

    try:
        return asyncio.run(ask())
    except (aiohttp.ClientError, TimeoutError, OSError, AnswerError) as error:
        kind = type(error).__name__
        raise ListingError(f"The provider of the connection {slug} did not answer ({kind}).") from error


def _why(error: Exception, order: Order) -> str:
    match error:
        case AnswerError():
            return f"{error} Put that right and fetch again."
        case aiohttp.ClientError():
            return f"the provider cannot be reached ({type(error).__name__}). Check the base URL and fetch again."
        case TimeoutError():
            return f"the provider took longer than {order.total_s:g} seconds. Fetch again later."
        case OSError():
            return f"the connection broke off ({type(error).__name__}). Fetch again later."
    return f"something unforeseen came back ({type(error).__name__}). Fetch again, and report it if it stays so."


def quality_of(document: Document) -> str | None:
    """GREEN, YELLOW, RED or UNKNOWN."""
    told = document.get("quality_score")
    score = told.get("score") if isinstance(told, dict) else None
    return score.upper() if isinstance(score, str) and score else None


def reason_of(document: Document) -> str | None:
    """Why it was rejected, in a sentence."""
    return cloud_templates.reason_of("", {"reason": document.get("rejected_reason")})


async def _pages(http: aiohttp.ClientSession, order: Order) -> list[Document]:
    found: list[Document] = []
    seen: set[str] = set()
    after: str | None = None
    for _ in range(PAGES):
        status, body = await _ask(http, order.access.request(order.account, after, order.name))
        page = order.access.page(status, body)
        found += page.documents
        after = page.after
        if after is None:
            return found
        if after in seen:
            raise AnswerError("Its pages go round in a circle.")
        seen.add(after)
    raise AnswerError(f"It has more than {PAGES} pages.")


async def _ask(http: aiohttp.ClientSession, request: HttpRequest) -> tuple[int, bytes]:
    """Carries a secret, so it follows no redirect."""
    async with http.request(
        request.method, request.url, data=request.body or None, headers=request.headers, allow_redirects=False
    ) as response:
        body = bytearray()
        async for piece in response.content.iter_chunked(_PIECE):
            body += piece
            if len(body) > PAGE_BYTES:
                raise AnswerError(f"A page of it is larger than {PAGE_BYTES // 1024**2} MiB.")
        return response.status, bytes(body)


def _open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
    )
