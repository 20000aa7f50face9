"""Why a request may have been refused: what can be seen of it, and what would have passed; none of it is kept."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import select

from bot.connections import connections
from bot.connections.secrets import SealError
from bot.models.connection import Connection
from bot.providers.base import Account, BadSignatureError, Call, Provider
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime

NO_PROOF = "no_proof"
REWRITTEN = "rewritten"
OTHER_ADDRESS = "other_address"
OTHER_CONNECTION = "other_connection"

_PROOF = re.compile(r"signature|auth|token|secret|api-?key|hook", re.IGNORECASE)
_TRIED_BYTES = 64 * 1024
"""Anybody can be refused, and each cause tried costs as much as a verification."""
_OTHERS = 50


def of_refused(rt: Runtime, connection_id: int, call: Call) -> dict[str, Any]:
    """Evidence of a request that did not prove itself; `cause` is there only when it was tried and found so."""
    names = call.headers.keys()  # asked for by name: a request's own headers iterate as pairs
    told: dict[str, Any] = {
        "method": call.method,
        "bytes": len(call.body),
        "proofs": sorted({name[:60] for name in names if _PROOF.search(name)})[:8],
        "content_type": call.headers.get("Content-Type", "")[:60],
        "content_encoding": call.headers.get("Content-Encoding", "")[:20],
        "is_json": _document(call.body) is not None,
    }
    if not told["proofs"] and call.path_secret is None:
        return told | {"cause": NO_PROOF}
    return told | (_cause(call, *_accounts(rt, connection_id)) if len(call.body) <= _TRIED_BYTES else {})


def of_handshake(names: list[str]) -> dict[str, Any]:
    """Which parameters a refused handshake had; their values may be secrets."""
    return {"parameters": sorted(name[:60] for name in names)[:10]}


def _accounts(rt: Runtime, connection_id: int) -> tuple[Provider, Account, dict[str, Account]]:
    """Whom the request was for, and the other connections of the same provider by slug."""
    with rt.sessions() as session:
        ours = session.get_one(Connection, connection_id)
        same = Connection.provider == ours.provider, Connection.id != ours.id
        others = session.scalars(select(Connection).where(*same).order_by(Connection.id).limit(_OTHERS)).all()
        opened = {}
        for other in others:
            with contextlib.suppress(SealError):
                opened[other.slug] = connections.account_of(other, rt.settings)
        return PROVIDERS[ours.provider], connections.account_of(ours, rt.settings), opened


def _cause(call: Call, provider: Provider, account: Account, others: Mapping[str, Account]) -> dict[str, Any]:
    for url in _addresses(call):
        if _passes(provider, account, replace(call, url=url)):
            return {"cause": OTHER_ADDRESS, "address": "" if call.path_secret else url.partition("?")[0][:200]}
    for slug, other in others.items():
        if _passes(provider, other, call):
            return {"cause": OTHER_CONNECTION, "connection": slug}
    for body in _wordings(call.body):
        if _passes(provider, account, replace(call, body=body)):
            return {"cause": REWRITTEN}
    return {}


def _passes(provider: Provider, account: Account, call: Call) -> bool:
    try:
        provider.verify(account, call)
    except BadSignatureError:
        return False
    return True


def _addresses(call: Call) -> Iterator[str]:
    """The same address as the provider may have been told it: by the other scheme, by the name it called."""
    parts = urlsplit(call.url)
    hosts = [parts.netloc, call.headers.get("Host", ""), call.headers.get("X-Forwarded-Host", "")]
    for host in dict.fromkeys(host for host in hosts if host):
        for scheme in ("https", "http"):
            other = urlunsplit((scheme, host, parts.path, parts.query, ""))
            if other != call.url:
                yield other


def _wordings(body: bytes) -> Iterator[bytes]:
    """The document as other programs would have written it, before something in between wrote it anew."""
    document = _document(body)
    if document is None:
        return
    for separators in ((",", ":"), (", ", ": ")):
        for is_ascii in (True, False):
            text = json.dumps(document, separators=separators, ensure_ascii=is_ascii)
            for wording in (text, text.replace("/", "\\/")):
                yield wording.encode("utf-8", "surrogatepass")


def _document(body: bytes) -> Any:  # noqa: ANN401 (any JSON value; None if it is none)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
