"""What a page of a broadcast does, as the call of the API that does the same: shown as curl, true as it stands."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bot.language import _
from bot.models.words import BroadcastState

_ALL: Final = "/api/v1/broadcasts"
_OVER: Final = frozenset({BroadcastState.FINISHED, BroadcastState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Call:
    """`key` is the Idempotency-Key of a call that makes something; the others may be repeated anyway."""

    title: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    key: str | None = None


def of_draft(id_: int, mark: str, described: Mapping[str, Any], people: int | None, phone: str | None) -> list[Call]:
    """The same draft once more; a test to the reader's own phone, if known; its preflight; its launch to so many.

    `mark` is another one once the draft says something else, or was launched and is a draft again: what was done with
    it before does not stand for what is done with it now.
    """
    confirmed = {} if people is None else {"confirmed": people}
    to = {"to": [phone]}
    tests = [Call(_("Send a test"), "POST", f"{_ALL}/{id_}/test", to, key=f"test-{id_}-{mark}")] if phone else []
    return [
        Call(_("Make this draft"), "POST", _ALL, described, key=f"like-{id_}-{mark}"),
        *tests,
        Call(_("See its preflight"), "GET", f"{_ALL}/{id_}/preflight"),
        Call(_("Launch it"), "POST", f"{_ALL}/{id_}/launch", confirmed, key=f"launch-{id_}-{mark}"),
    ]


def of_launched(id_: int, state: str, pace_per_s: int, retriable: int = 0, retries: int = 0) -> list[Call]:
    """Where it stands, and what its buttons do; so many of those it failed for are worth a try after `retries`."""
    here = f"{_ALL}/{id_}"
    found = [
        Call(_("Where everybody stands"), "GET", here),
        Call(_("Whom it failed for"), "GET", f"{here}/recipients?part=failed"),
    ]
    if state == BroadcastState.SCHEDULED:
        found.append(Call(_("Make it a draft again"), "POST", f"{here}/unschedule", {}))
    if state not in _OVER:
        found += [
            Call(_("Pause"), "POST", f"{here}/pause", {"why": "The price is wrong"}),
            Call(_("Resume"), "POST", f"{here}/resume", {}),
            Call(_("Cancel"), "POST", f"{here}/cancel", {"why": "The price is wrong"}),
            Call(_("Change its pace"), "POST", f"{here}/pace", {"pace_per_s": pace_per_s}),
        ]
    confirmed = {"confirmed": retriable} if retriable else {}
    found.append(
        Call(_("Try again for whom it failed"), "POST", f"{here}/retry", confirmed, key=f"retry-{id_}-{retries + 1}")
    )
    found.append(Call(_("Duplicate"), "POST", f"{here}/duplicate", {}, key=f"duplicate-{id_}"))
    return found


def shown(calls: Iterable[Call], base_url: str) -> list[tuple[str, str]]:
    """Titles with their lines."""
    return [(each.title, curl(each, base_url)) for each in calls]


def curl(call: Call, base_url: str) -> str:
    """For a shell whose variable BACKCHAT_TOKEN holds the token: no secret stands in it."""
    address = shlex.quote(f"{base_url.rstrip('/')}{call.path}")
    parts = [f"curl {address}" if call.method == "GET" else f"curl -X {call.method} {address}"]
    parts.append('-H "Authorization: Bearer $BACKCHAT_TOKEN"')
    if call.key is not None:
        parts.append(f"-H {shlex.quote(f'Idempotency-Key: {call.key}')}")
    if call.body is not None:
        told = orjson.dumps(call.body, option=orjson.OPT_INDENT_2).decode()
        parts += ["-H 'Content-Type: application/json'", f"--data-binary {shlex.quote(told)}"]
    return " \\\n  ".join(parts)
