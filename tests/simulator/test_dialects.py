"""Other providers than Meta take messages at their own paths, in their own words, and refuse in them."""

import hashlib
import json
import re
from typing import Any

import pytest

from tests.harness import lines
from tests.harness.lines import OTHERS, Line
from tests.harness.simulator import ACCESS_TOKEN
from tests.simulator.business import Business
from tests.simulator.desk import PERSON, Desk
from tests.simulator.sends import LINES, MARK, hello, login, post, template

VISIT = {"name": "visit", "language": "en", "components": [{"type": "BODY", "text": "Dear {{1}}, until {{2}}."}]}


@pytest.fixture(autouse=True)
def _configured(sim: Desk, business: Business) -> None:
    """An account of each dialect, and PERSON has just written to all of them."""
    sections = lines.sections(LINES, business.url)
    templates = [{"waba_id": line.waba_id, **VISIT} for line in LINES]
    sim.control("config", {**sections, "templates": templates, "statuses": {"enabled": False}}, method="PUT")
    for line in LINES:
        sim.control("window", {"person": PERSON, "number_id": line.number_id})


@pytest.fixture(params=OTHERS)
def line(request: pytest.FixtureRequest) -> Line:
    return OTHERS[request.param]


IDS: dict[str, tuple[str, str]] = {
    "360dialog": (r"/messages/0/id", r"wamid\..+"),
    "turn": (r"/messages/0/id", r"gBEG\S+"),
    "onpremise": (r"/messages/0/id", r"gBEG\S+"),
    "kaleyra-v1": (r"/id", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:0"),
    "kaleyra-v2": (r"/messages/0/id", r"wamid\..+"),
    "twilio": (r"/sid", r"SM[0-9a-f]{32}"),
}


def at(answer: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        answer = answer[int(part)] if isinstance(answer, list) else answer[part]
    return answer


def test_a_text_is_accepted_and_logged_with_an_id_of_the_provider_s_form(
    sim: Desk, business: Business, line: Line
) -> None:
    send = hello(line, business.url)
    status, answer = post(sim, send)
    assert status == (201 if line.provider == "twilio" else 200)
    pointer, form = IDS[line.provider]
    assert re.fullmatch(form, at(answer, pointer))
    (entry,) = sim.log(number_id=line.number_id)
    told = {"wamid": at(answer, pointer), "type": "text", "text": "Hello", "recipient": None}
    assert {name: entry[name] for name in told} == told
    assert entry["to"].lstrip("+") == PERSON[1:]
    assert entry["callback"] == (None if line.provider in {"turn", "onpremise"} else MARK)
    assert entry["body_sha256"] == hashlib.sha256(send.raw).hexdigest()


REFUSED_KEY: dict[str, tuple[str, object]] = {
    "360dialog": ("/meta/developer_message", "Invalid api key"),
    "turn": ("/errors/0/code", 1005),
    "onpremise": ("/errors/0/code", 1005),
    "kaleyra-v1": ("/error/api-key", "invalid"),
    "kaleyra-v2": ("/error/api-key", "invalid"),
    "twilio": ("/code", 20003),
}


def test_a_wrong_key_is_refused_in_the_provider_s_words(sim: Desk, line: Line) -> None:
    status, answer = post(sim, hello(line).by(login(line, "guessed")))
    pointer, word = REFUSED_KEY[line.provider]
    assert (status, at(answer, pointer)) == (401, word)
    assert sim.log() == []


def test_a_key_opens_no_other_provider_s_door(sim: Desk, line: Line) -> None:
    one_door = {"turn", "onpremise"}
    key = str(line.account["access_token"])
    for other in LINES:
        if other is not line and {other.provider, line.provider} != one_door:
            assert post(sim, hello(other).by(login(other, key)))[0] == 401
    assert post(sim, hello(line).by(login(line, ACCESS_TOKEN)))[0] == 401
    number = f"/v25.0/{line.number_id}/messages"
    assert sim.graph("POST", number, {}, token=str(line.account["access_token"])).code == 190


REFUSED: list[tuple[str, dict[str, Any], int, str, object]] = [
    ("360dialog", {"messaging_product": None}, 400, "/error/code", 100),
    ("360dialog", {"to": "nobody"}, 400, "/error/code", 131009),
    ("turn", {"type": "image", "text": None, "image": {"link": "https://x.example/a.png"}}, 400, "/errors/0/code", 100),
    ("turn", {"type": "template", "template": {"name": "visit"}}, 404, "/error/code", 132001),
    ("onpremise", {"to": PERSON}, 400, "/errors/0/code", 1009),
    ("onpremise", {"biz_opaque_callback_data": MARK}, 400, "/errors/0/code", 1009),
    ("onpremise", {"text": {"body": "Hello", "preview_url": True}}, 400, "/errors/0/code", 1009),
    ("onpremise", {"to": "201099999999"}, 400, "/errors/0/code", 470),
    ("kaleyra-v1", {"to": "12"}, 400, "/error/to", "invalid number"),
    ("kaleyra-v1", {"channel": "sms"}, 400, "/error/channel", "invalid channel"),
    ("kaleyra-v1", {"from": "+4912345678"}, 400, "/error/from", "invalid number"),
    ("kaleyra-v1", {"body": ""}, 400, "/error/body", "required"),
    ("kaleyra-v1", {"callback_url": "https://away.example/"}, 400, "/error/callback_url", "invalid url"),
    ("kaleyra-v2", {"messaging_object": {"to": PERSON}}, 400, "/error/body", None),
    ("twilio", {"To": "whatsapp:2010"}, 400, "/code", 21211),
    ("twilio", {"From": "whatsapp:+4912345678"}, 400, "/code", 63007),
    ("twilio", {"Body": "x" * 1601}, 400, "/code", 21617),
    ("twilio", {"Body": ""}, 400, "/code", 21619),
    ("twilio", {"StatusCallback": "https://away.example/"}, 400, "/code", 21609),
    ("twilio", {"ContentSid": "HX" + "0" * 32}, 400, "/code", 21655),
]


@pytest.mark.parametrize("provider, change, status, pointer, word", REFUSED)
def test_what_is_wrong_is_refused_in_the_provider_s_words(
    sim: Desk, provider: str, change: dict[str, Any], status: int, pointer: str, word: object
) -> None:
    answered, answer = post(sim, hello(OTHERS[provider]).changed(**change))
    assert (answered, word in {None, at(answer, pointer)}) == (status, True), answer
    assert sim.log() == []


RATES: dict[str, tuple[int, str, object]] = {
    "360dialog": (400, "/meta/developer_message", "exceeded endpoint rate limit"),
    "turn": (429, "/errors/0/code", 130429),
    "onpremise": (429, "/errors/0/code", 1015),
    "kaleyra-v1": (429, "/error/message", "Too many requests"),
    "kaleyra-v2": (429, "/error/message", "Too many requests"),
    "twilio": (429, "/code", 20429),
}


def test_too_many_are_refused_in_the_provider_s_words(sim: Desk, line: Line) -> None:
    status, pointer, word = RATES[line.provider]
    sim.control("faults", {"send": {"130429": 1}}, method="PUT")
    answered, answer = post(sim, hello(line))
    assert (answered, at(answer, pointer)) == (status, word)
    assert sim.log() == []


def test_an_answer_may_be_lost_after_it_was_accepted_here_as_well(sim: Desk, line: Line) -> None:
    sim.control("faults", {"send": {"server_error_after": 1}}, method="PUT")
    assert post(sim, hello(line))[0] == 500
    assert len(sim.log(number_id=line.number_id)) == 1


@pytest.mark.parametrize("provider", [name for name in OTHERS if name != "twilio"])
def test_a_template_is_filled_and_counted_as_the_provider_writes_it(sim: Desk, provider: str) -> None:
    line = OTHERS[provider]
    assert post(sim, template(line, "Ana", "Tue, 9:00"))[0] == 200
    (entry,) = sim.log(number_id=line.number_id)
    assert (entry["template"], entry["params"]) == ("visit", {"body": ["Ana", "Tue, 9:00"]})
    assert post(sim, template(line, "Ana"))[0] == 400


def test_twilio_sends_content_that_it_listed(sim: Desk) -> None:
    line = OTHERS["twilio"]
    status, raw = sim.call("GET", "/v1/ContentAndApprovals?PageSize=1", headers=login(line))
    listed = json.loads(raw)
    (content,) = listed["contents"]
    assert (status, listed["meta"]["next_page_url"]) == (200, None)
    assert content["types"] == {"twilio/text": {"body": VISIT["components"][0]["text"]}}  # type: ignore[index]
    filled = hello(line).changed(Body=None, ContentSid=content["sid"])
    assert post(sim, filled.changed(ContentVariables='{"2": "noon", "1": "Ana"}'))[0] == 201
    assert sim.log()[0]["params"] == {"body": ["Ana", "noon"]}
    for wrong, code in (('{"1": "Ana"}', 63028), ("[]", 21656), ("{", 21656)):
        assert post(sim, filled.changed(ContentVariables=wrong))[1]["code"] == code


def test_360dialog_lists_templates_and_takes_a_webhook_with_its_headers(sim: Desk, business: Business) -> None:
    key = login(OTHERS["360dialog"])
    listed = json.loads(sim.call("GET", "/message_templates?limit=10", headers=key)[1])
    assert [each["name"] for each in listed["data"]] == ["visit"]
    wanted = {"url": f"{business.url}/d", "headers": {"X-Word": "w"}}
    assert sim.call("POST", "/v1/configs/webhook", wanted, headers=key)[0] == 200
    assert json.loads(sim.call("GET", "/v1/configs/webhook", headers=key)[1]) == wanted
    assert sim.call("POST", "/v1/configs/webhook", {"url": "https://away.example"}, headers=key)[0] == 400


def test_a_file_is_handed_out_as_each_provider_does(sim: Desk) -> None:
    key = login(OTHERS["360dialog"])
    about = json.loads(sim.call("GET", "/sample-image", headers=key)[1])
    path = about["url"].removeprefix("https://lookaside.fbsbx.com")
    assert sim.call("GET", path, headers=key)[1][:4] == b"\x89PNG"
    assert sim.call("GET", path)[0] == 401

    turn = {**login(OTHERS["turn"]), "Content-Type": "image/png"}
    uploaded = json.loads(sim.call("POST", "/v1/media", b"\x89PNG", headers=turn)[1])["media"][0]["id"]
    assert sim.call("GET", f"/v1/media/{uploaded}", headers=turn) == (200, b"\x89PNG")
    assert sim.call("GET", f"/v1/media/{uploaded}")[0] == 401

    assert sim.call("GET", "/_media/open/sample-image")[0] == 200


def test_kaleyra_v1_takes_a_file_with_the_form(sim: Desk) -> None:
    line = OTHERS["kaleyra-v1"]
    fields = {"channel": "whatsapp", "from": line.phone, "to": PERSON, "type": "media", "caption": "Look"}
    fields["api-key"] = str(line.account["access_token"])
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    file = '--b\r\nContent-Disposition: form-data; name="media"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nPNG'
    raw = "\r\n".join([*parts, file, "--b--\r\n"]).encode()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert sim.call("POST", f"/v1/{line.waba_id}/messages", raw, headers=headers)[0] == 200
    (item,) = [
        each
        for each in sim.control(f"chat?person={PERSON.strip('+')}&number_id={line.number_id}")["items"]
        if each["side"] == "business"
    ]
    assert (item["text"], item["media"]["kind"]) == ("Look", "image")
    assert sim.call("GET", item["media"]["source"])[1] == b"PNG"


def test_the_phone_shows_what_was_written_in_any_words(sim: Desk, line: Line) -> None:
    post(sim, hello(line))
    sim.control("inbound", {"from": PERSON, "number_id": line.number_id, "text": "Thanks"})
    items = sim.control(f"chat?person={PERSON.strip('+')}&number_id={line.number_id}")["items"]
    assert [(item["side"], item["text"]) for item in items] == [("business", "Hello"), ("person", "Thanks")]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"dialect": "latin"}, "dialect: one of cloud, 360dialog"),
        ({"dialect": "turn", "app_secret": ""}, "app_secret: needed"),
    ],
)
def test_an_account_that_cannot_be_is_refused(sim: Desk, change: dict[str, str], words: str) -> None:
    account = {"waba_id": "1", "access_token": "a", "app_secret": "b"} | change
    status, raw = sim.call("PUT", "/_control/config", {"accounts": [account]})
    assert (status, words in raw.decode()) == (400, True)


def test_an_account_whose_requests_name_no_number_has_one(sim: Desk) -> None:
    second = {"id": "9", "waba_id": OTHERS["turn"].waba_id, "display_phone_number": "+20109"}
    status, raw = sim.call("PUT", "/_control/config", {"numbers": [second]})
    assert (status, b"one number only" in raw) == (400, True)
