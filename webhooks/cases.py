"""A recorded request as a file: what a provider sent, made anonymous, and the events it says; docs/webhooks.md.

The contract suite holds every provider to such files, under tests/providers/recorded/<provider>/.
"""

import base64
import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from bot.providers.base import RECEIVED_AT, Account, Call, Provider
from bot.providers.events import Event

RECEIVED: Final = "2025-06-08T21:00:00+00:00"
"""When every recorded request is taken to have come in, for those that tell no time themselves."""


class CaseError(ValueError):
    """The file is no recorded request; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Case:
    provider: str
    name: str
    note: str
    account: Account
    call: Call
    genuine: bool
    events: Sequence[Mapping[str, Any]]
    """As `told` writes them."""

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"


def read(path: Path) -> Case:
    """The provider is the folder's name. Raises CaseError and OSError."""
    try:
        told = json.loads(path.read_text())
        account = told["account"]
        return Case(
            provider=path.absolute().parent.name,
            name=path.stem,
            note=told.get("note", ""),
            account=Account(
                account.get("base_url", "https://provider.example"),
                account["account_id"],
                account["secrets"],
                account.get("former", {}),
                account["webhook_url"],
            ),
            call=_call(told["request"], account["webhook_url"]),
            genuine=told["genuine"],
            events=[without_nothing(event) for event in told.get("events", [])],
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise CaseError(f"{path} is no recorded request ({type(error).__name__}).") from error
    except KeyError as error:
        raise CaseError(f"{path} is no recorded request: {error} is missing.") from error


def write(case: Case, path: Path) -> None:
    address, body = urlsplit(case.call.url), case.call.body
    request: dict[str, Any] = {"method": case.call.method, "path": address.path, "query": address.query}
    request["headers"] = dict(case.call.headers)
    try:
        request["body"] = "" if case.call.method == "GET" else body.decode()
    except UnicodeDecodeError:
        request["body_base64"] = base64.b64encode(body).decode()
    account = {
        "account_id": case.account.account_id,
        "secrets": dict(case.account.secrets),
        "webhook_url": case.account.webhook_url,
    }
    told = {
        "note": case.note,
        "account": account,
        "request": request,
        "genuine": case.genuine,
        "events": list(case.events),
    }
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def headers(given: Mapping[str, str]) -> Mapping[str, str]:
    """Looked up in any case, as a web server's are."""
    return cast("Mapping[str, str]", Headers(list(given.items())))


def kept_headers(provider: Provider, call: Call) -> dict[str, str]:
    """What `parse` is given beside the body."""
    return {RECEIVED_AT: RECEIVED, **call.kept((*provider.kept_headers, "content-type"))}


def told(event: Event) -> dict[str, Any]:
    """An event as a case writes it: its name, and every field that is neither its default nor empty.

    A number's own `event` is written as `word`.
    """
    shown: dict[str, Any] = {"event": type(event).__name__}
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        if field.default is MISSING or value != field.default:
            shown["word" if field.name == "event" else field.name] = _plain(value)
    return without_nothing(shown)


def without_nothing(shown: Mapping[str, Any]) -> dict[str, Any]:
    """A case may write or leave out a null, of an event and of the sender and the media in it, not within content."""
    return {
        key: without_nothing(value) if key in {"sender", "recipient", "media"} and isinstance(value, dict) else value
        for key, value in shown.items()
        if value is not None
    }


def _call(request: Mapping[str, Any], webhook_url: str) -> Call:
    query, path = request.get("query", ""), request["path"]
    given = base64.b64decode(request["body_base64"]) if "body_base64" in request else request.get("body", "").encode()
    body = query.encode() if request["method"] == "GET" else given
    address = urlsplit(webhook_url)
    secret = path.removeprefix(address.path).strip("/") or None
    url = f"{address.scheme}://{address.netloc}{path}" + (f"?{query}" if query else "")
    return Call(request["method"], url, headers(request["headers"]), body, secret)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
