"""A program makes broadcasts, looks before it launches, and follows them to the end; docs/api.md tells how."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import create_app
from bot.messages import policy
from bot.messages.policy import Policy
from bot.models.broadcast import Broadcast
from bot.models.connection import Connection
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import BroadcastState, MessageState
from bot.people import topics
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.control import lifecycle
from broadcasts.preflight import rates
from broadcasts.preflight.launching import ApprovalError
from broadcasts.transitions import Actor
from tests import factories
from tests.broadcasts import campaigns
from tests.broadcasts.programs import ALL, SPRING, Program, Stock, program, stock


@pytest.fixture
def app(rt: Runtime, apps: dict[str, Flask]) -> Flask:
    return apps.setdefault("pages", apps.get("pages") or create_app(rt))


@pytest.fixture
def shop(app: Flask, session: Session) -> Program:
    return program(app, session)


@pytest.fixture
def things(rt: Runtime) -> Stock:
    return stock(rt)


@pytest.fixture
def draft(shop: Program, things: Stock) -> int:
    return int(shop.told("POST", json=SPRING, status=201)["id"])


def count(session: Session) -> int:
    return session.scalar(select(func.count(Broadcast.id))) or 0


def test_a_program_goes_from_a_draft_to_the_people_behind_each_number(
    shop: Program, things: Stock, rt: Runtime
) -> None:
    made = shop.ask("POST", json=SPRING)
    assert made.status_code == 201
    here = made.headers["Location"].removeprefix(ALL)
    assert made.json
    assert (made.json["state"], made.json["origin"], made.json["environment"]) == ("draft", "new", "live")
    [read, _] = shop.told("POST", f"{here}/preview")["people"]
    assert [each["body"] for each in read["readings"]] == ["Hello Omar"]
    looked = shop.told("GET", f"{here}/preflight")
    assert (looked["blocks"], looked["audience"]["people"], looked["audience"]["gets"]) == ([], 2, 2)
    assert shop.told("POST", f"{here}/launch", json={"confirmed": 2}, status=202)["state"] == "materialising"
    jobs.work()
    campaigns.settle(rt, int(here[1:]), limit=1)
    shown = shop.told("GET", here)
    assert (shown["counts"]["accepted"], shown["counts"]["waiting"], shown["counts"]["audience"]) == (1, 1, 2)
    [waiting] = shop.told("GET", f"{here}/recipients?part=waiting")["recipients"]
    assert (waiting["person"]["distinct_id"], waiting["state"], waiting["message_id"] > 0) == ("omar", "queued", True)
    assert [(each["from"], each["who"]) for each in shop.told("GET", f"{here}/timeline")["timeline"]][:1] == [
        ("draft", "token shop-live")
    ]


def test_everything_that_can_be_said_of_a_draft_comes_back_as_it_was_said(
    shop: Program, things: Stock, rt: Runtime
) -> None:
    with rt.transaction() as session:
        topics.create(session, "live", "News", None)
    whole: dict[str, Any] = {
        **SPRING,
        "number": things.number.phone,
        "minus": ["Paid"],
        "topic": "News",
        "wordings": [
            {
                "variant": 0,
                "language": "de",
                "template": {"name": "greeting", "language": "de"},
                "slots": SPRING["slots"],
            },
            {
                "variant": 1,
                "language": None,
                "template": {"name": "greeting", "language": "en"},
                "slots": {"body.1": "you"},
            },
        ],
        "schedule": {
            "local_time": f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%dT09:00:00}",
            "heeds_quiet_hours": False,
        },
        "care": {"canary_percent": 5, "canary_minutes": 30, "pace_per_s": 7, "tier_percent": 50, "skips_gaps": True},
        "trial": {"holdout_percent": 5, "trial_percent": 20, "winner_metric": "read", "winner_minutes": 60},
    }
    made = shop.told("POST", json=whole, status=201)
    assert made["description"] == whole
    again = shop.told("POST", json=made["description"] | {"name": "Once more"}, status=201)
    assert again["description"] == whole | {"name": "Once more"}


def test_a_change_touches_what_is_named_and_null_takes_it_back(shop: Program, draft: int) -> None:
    shop.told("PATCH", f"/{draft}", json={"care": {"pace_per_s": 7, "skips_gaps": True}, "minus": ["Paid"]})
    changed = shop.told("PATCH", f"/{draft}", json={"care": {"pace_per_s": None}, "name": "Summer"})["description"]
    assert (changed["name"], changed["care"], changed["minus"]) == ("Summer", {"skips_gaps": True}, ["Paid"])
    bare = shop.told("PATCH", f"/{draft}", json={"care": None, "minus": None})["description"]
    assert ("care" in bare, "minus" in bare) == (False, False)
    assert shop.refused("PATCH", f"/{draft}", json={"name": None}) == (422, "bad_broadcast", "name")


@pytest.mark.parametrize(
    "wrong, code, field",
    [
        ({"name": ""}, "bad_broadcast", "name"),
        ({"name": 7}, "invalid_field", "name"),
        ({"name": None}, "bad_broadcast", "name"),
        ({"environment": "test"}, "invalid_field", "environment"),
        ({"segments": []}, "bad_broadcast", "segments"),
        ({"segments": ["Nobody"]}, "bad_broadcast", "segments.0"),
        ({"segments": ["Students", 10**15]}, "bad_broadcast", "segments.1"),
        ({"segments": "Students"}, "invalid_field", "segments"),
        ({"minus": [True]}, "invalid_field", "minus.0"),
        ({"number": "+4915112345678"}, "bad_broadcast", "number"),
        ({"topic": "Gossip"}, "bad_broadcast", "topic"),
        ({"topic": 77}, "bad_broadcast", "topic"),
        ({"template": {"name": "greeting"}}, "bad_broadcast", "template"),
        ({"template": {"name": "greeting", "language": "en", "id": 3}}, "invalid_field", "template.id"),
        ({"template": "greeting"}, "invalid_field", "template"),
        ({"slots": {}}, "bad_broadcast", "slots.body.1"),
        ({"slots": {"body.1": 3}}, "invalid_field", "slots.body.1"),
        ({"slots": {"body.1": "a\0b"}}, "invalid_field", "slots.body.1"),
        ({"wordings": [{"variant": 1}]}, "invalid_field", "wordings.0"),
        ({"wordings": [{"variant": 99, "template": {"name": "greeting"}}]}, "invalid_field", "wordings.0.variant"),
        ({"schedule": {"scheduled_at": "tomorrow"}}, "invalid_field", "schedule.scheduled_at"),
        ({"schedule": {"scheduled_at": "2999-01-01T09:00"}}, "bad_broadcast", "schedule.scheduled_at"),
        ({"schedule": {"local_time": "0001-01-01T00:00"}}, "invalid_field", "schedule.local_time"),
        ({"care": {"pace_per_s": True}}, "invalid_field", "care.pace_per_s"),
        ({"care": {"pace_per_s": 0}}, "bad_broadcast", "care.pace_per_s"),
        ({"care": {"speed": 1}}, "invalid_field", "care.speed"),
        ({"trial": {"winner_metric": "luck"}}, "bad_broadcast", "trial.winner_metric"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_makes_nothing(
    shop: Program, things: Stock, session: Session, wrong: dict[str, Any], code: str, field: str
) -> None:
    assert shop.refused("POST", json=SPRING | wrong, key="one") == (422, code, field)
    assert count(session) == 0
    assert shop.ask("POST", json=SPRING, key="one").status_code == 201


def test_a_token_reaches_the_broadcasts_of_its_environment_and_no_others(
    app: Flask, session: Session, draft: int
) -> None:
    other = program(app, session, "test")
    assert other.told("GET")["broadcasts"] == []
    doors = [("GET", ""), ("PATCH", ""), ("GET", "/preflight"), ("GET", "/recipients"), ("GET", "/timeline")]
    doors += [("POST", f"/{verb}") for verb in ("preview", "test", "launch", "pause", "resume", "cancel")]
    doors += [("POST", f"/{verb}") for verb in ("unschedule", "retry", "duplicate")]
    for method, verb in doors:
        body: dict[str, Any] = {} if method == "GET" else {"json": {}}
        assert other.refused(method, f"/{draft}{verb}", **body)[:2] == (404, "unknown_broadcast"), verb
    assert other.refused("POST", f"/{draft}/pace", json={"pace_per_s": 1})[1] == "unknown_broadcast"


def test_the_list_goes_on_and_keeps_to_a_state(shop: Program, draft: int) -> None:
    second = shop.told("POST", json=SPRING | {"name": "Second"}, status=201)["id"]
    shop.told("POST", f"/{draft}/cancel")
    page = shop.told("GET", "?limit=1")
    assert ([each["id"] for each in page["broadcasts"]], page["before"]) == ([second], second)
    rest = shop.told("GET", f"?before={second}")
    assert ([each["id"] for each in rest["broadcasts"]], rest["before"]) == ([draft], None)
    assert [each["id"] for each in shop.told("GET", "?state=cancelled")["broadcasts"]] == [draft]
    assert shop.refused("GET", "?state=lost") == (422, "invalid_field", "state")


def test_a_launch_wants_the_count_typed_above_the_threshold(shop: Program, draft: int, rt: Runtime) -> None:
    with rt.transaction() as session:
        policy.change(session, "live", Policy(type_count_above=1), None)
    assert shop.refused("POST", f"/{draft}/launch") == (422, "unconfirmed", "confirmed")
    assert shop.refused("POST", f"/{draft}/launch", json={"confirmed": 3}) == (422, "unconfirmed", "confirmed")
    assert shop.told("GET", f"/{draft}/preflight")["must_be_confirmed"] is True
    assert shop.told("POST", f"/{draft}/launch", json={"confirmed": 2}, status=202)["state"] == "materialising"
    assert shop.refused("POST", f"/{draft}/launch", json={"confirmed": 2})[:2] == (409, "broadcast_state")


def test_no_token_approves_whatever_asked_for_it(shop: Program, draft: int, rt: Runtime, session: Session) -> None:
    with rt.transaction() as tx:
        policy.change(tx, "live", Policy(approve_above=1), None)
        token_id = factories.make_token(tx).id
    assert shop.told("POST", f"/{draft}/launch", status=202)["state"] == "approval"
    assert shop.refused("POST", f"/{draft}/approve")[0] == 404
    assert shop.refused("PUT", "/policy", json={"approve_above": None})[0] == 405
    with pytest.raises(ApprovalError):
        lifecycle.approve(session, draft, Actor(token_id=token_id))


def test_what_stops_a_launch_is_told_by_its_preflight_and_by_the_launch(
    shop: Program, draft: int, things: Stock, rt: Runtime
) -> None:
    with rt.transaction() as session:
        session.get_one(Person, things.people[0].id).first_name = None
    [block] = shop.told("GET", f"/{draft}/preflight")["blocks"]
    answer = shop.ask("POST", f"/{draft}/launch")
    assert answer.json == {"error": {"code": "broadcast_refused", "message": block}}
    shop.told("PATCH", f"/{draft}", json={"care": {"skips_gaps": True}})
    assert shop.told("GET", f"/{draft}/preflight")["audience"]["gets"] == 1
    assert shop.ask("POST", f"/{draft}/launch").status_code == 202


def test_somebody_of_the_audience_reads_it_in_their_language_and_variant(shop: Program, things: Stock) -> None:
    wordings = [{"variant": 1, "template": {"name": "greeting", "language": "de"}, "slots": {"body.1": "you"}}]
    draft = shop.told("POST", json=SPRING | {"wordings": wordings}, status=201)["id"]
    [mona] = shop.told("POST", f"/{draft}/preview", json={"person": "mona"})["people"]
    assert [(each["variant"], each["body"]) for each in mona["readings"]] == [("A", "Hello Mona"), ("B", "Hello you")]
    assert shop.refused("POST", f"/{draft}/preview", json={"person": "nemo"}) == (422, "invalid_field", "person")


def test_a_test_send_goes_once_to_whom_it_names(shop: Program, draft: int, rt: Runtime, session: Session) -> None:
    body = {"to": ["mona", "+201012345678"]}
    first = shop.told("POST", f"/{draft}/test", json=body, key="t", status=202)
    jobs.work()
    again = shop.told("POST", f"/{draft}/test", json=body, key="t", status=202)
    assert [each["id"] for each in again["tests"]] == [each["id"] for each in first["tests"]]
    assert [each["state"] for each in again["tests"][0]["people"]] == ["queued", "queued"]
    assert session.scalar(select(func.count(Message.id))) == 2
    assert shop.refused("POST", f"/{draft}/test", json={"to": []})[1] == "broadcast_refused"
    assert shop.refused("POST", f"/{draft}/test", json=body | {"wordings": [1]}) == (422, "invalid_field", "wordings")


def test_a_test_send_of_a_program_never_leaves_its_environment(
    shop: Program, draft: int, things: Stock, rt: Runtime
) -> None:
    with rt.transaction() as session:
        factories.make_number(session, session.get_one(Connection, things.number.connection_id), environment="test")
        factories.make_person(session, environment="test", distinct_id="tester")
    assert shop.refused("POST", f"/{draft}/test", json={"to": ["tester"]})[1] == "broadcast_refused"


def test_the_buttons_of_a_broadcast_on_its_way(shop: Program, rt: Runtime) -> None:
    running = campaigns.make_running(rt)
    assert shop.told("POST", f"/{running}/pace", json={"pace_per_s": 5})["description"]["care"] == {"pace_per_s": 5}
    assert shop.refused("POST", f"/{running}/pace", json={}) == (422, "invalid_field", "pace_per_s")
    assert shop.refused("POST", f"/{running}/pace", json={"pace_per_s": 0})[1] == "broadcast_refused"
    paused = shop.told("POST", f"/{running}/pause", json={"why": "Wrong price"})
    assert (paused["state"], paused["reason"], paused["counts"]["in_flight"]) == ("paused", "Wrong price", 0)
    assert shop.refused("POST", f"/{running}/pause")[:2] == (409, "broadcast_state")
    assert shop.told("POST", f"/{running}/resume")["state"] == "running"
    assert shop.told("POST", f"/{running}/cancel")["counts"]["cancelled"] == 3
    assert shop.refused("POST", f"/{running}/resume", json={"why": 3}) == (422, "invalid_field", "why")
    assert shop.refused("POST", f"/{running}/resume", json={"reason": "x"}) == (422, "invalid_field", "reason")


def test_one_that_waits_for_its_time_is_taken_back(shop: Program, draft: int) -> None:
    at = datetime.now(UTC) + timedelta(days=1)
    shop.told("PATCH", f"/{draft}", json={"schedule": {"scheduled_at": at.isoformat()}})
    assert shop.told("POST", f"/{draft}/launch", status=202)["state"] == "scheduled"
    assert shop.refused("PATCH", f"/{draft}", json={"name": "Late"})[:2] == (409, "broadcast_state")
    assert shop.told("POST", f"/{draft}/unschedule")["state"] == "draft"


def test_whom_it_failed_for_is_tried_again_once_and_a_copy_made_once(shop: Program, rt: Runtime) -> None:
    finished = campaigns.make_running(rt)
    failed: dict[str, Any] = {"error_code": 131016, "error_text": "overloaded", "failed_at": campaigns.NOW}
    campaigns.settle(rt, finished, MessageState.FAILED, **failed)
    campaigns.change(rt, finished, state=BroadcastState.FINISHED)
    shown = shop.told("GET", f"/{finished}")
    assert [(each["code"], each["people"]) for each in shown["failed"]] == [(131016, 3)]
    again = [shop.told("POST", f"/{finished}/retry", key="r", status=201)["id"] for _ in range(2)]
    assert len(set(again)) == 1
    assert shop.refused("POST", f"/{finished}/retry", key="other")[:2] == (422, "broadcast_refused")
    copies = [shop.told("POST", f"/{finished}/duplicate", key="d", status=201)["id"] for _ in range(2)]
    assert len(set(copies)) == 1
    assert shop.told("GET", f"/{copies[0]}")["origin"] == "copy"
    assert [each["id"] for each in shop.told("GET", f"/{finished}")["retries"]] == again[:1]


def test_a_key_stands_for_one_call_with_one_body(shop: Program, things: Stock) -> None:
    made = [shop.told("POST", json=SPRING, key="k", status=201)["id"] for _ in range(2)]
    assert made[0] == made[1]
    assert shop.refused("POST", json=SPRING | {"name": "Other"}, key="k")[1] == "idempotency_key_reused"
    assert shop.refused("POST", f"/{made[0]}/duplicate", key="k")[1] == "idempotency_key_reused"
    copy = shop.told("POST", f"/{made[0]}/duplicate", key="d", status=201)["id"]
    assert shop.refused("POST", f"/{copy}/duplicate", key="d")[1] == "idempotency_key_reused"


def test_people_come_a_page_at_a_time_by_part_and_variant(shop: Program, rt: Runtime) -> None:
    running = campaigns.make_running(rt)
    page = shop.told("GET", f"/{running}/recipients?limit=2")
    rest = shop.told("GET", f"/{running}/recipients?limit=2&after={page['more']}")
    ids = [each["person"]["id"] for each in page["recipients"] + rest["recipients"]]
    assert (len(set(ids)), rest["more"]) == (3, None)
    assert shop.told("GET", f"/{running}/recipients?variant=B")["recipients"] == []
    assert shop.refused("GET", f"/{running}/recipients?part=lost") == (422, "invalid_field", "part")
    assert shop.refused("GET", f"/{running}/recipients?variant=Z") == (422, "invalid_field", "variant")
    assert shop.refused("GET", f"/{running}/recipients?after=7") == (400, "unexpected_query", "after")


def test_a_program_reads_what_broadcasts_keep_to_and_what_they_cost(shop: Program, rt: Runtime) -> None:
    with rt.transaction() as session:
        rates.put(session, "EG", "MARKETING", "0.0700", "USD")
    assert shop.told("GET", "/policy")["type_count_above"] == 1000
    [rate] = shop.told("GET", "/rates")["rates"]
    assert rate == {"country": "EG", "category": "MARKETING", "price": "0.07", "currency": "USD"}


def test_a_program_keeps_the_prices_whole_or_not_at_all(shop: Program) -> None:
    egypt = {"country": "EG", "category": "MARKETING", "price": "0.07", "currency": "USD"}
    others = {**egypt, "country": "*", "price": "0.0455"}
    assert shop.told("PUT", "/rates", json={"rates": [egypt, others]})["rates"] == [egypt, others]
    for wrong in ([{**egypt, "price": "free"}], [egypt, egypt], [egypt, {**others, "currency": "EUR"}]):
        assert shop.refused("PUT", "/rates", json={"rates": wrong}) == (422, "invalid_field", "rates")
    assert shop.refused("PUT", "/rates", json={"rates": [{**egypt, "price": 0.07}]})[2] == "rates.0"
    assert shop.refused("PUT", "/rates", json={})[2] == "rates"
    assert shop.told("GET", "/rates")["rates"] == [egypt, others]
    assert shop.told("PUT", "/rates", json={"rates": [{**egypt, "currency": "EUR"}]})["rates"][0]["currency"] == "EUR"


def test_a_program_changes_only_the_draft_that_it_has_read(shop: Program, things: Stock) -> None:
    made = shop.ask("POST", json=SPRING)
    seen, path = made.headers["ETag"], made.headers["Location"].removeprefix(ALL)
    assert shop.ask("GET", path).headers["ETag"] == seen

    first = shop.ask("PATCH", path, json={"name": "Summer"}, match=seen)
    assert (first.status_code, first.headers["ETag"] == seen) == (200, False)
    assert shop.refused("PATCH", path, json={"name": "Winter"}, match=seen) == (412, "changed_meanwhile", None)
    assert shop.told("GET", path)["name"] == "Summer"
    assert shop.told("PATCH", path, json={"name": "Autumn"}, match=first.headers["ETag"])["name"] == "Autumn"
    assert shop.told("PATCH", path, json={"name": "Any"}, match="*")["name"] == "Any"
    assert shop.told("PATCH", path, json={"name": "Last"})["name"] == "Last"
