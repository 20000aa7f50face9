"""Real traffic becomes a test case that names nobody, and a test case becomes traffic again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.connections import connections
from bot.providers.base import RECEIVED_AT
from bot.providers.registry import PROVIDERS
from tests.harness import recorded
from tests.harness.house import SLUG, House
from tests.webhooks.conftest import PHONE, Line, contact, text_message
from webhooks import cases, recorder
from webhooks.cases import Case, CaseError
from webhooks.disguise import Disguise

TELLING = [case for case in recorded.every() if case.genuine and case.events]
READABLE = [case for case in TELLING if not any(event["event"] == "Unreadable" for event in case.events)]
_NAMING = {"name", "username", "phone", "user_id", "parent_user_id", "body", "new_phone", "message_id", "target"}


def said(event: Any) -> list[str]:
    """What in an event could tell who it was or what they said."""
    found = []
    for key, value in event.items():
        if isinstance(value, dict):
            found += said(value)
        elif key in _NAMING and isinstance(value, str) and len(set(filter(str.isalnum, value))) > 4:
            found.append(value)
    return found


def disguised(case: Case) -> list[dict[str, Any]]:
    provider, disguise = PROVIDERS[case.provider], Disguise()
    content_type = case.call.headers.get("Content-Type", "")
    body = disguise.body(case.call.body, content_type)
    kept = disguise.headers(case.call.kept(provider.kept_headers))
    headers = {RECEIVED_AT: cases.RECEIVED, "content-type": content_type, **kept}
    return [cases.told(event) for event in provider.parse(body, headers)]


@pytest.mark.parametrize("case", READABLE, ids=str)
def test_a_disguised_body_says_the_same_of_somebody_else(case: Case) -> None:
    before, after = list(case.events), disguised(case)
    assert [event["event"] for event in after] == [event["event"] for event in before]
    assert [event.get("kind") for event in after] == [event.get("kind") for event in before]
    told = json.dumps(after, ensure_ascii=False)
    assert [word for event in before for word in said(event) if word in told] == []


def test_the_same_person_stays_the_same_person() -> None:
    body = {"from": "201234567890", "context": {"from": "201234567890", "id": "wamid.ABCDEFGH1234"}}
    answer = {"to": "201234567890", "id": "wamid.ABCDEFGH1234", "other": "201234567891"}
    told = json.loads(Disguise().body(orjson.dumps([body, answer]), "application/json"))
    assert told[0]["from"] == told[0]["context"]["from"] == told[1]["to"] != told[1]["other"]
    assert told[0]["context"]["id"] == told[1]["id"]
    assert told[0]["from"].startswith("20")
    assert len(told[0]["from"]) == 12


@pytest.mark.parametrize(
    "told",
    [
        {"mobile": 2025550123, "wa_id": 5511987654321},
        {"reason": "Amina Example asked for it", "status": "call 2025550123", "value": "2025550123"},
        {"code": 5511987654321, "field": "amina@example.org", "event": "Amina?"},
        {"contacts": [{"phones": [{"type": "Amina", "phone": "2025550123"}], "emails": [{"type": "Amina"}]}]},
        {"2025550123": {"Amina Example": 1, "amina@example.org": 2}},
    ],
    ids=lambda told: next(iter(told)),
)
def test_nobody_is_told_by_a_number_a_kind_or_the_name_of_a_member(told: dict[str, Any]) -> None:
    kept = Disguise().body(orjson.dumps(told), "application/json").decode()
    assert [word for word in ("2025550123", "5511987654321", "mina") if word in kept] == []


def test_what_is_neither_json_nor_a_form_is_told_as_neither() -> None:
    assert b"mina" not in Disguise().body(b"Amina Example asks", "text/plain")


def test_kinds_and_times_stay_what_they_are() -> None:
    told = {"type": "audio", "mime_type": "audio/ogg; codecs=opus", "timestamp": 1700000000, "code": 131047}
    told |= {"created_at": "2025-06-08 21:00:00", "category": "MARKETING_LITE", "language": "en_US"}
    assert json.loads(Disguise().body(orjson.dumps(told), "application/json")) == told


def test_a_text_keeps_its_shape_and_nothing_else() -> None:
    told = json.loads(Disguise().body(orjson.dumps({"text": {"body": "Hi Zoë,\n call 555! 🎉"}}), "application/json"))
    assert told["text"]["body"] == "Xx Xxé,\n xxxx 000! 🎉"


def test_what_was_recorded_is_a_case_of_the_contract_suite(line: Line, tmp_path: Path) -> None:
    line.tell(text_message("Amina was here"), contacts=[contact("Amina Example")])
    [path] = recorder.save(record(line, 1), tmp_path)
    assert path.parent.name == "cloud"
    kept = path.read_text()
    assert [word for word in ("Amina", PHONE, "was here") if word in kept] == []
    case, provider = cases.read(path), PROVIDERS["cloud"]
    provider.verify(case.account, case.call)
    events = provider.parse(case.call.body, cases.kept_headers(provider, case.call))
    assert [cases.told(event) for event in events] == case.events
    assert [event["event"] for event in case.events] == ["InboundMessage"]


def record(line: Line, last: int) -> list[Case]:
    with line.rt.transaction() as session:
        return recorder.record(session, connections.named(session, line.slug), (), last)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"account": {}, "request": {}}', "no json"])
def test_a_file_that_is_no_case_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text)
    with pytest.raises(CaseError, match=r"odd\.json is no recorded request"):
        cases.read(path)


@pytest.mark.parametrize("case", TELLING, ids=str)
def test_every_provider_takes_what_is_proven_anew(case: Case) -> None:
    provider = PROVIDERS[case.provider]
    bare = replace(case.call, headers=cases.headers({}), path_secret=None)
    proof = provider.prove(case.account, bare)
    provider.verify(case.account, replace(bare, headers=cases.headers(proof)))


def test_traffic_is_recorded_and_replayed_on_a_running_instance(house: House, tmp_path: Path) -> None:
    house.start("web", "intake", "clock")
    house.simulator.say("+201012345678", "Good morning")
    house.settle()
    made = json.loads(house.run("webhooks", "record", SLUG, "--into", str(tmp_path), "--json"))
    [case] = made
    told = json.loads(house.run("webhooks", "replay", case["file"], "--connection", SLUG, "--json"))
    assert [each["status"] for each in told] == [200]
    house.settle()
    assert house.ask("SELECT count(*) FROM person") == 2
    bodies = "SELECT string_agg(body, '|' ORDER BY id) FROM message WHERE direction = 'in'"
    assert house.ask(bodies) == "Good morning|Xxxx xxxxxxx"
