"""Whatever a body of the Cloud API holds and in whatever order: only events, each of which the database can keep."""

import dataclasses
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.providers import cloud_json
from bot.providers.cloud import Cloud
from bot.providers.cloud_parse import LISTS, OF_ACCOUNT
from bot.providers.events import Event
from tests.harness import recorded
from tests.harness.sizes import sizes

HOW_OFTEN = sizes(40, 1_000, 10_000)
FIELDS = [*LISTS, *OF_ACCOUNT, "history", "something_new"]
METADATA = {"display_phone_number": "15550001111", "phone_number_id": "600100"}
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
INT4 = 2**31

DOCUMENTS = [
    json.loads(case.call.body)
    for case in recorded.every()
    if case.provider == "cloud" and case.genuine and case.name != "not_json"
]
CHANGES = [
    change for document in DOCUMENTS for entry in document["entry"] for change in entry["changes"] if change != "?"
]


def words_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {word for inner in value.values() for word in words_in(inner)}
    if isinstance(value, list):
        return {word for inner in value for word in words_in(inner)}
    return {value} if isinstance(value, str) and len(value) <= 40 else set()


words = st.sampled_from(sorted(words_in(DOCUMENTS)))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | words
values = st.recursive(
    scalars | st.sampled_from(["\x00", "é\x00", "1767225600", "201000000001", "EG.7001"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=6),
    max_leaves=25,
)
objects = st.dictionaries(words, values, max_size=8)


@st.composite
def shaped(draw: st.DrawFn) -> dict[str, Any]:
    """The documented envelope down to the items, and anything at all within."""
    field = draw(st.sampled_from(FIELDS))
    value: dict[str, Any] = draw(objects) | ({"metadata": METADATA} if draw(st.booleans()) else {})
    for key in LISTS.get(field, {}):
        value[key] = draw(st.lists(objects | item_of(field, key) | values, max_size=4))
    known = [change["value"] for change in CHANGES if change.get("field") == field]
    if known and field in OF_ACCOUNT:
        value |= draw(changed(st.sampled_from(known)))
    entry = {"id": draw(scalars), "time": draw(scalars), "changes": [{"field": field, "value": value}, draw(values)]}
    return {"object": "whatsapp_business_account", "entry": [entry, draw(values)]}


def item_of(field: str, key: str) -> st.SearchStrategy[Any]:
    found = [item for change in CHANGES for item in listed(change, field, key)]
    return changed(st.sampled_from(found)) if found else objects


def listed(change: Any, field: str, key: str) -> list[Any]:
    items = change["value"].get(key, []) if change.get("field") == field else []
    return [item for item in items if isinstance(item, dict)]


@st.composite
def changed(draw: st.DrawFn, objects: st.SearchStrategy[Any]) -> dict[str, Any]:
    """One that was recorded, with some of its members replaced or taken out."""
    made: dict[str, Any] = dict(draw(objects))
    for key in draw(st.lists(st.sampled_from(sorted(made)), max_size=2)) if made else ():
        made[key] = draw(values)
    return made


@pytest.mark.parametrize("examples", HOW_OFTEN)
def test_any_items_in_the_documented_envelope_become_events_that_can_be_kept(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(shaped())
    def tried(document: dict[str, Any]) -> None:
        for event in Cloud().parse(json.dumps(document).encode()):
            assert isinstance(event, get_args(Event))
            for value in members_of(event):
                assert can_be_kept(value)

    tried()


def members_of(event: Any) -> Iterator[Any]:
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        if dataclasses.is_dataclass(value):
            yield from members_of(value)
        else:
            yield value


def can_be_kept(value: Any) -> bool:
    match value:
        case dict():
            return cloud_json.is_storable(value) and not UNSTORABLE.search(json.dumps(value, ensure_ascii=False))
        case str():
            return not UNSTORABLE.search(value)
        case datetime():
            return value.tzinfo is not None
        case int():
            return -INT4 <= value < INT4
    return value is None


def test_the_order_of_changes_tells_nothing() -> None:
    alone = placeless(event for change in CHANGES for event in parsed([change]))

    @settings(max_examples=25, deadline=None, database=None)
    @given(st.permutations(CHANGES))
    def tried(changes: list[Any]) -> None:
        assert placeless(parsed(changes)) == alone

    tried()


@pytest.mark.parametrize("field, key", [(field, key) for field, lists in LISTS.items() for key in lists])
def test_an_item_means_the_same_alone_and_in_any_company(field: str, key: str) -> None:
    items = [item for change in CHANGES for item in listed(change, field, key)]
    alone = placeless(event for item in items for event in parsed([change_of(field, key, [item])]))

    @settings(max_examples=25, deadline=None, database=None)
    @given(st.permutations(items))
    def tried(company: list[Any]) -> None:
        assert placeless(parsed([change_of(field, key, company)])) == alone

    tried()


def change_of(field: str, key: str, items: list[Any]) -> dict[str, Any]:
    return {"field": field, "value": {"metadata": METADATA, key: items}}


def parsed(changes: list[Any]) -> list[Event]:
    entry = {"id": "1022", "time": 1767225600, "changes": changes}
    return Cloud().parse(json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode())


def placeless(events: Any) -> list[str]:
    """The events in an order of their own, without where they stood."""
    return sorted(repr(dataclasses.replace(event, pointer="")) for event in events)


@settings(max_examples=100, deadline=None, database=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_raise(body: bytes) -> None:
    Cloud().parse(body)
