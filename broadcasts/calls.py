"""What a page of a broadcast does, as the call of the API that does the same: shown as curl, true as it stands."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bot.models.words import BroadcastState

_ALL: Final = "/api/v1/broadcasts"
_UNDER_WAY: Final = frozenset({BroadcastState.SCHEDULED, BroadcastState.MATERIALISING, BroadcastState.RUNNING})
_STOPPED: Final = frozenset({BroadcastState.PAUSED, BroadcastState.FINISHED, BroadcastState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Call:
    """`key` is the Idempotency-Key of a call that makes something; the others may be repeated anyway."""

    title: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    key: str | None = None


def of_draft(id_: int, described: Mapping[str, Any], people: int | None) -> list[Call]:
    """The same draft once more, from what describes it; its preflight; its launch to so many people."""
    return [
        Call("Make this draft", "POST", _ALL, described, key=f"like-{id_}"),
        Call("Look at its preflight", "GET", f"{_ALL}/{id_}/preflight"),
        Call("Launch it", "POST", f"{_ALL}/{id_}/launch", {"confirmed": people}, key=f"launch-{id_}"),
    ]


def of_launched(id_: int, state: str, pace_per_s: int | None) -> list[Call]:
    """Where it stands, and what its buttons do while it is in this state."""
    here = f"{_ALL}/{id_}"
    found = [
        Call("Where everybody stands", "GET", here),
        Call("Who failed, and why", "GET", f"{here}/recipients?part=failed"),
    ]
    if state in _UNDER_WAY:
        found.append(Call("Pause", "POST", f"{here}/pause", {"why": "Wrong price"}))
    if state == BroadcastState.PAUSED:
        found.append(Call("Resume", "POST", f"{here}/resume", {}))
    if state in _UNDER_WAY or state == BroadcastState.PAUSED:
        found.append(Call("Cancel", "POST", f"{here}/cancel", {"why": "Wrong price"}))
        found.append(Call("Change its pace", "POST", f"{here}/pace", {"pace_per_s": pace_per_s}))
    if state in _STOPPED:
        found.append(Call("Try again for whom it failed", "POST", f"{here}/retry", {}, key=f"retry-{id_}"))
    found.append(Call("Duplicate", "POST", f"{here}/duplicate", {}, key=f"duplicate-{id_}"))
    return found


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
