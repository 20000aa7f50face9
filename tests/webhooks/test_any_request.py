"""Case 143: whatever a provider proves to have sent is answered 200, and ends applied or in the quarantine."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.connections import connections, numbers
from bot.models.words import Environment
from bot.providers.base import Account, Call, Provider
from bot.providers.registry import PROVIDERS
from tests.harness import recorded
from tests.harness.odd_bodies import HOW_OFTEN, bodies_of, headers_of
from tests.webhooks.conftest import Line
from webhooks import cases

_RECORDED_AT = re.compile(rb"\b17[0-9]{8}\b")
_WRITABLE = re.compile(r"[ -~]*")
_ENDS = """
    SELECT state, count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM quarantine q WHERE q.webhook_event_id = e.id))
      FROM webhook_event e GROUP BY state
"""
_OUR_FAULT = (
    r"SELECT DISTINCT reason FROM quarantine WHERE reason ~ '(^[A-Z]\w+(:|$))|this version|attempts|journey failed'"
)
"""What nobody foresaw: the quarantine names the exception then, and no sentence of ours."""


@dataclass(frozen=True)
class Request:
    body: bytes
    headers: Mapping[str, str]
    by_get: bool


@dataclass(frozen=True)
class Sender:
    """A provider who may prove what it sends."""

    line: Line
    provider: Provider
    account: Account

    def send(self, request: Request) -> int:
        path = f"/webhooks/{self.provider.name}"
        query = request.body.decode("latin-1") if request.by_get else ""
        url = f"{self.line.rt.settings.base_url}{path}" + (f"?{query}" if query else "")
        told = {name: value for name, value in request.headers.items() if name[0] != ":" and _WRITABLE.fullmatch(value)}
        told |= self.provider.prove(self.account, Call("POST", url, cases.headers(told), request.body))
        if request.by_get:
            return self.line.app.test_client().get(path, query_string=query, headers=told).status_code
        return self.line.app.test_client().post(path, data=request.body, headers=told).status_code


def of_record(name: str) -> Iterator[Request]:
    """All that was recorded as the provider's, as if it were of today: what is old would only be put aside."""
    now, provider = b"%d" % time.time(), PROVIDERS[name]
    for case in recorded.every():
        if case.provider == name and case.genuine:
            call = case.call
            headers = call.kept((*provider.kept_headers, "content-type"))
            yield Request(_RECORDED_AT.sub(now, call.body), headers, call.method == "GET")


def move_in(line: Line, name: str) -> Sender:
    """A connection with the numbers that recorded requests are about, so that more than refusals can come of them."""
    provider, rt = PROVIDERS[name], line.rt
    with rt.transaction() as session:
        connection = connections.add(
            session,
            rt.settings.secret_key,
            slug=name,
            provider=name,
            account_id="1001",
            base_url="http://127.0.0.1:9",
            secrets={secret: f"{secret}-of-the-line" for secret in provider.secret_names},
        )
        for place, number_id in enumerate(sorted(numbers_of(name))):
            numbers.add(
                session,
                connection,
                environment=Environment.LIVE,
                provider_number_id=number_id,
                phone=f"+1555078{place:04}",
                name="Helpline",
            )
        return Sender(line, provider, connections.account_of(connection, rt.settings))


def numbers_of(name: str) -> Iterable[str]:
    told = {event.get("number_id") for case in recorded.every() if case.provider == name for event in case.events}
    return {number_id for number_id in told if number_id} or {"1"}


@pytest.mark.parametrize("examples", HOW_OFTEN)
@pytest.mark.parametrize("name", PROVIDERS)
def test_whatever_is_proven_is_answered_200_and_ends_applied_or_in_the_quarantine(
    line: Line, name: str, examples: int
) -> None:
    sender = move_in(line, name)
    requests = list(of_record(name))

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(bodies_of(name), headers_of(name), st.booleans())
    def made_up(body: bytes, headers: dict[str, str], by_get: bool) -> None:
        requests.append(Request(body, headers, by_get and sender.provider.takes_get))

    made_up()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(sender.send, requests))
    assert [request for request, answer in zip(requests, answers, strict=True) if answer != 200] == []
    line.apply()
    ends = {state: (events, open_) for state, events, open_ in line.rows(_ENDS)}
    assert ends.keys() == {"done", "quarantined"}
    assert sum(events for events, _ in ends.values()) == line.ask("SELECT count(*) FROM webhook_digest")
    assert (ends["done"][1], ends["quarantined"][1]) == (0, ends["quarantined"][0])
    assert line.ask("SELECT count(*) FROM message WHERE direction = 'in'") > 0
    assert line.rows(_OUR_FAULT) == []
