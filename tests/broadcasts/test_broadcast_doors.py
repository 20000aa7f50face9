"""Whatever is sent to a door of the API is done or refused with words, never half, and never twice for one key."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import create_app
from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastSegment, BroadcastTransition, BroadcastWording
from bot.models.team import ApiRequest
from bot.runtime import Runtime
from tests.broadcasts import campaigns
from tests.broadcasts.programs import SPRING, Program, program, stock

ROWS = (Broadcast, BroadcastSegment, BroadcastWording, BroadcastTransition, AudiencePerson)
VERBS = ("", "/preview", "/test", "/launch", "/pause", "/resume", "/cancel", "/unschedule", "/pace", "/retry")
NAMES = (
    *("name", "number", "segments", "minus", "topic", "template", "slots", "wordings", "schedule", "care", "trial"),
    *(
        "person",
        "to",
        "confirmed",
        "why",
        "pace_per_s",
        "variant",
        "language",
        "scheduled_at",
        "local_time",
        "not_after",
    ),
    *("canary_percent", "skips_gaps", "winner_metric", "trial_percent", "body.1", "environment"),
)

texts = st.one_of(
    st.sampled_from(["Students", "Paid", "greeting", "en", "de", "mona", "<<user.first_name>>", "<<", "read", "\0"]),
    st.sampled_from(["2999-12-31T23:59:59", "2000-01-01T00:00:00+14:00", "2026-13-01", "0001-01-01T00:00Z"]),
    st.text(max_size=20),
)
numbers = st.one_of(st.integers(-3, 200), st.sampled_from([2**31, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)]), st.floats())
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(NAMES), texts), inner, max_size=5)
    ),
    max_leaves=20,
)
nearly = st.dictionaries(st.sampled_from(NAMES[:11]), anything, min_size=1, max_size=3).map(lambda odd: SPRING | odd)
parts = st.dictionaries(
    st.sampled_from(["schedule", "care", "trial"]), st.dictionaries(st.sampled_from(NAMES), leaves, max_size=3)
).map(lambda odd: SPRING | odd)
bodies = st.one_of(anything, nearly, parts)

patiently = settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    return apps.setdefault("pages", apps.get("pages") or create_app(rt))


@pytest.fixture
def shop(app: Flask, session: Session) -> Program:
    return program(app, session)


@pytest.fixture
def draft(rt: Runtime, shop: Program) -> int:
    stock(rt)
    return int(shop.told("POST", json=SPRING, status=201)["id"])


def rows(rt: Runtime) -> list[int]:
    with rt.transaction() as session:
        return [session.scalars(select(func.count()).select_from(table)).one() for table in ROWS]


def door(rt: Runtime, shop: Program, method: str, path: str, **sent: Any) -> None:
    """Done, or refused with a code and words, and then nothing is there that was not."""
    before = rows(rt)
    answer = shop.ask(method, path, **sent)
    assert answer.status_code < 500, (method, path, sent, answer.text)
    if answer.status_code >= 400:
        assert answer.json is not None
        assert answer.json["error"]["code"]
        assert answer.json["error"]["message"]
        assert rows(rt) == before


@patiently
@example(body=SPRING | {"segments": ["\0"]})
@example(body=SPRING | {"segments": [2**63]})
@example(body=SPRING | {"schedule": {"local_time": "0001-01-01T00:00"}})
@given(body=bodies)
def test_a_draft_is_made_of_it_or_refused(rt: Runtime, shop: Program, draft: int, body: Any) -> None:
    door(rt, shop, "POST", "", json=body)
    door(rt, shop, "PATCH", f"/{draft}", json=body)


@patiently
@given(verb=st.sampled_from(VERBS), body=bodies)
def test_every_other_door_does_it_or_refuses(rt: Runtime, shop: Program, draft: int, verb: str, body: Any) -> None:
    door(rt, shop, "POST" if verb else "PATCH", f"/{draft}{verb}", json=body)


@patiently
@given(
    path=st.sampled_from(["", "/recipients", "/timeline", "/preflight"]),
    names=st.dictionaries(
        st.sampled_from(["before", "limit", "state", "part", "reason", "variant", "after"]),
        st.one_of(texts, numbers.map(str), st.sampled_from(["failed", "m7.0", f"p{10**17}.{10**17}", "٣"])),
        max_size=2,
    ),
)
def test_every_question_is_answered_or_refused(
    rt: Runtime, shop: Program, draft: int, path: str, names: dict[str, str]
) -> None:
    door(rt, shop, "GET", f"/{draft}{path}" if path else "", query_string=names)


@patiently
@given(body=st.binary(max_size=60), kind=st.sampled_from(["application/json", "text/plain", ""]))
def test_bytes_that_are_no_json_are_refused(rt: Runtime, shop: Program, draft: int, body: bytes, kind: str) -> None:
    door(rt, shop, "POST", "", data=body, content_type=kind)
    door(rt, shop, "POST", f"/{draft}/launch", data=body + b"x", content_type=kind)


@pytest.mark.parametrize("depth", [300, 900, 5000])
def test_what_is_nested_deep_is_refused(rt: Runtime, shop: Program, draft: int, depth: int) -> None:
    nested = '{"care": ' + "[" * depth + "]" * depth + "}"
    for path in ("", f"/{draft}/launch", f"/{draft}/test"):
        door(rt, shop, "POST", path, data=nested, content_type="application/json")


@contextmanager
def counting(rt: Runtime) -> Iterator[list[int]]:
    """How many broadcasts, and how many keys, there are more afterwards."""

    def counts() -> list[int]:
        with rt.transaction() as session:
            return [session.scalars(select(func.count()).select_from(each)).one() for each in (Broadcast, ApiRequest)]

    before = counts()
    more: list[int] = []
    yield more
    more += [now - then for now, then in zip(counts(), before, strict=True)]


def at_once(shop: Program, times: int, path: str, body: dict[str, Any]) -> list[tuple[int, int]]:
    """Status, and id in the answer, of so many equal requests with one key that begin together."""
    barrier = threading.Barrier(times)

    def ask(_: int) -> tuple[int, int]:
        barrier.wait()
        answer = shop.ask("POST", path, json=body, key=f"one{path}")
        told = answer.json or {}
        return answer.status_code, told.get("id") or told["tests"][0]["id"]

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(ask, range(times)))


def test_fifty_at_once_with_one_key_make_one_of_everything(live_rt: Runtime) -> None:
    with live_rt.sessions() as session:
        shop = program(create_app(live_rt), session)
    stock(live_rt)
    with counting(live_rt) as made:
        answers = at_once(shop, 50, "", SPRING)
    assert (len(set(answers)), answers[0][0], made) == (1, 201, [1, 1])
    here = f"/{answers[0][1]}"
    for verb, body, status, more in (
        ("duplicate", {}, 201, 1),
        ("test", {"to": ["mona"]}, 202, 1),
        ("launch", {"confirmed": 2}, 202, 0),
    ):
        with counting(live_rt) as made:
            answers = at_once(shop, 10, f"{here}/{verb}", body)
        assert (len(set(answers)), answers[0][0], made) == (1, status, [more, 1]), verb
    assert len(campaigns.told(live_rt, int(here[1:]))) == 1  # one launch in its timeline
