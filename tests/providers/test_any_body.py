"""Whatever is sent to whichever provider's webhook: parsing never raises, and every event says where it stands."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings

from bot.providers import cloud_json
from bot.providers.events import Event, InboundMessage, Notice, Unreadable
from bot.providers.registry import PROVIDERS
from tests.harness.odd_bodies import HOW_OFTEN, bodies_of, headers_of


@pytest.mark.parametrize("examples", HOW_OFTEN)
@pytest.mark.parametrize("name", PROVIDERS)
def test_no_body_makes_a_provider_raise_or_point_nowhere(name: str, examples: int) -> None:
    provider = PROVIDERS[name]

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(bodies_of(name), headers_of(name))
    def tried(body: bytes, headers: dict[str, str]) -> None:
        for event in provider.parse(body, headers):
            assert points_somewhere(event, body)
            assert is_storable(event)

    tried()


def points_somewhere(event: Event, body: bytes) -> bool:
    """An item of the body, the whole of it, or the member whose absence is the trouble."""
    if event.pointer == "":
        return True
    assert event.pointer.startswith("/")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in event.pointer[1:].split("/")]
    return any(leads(document, steps, may_lack=isinstance(event, Unreadable)) for document in readings(body))


def readings(body: bytes) -> list[Any]:
    fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        return [cloud_json.read(body), fields]
    except cloud_json.UnreadableBodyError:
        return [fields]


def leads(value: Any, steps: list[str], *, may_lack: bool) -> bool:
    for index, step in enumerate(steps):
        is_last = index == len(steps) - 1
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return may_lack and is_last and isinstance(value, dict)
    return True


def is_storable(event: Event) -> bool:
    if isinstance(event, InboundMessage):
        return cloud_json.is_storable(event.content)
    if isinstance(event, Notice):
        return cloud_json.is_storable(event.value)
    return not isinstance(event, Unreadable) or cloud_json.is_storable(event.item)
