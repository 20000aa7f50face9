"""Real traffic saved as contract test cases, with names and numbers replaced; and cases sent to a running instance."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import aiohttp
import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session
from yarl import URL

from bot.models.connection import Connection
from bot.models.webhook import WebhookEvent
from bot.providers.base import QUERY, Account, Call, Provider
from bot.providers.registry import PROVIDERS
from webhooks import cases, kinds
from webhooks.cases import Case
from webhooks.disguise import Disguise, moved_in_time

STAND_IN_URL = "https://us.example/webhooks/line"
_TIMEOUT_S = 15


class RecorderError(ValueError):
    """It cannot be recorded or replayed; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the running instance said to a replayed case; `status` is 0 if it could not be reached."""

    case: str
    status: int
    text: str


def record(session: Session, connection: Connection, ids: Sequence[int], last: int) -> list[Case]:
    """The events with these ids or, without any, the connection's `last` newest; raises RecorderError."""
    query = select(WebhookEvent).where(WebhookEvent.connection_id == connection.id)
    query = query.where(WebhookEvent.id.in_(ids)) if ids else query.order_by(WebhookEvent.id.desc()).limit(last)
    found = sorted(session.scalars(query), key=lambda event: event.id)
    if missing := set(ids) - {event.id for event in found}:
        raise RecorderError(
            f"No event {', '.join(map(str, sorted(missing)))} under {connection.slug}: it is another connection's, "
            "or its raw body is gone by retention."
        )
    disguise = Disguise()
    return [_case(PROVIDERS[connection.provider], connection, event, disguise) for event in found]


def save(made: Iterable[Case], folder: Path) -> list[Path]:
    """One file each, in a folder of the provider's name."""
    paths = []
    for case in made:
        path = folder / case.provider / f"{case.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        cases.write(case, path)
        paths.append(path)
    return paths


def replay(case: Case, account: Account, number_id: str | None, *, keep_times: bool) -> Answered:
    """Send a case to the address of `account`, proven with its secrets.

    Its times are moved to now, since old messages are not applied, and its business number becomes `number_id`.
    """
    body = case.call.body if keep_times else _of_today(case)
    for told in sorted(_numbers(case)) if number_id else ():
        body = body.replace(told.encode(), str(number_id).encode())
    query = body.decode() if case.call.method == "GET" else case.call.url.partition("?")[2]
    url = account.webhook_url + (f"?{query}" if query else "")
    call = replace(case.call, url=url, body=body, path_secret=None)
    proof = PROVIDERS[case.provider].prove(account, call)
    others = {name: value for name, value in case.call.headers.items() if name.lower() == "content-type"}
    try:
        return asyncio.run(_send(str(case), call, {**others, **proof}))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Answered(str(case), 0, f"not reached ({type(error).__name__})")


async def _send(name: str, call: Call, headers: Mapping[str, str]) -> Answered:
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    body = None if call.method == "GET" else call.body
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.request(
            call.method, URL(call.url, encoded=True), data=body, headers=headers, allow_redirects=False
        ) as answer,
    ):
        return Answered(name, answer.status, (await answer.text())[:200])


def _case(provider: Provider, connection: Connection, event: WebhookEvent, disguise: Disguise) -> Case:
    kept = disguise.headers(event.headers or {})
    content_type = event.content_type or ""
    try:
        body = disguise.body(event.body, content_type)
    except ValueError as error:
        raise RecorderError(f"Event {event.id} cannot be recorded: {error}.") from error
    account = Account(
        "https://provider.example",
        disguise.text(connection.account_id),
        {name: f"a-{name.replace('_', '-')}" for name in provider.secret_names},
        webhook_url=STAND_IN_URL,
    )
    is_get = provider.takes_get and not content_type
    query = body.decode() if is_get else kept.get(QUERY, "")
    told = {"Content-Type": content_type} if content_type else {}
    told |= {name: value for name, value in kept.items() if name != QUERY}
    url = STAND_IN_URL + (f"?{query}" if query else "")
    call = Call("GET" if is_get else "POST", url, told, body)
    call = replace(call, headers=cases.headers({**told, **provider.prove(account, call)}))
    provider.verify(account, call)
    events = provider.parse(body, cases.kept_headers(provider, call))
    held = sorted({kinds.KINDS[type(each)] for each in events})
    return Case(
        provider=provider.name,
        name=f"{'_'.join(held)[:60] or 'nothing'}_{event.id}",
        note=f"Recorded on {event.received_at:%Y-%m-%d}; names, numbers, texts and ids are stand-ins.",
        account=account,
        call=call,
        genuine=True,
        events=[cases.told(each) for each in events],
    )


def _of_today(case: Case) -> bytes:
    """The body with its newest time moved to now; as it is if it tells none or is no JSON."""
    try:
        document = orjson.loads(case.call.body)
    except orjson.JSONDecodeError:
        return case.call.body
    times = [datetime.fromisoformat(event["occurred_at"]) for event in case.events if event.get("occurred_at")]
    if not times:
        return case.call.body
    return orjson.dumps(moved_in_time(document, int(time.time() - max(times).timestamp())))


def _numbers(case: Case) -> set[str]:
    """The business numbers the case is about."""
    return {str(event["number_id"]) for event in case.events if event.get("number_id")}
