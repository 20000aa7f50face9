"""Other providers than Meta tell messages and statuses in their own words, and prove themselves in their own way."""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import unquote

import pytest

from tests.harness import lines
from tests.harness.lines import BASIC, OTHERS, PLANTED, Line
from tests.harness.simulator import APP_SECRET
from tests.simulator.business import Business, Call
from tests.simulator.desk import PERSON, Desk
from tests.simulator.sends import LINES, MARK, hello, post


@pytest.fixture(autouse=True)
def _configured(sim: Desk, business: Business) -> None:
    sim.control("config", lines.sections(LINES, business.url), method="PUT")
    for line in LINES:
        sim.control("window", {"person": PERSON, "number_id": line.number_id})


@pytest.fixture(params=OTHERS)
def line(request: pytest.FixtureRequest) -> Line:
    return OTHERS[request.param]


def is_genuine(line: Line, business: Business, call: Call) -> bool:
    """Judged from the documentation alone."""
    if line.provider == "turn":
        right = base64.b64encode(hmac.digest(APP_SECRET.encode(), call.body, hashlib.sha256)).decode()
        return call.headers.get("X-Turn-Hook-Signature") == right
    if line.provider == "twilio":
        address = business.url[: business.url.index("/webhook/")] + call.target
        told = address + "".join(name + call.fields[name] for name in sorted(call.fields))
        token = str(line.account["access_token"])
        right = base64.b64encode(hmac.digest(token.encode(), told.encode(), hashlib.sha1)).decode()
        return call.headers.get("X-Twilio-Signature") == right
    planted = {"360dialog": ("X-Backchat-Secret", PLANTED), "kaleyra-v2": ("Authorization", BASIC)}
    if line.provider in planted:
        header, word = planted[line.provider]
        return call.headers.get(header) == word
    return call.target.partition("?")[0].endswith(f"/{PLANTED}")


def inbound(sim: Desk, line: Line, **more: Any) -> list[int]:
    return list(sim.control("inbound", {"from": PERSON, "number_id": line.number_id} | more)["statuses"])


def test_a_message_is_told_with_a_proof_and_never_with_another(sim: Desk, business: Business, line: Line) -> None:
    assert inbound(sim, line, text="naïve & ünlike = 100 %") == [200]
    (call,) = business.calls
    assert is_genuine(line, business, call)
    assert call.method == ("GET" if line.provider == "kaleyra-v1" else "POST")
    for word in ("guessed", ""):
        inbound(sim, line, text="x", signature=word)
        assert not is_genuine(line, business, business.calls[-1])


def test_one_copy_with_a_wrong_proof_goes_first_when_asked_for(sim: Desk, business: Business, line: Line) -> None:
    sim.control("faults", {"status": {"bad_signature": 1}}, method="PUT")
    sim.control("config", {"statuses": {"read_share": 0}, "delivery": {"concurrency": 1}}, method="PUT")
    post(sim, hello(line, business.url))
    sim.control("drain", {})
    assert [is_genuine(line, business, call) for call in business.calls[:2]] == [False, True]


def words(line: Line, business: Business) -> list[tuple[str, str]]:
    """Ids and words of the statuses in order of arrival."""
    if line.provider in {"kaleyra-v1", "twilio"}:
        id_, word = ("id", "status") if line.provider == "kaleyra-v1" else ("MessageSid", "MessageStatus")
        return [(call.fields[id_], call.fields[word]) for call in business.calls]
    bodies = [json.loads(call.body) for call in business.calls]
    if line.provider == "kaleyra-v2":
        return [(body["message_id"], body["status"]) for body in bodies]
    if line.provider == "360dialog":
        return [(each["id"], each["status"]) for each in business.statuses()]
    return [(each["id"], each["status"]) for body in bodies for each in body["statuses"]]


def test_a_message_is_sent_delivered_and_read_under_the_id_of_its_answer(
    sim: Desk, business: Business, line: Line
) -> None:
    post(sim, hello(line, business.url))
    wamid = sim.log()[0]["wamid"]
    business.wait(lambda: len(words(line, business)) == 3)
    assert words(line, business) == [(wamid, "sent"), (wamid, "delivered"), (wamid, "read")]


def test_statuses_of_logged_sends_can_be_told_again(sim: Desk, business: Business, line: Line) -> None:
    post(sim, hello(line, business.url))
    sim.control("drain", {})
    business.forget()
    wamid = sim.log()[0]["wamid"]
    sim.control("statuses", {"wamid": wamid, "statuses": ["delivered"]})
    business.wait(lambda: words(line, business) == [(wamid, "delivered")])


def test_kaleyra_v2_calls_a_message_otherwise_inside_than_outside(sim: Desk, business: Business) -> None:
    post(sim, hello(OTHERS["kaleyra-v2"]))
    business.wait(lambda: business.calls)
    told = json.loads(business.calls[0].body)
    (status,) = told["meta_object"]["value"]["statuses"]
    assert told["message_id"] == told["extra_info"]["message_id"] == sim.log()[0]["wamid"] != status["id"]


def test_a_failure_and_disorder_are_told_in_the_provider_s_words(sim: Desk, business: Business, line: Line) -> None:
    for ending, count in (("0018", 2), ("0025", 6)):
        person = f"+1500222{ending}"
        sim.control("window", {"person": person, "number_id": line.number_id})
        sim.control("config", {"delivery": {"concurrency": 1 if ending == "0018" else 8}}, method="PUT")
        business.forget()
        post(sim, hello(line, business.url, to=person))
        business.wait(lambda count=count: len(words(line, business)) == count)  # type: ignore[misc]
        told = [word for _, word in words(line, business)]
        if ending == "0018":
            failed = {"kaleyra-v1": "not-sent", "twilio": "undelivered"}.get(line.provider, "failed")
            assert told == ["sent", failed]
    assert sorted(told) == sorted(["sent", "delivered", "read"] * 2)
    assert told != ["sent", "delivered", "read"] * 2


def test_our_mark_comes_back_where_the_provider_has_a_place_for_it(sim: Desk, business: Business) -> None:
    for name in ("360dialog", "kaleyra-v2", "twilio", "turn", "onpremise"):
        sim.control("drain", {})
        business.forget()
        post(sim, hello(OTHERS[name], business.url))
        business.wait(lambda: business.calls)
        (call, *_) = business.calls
        told = unquote(call.target) + call.body.decode()
        assert (MARK in told) == (name not in {"turn", "onpremise"})


def test_twilio_accepts_what_the_window_forbids_and_then_fails_it(sim: Desk, business: Business) -> None:
    sim.control("window", {"person": PERSON, "number_id": OTHERS["twilio"].number_id, "hours_ago": 25})
    assert post(sim, hello(OTHERS["twilio"], business.url))[0] == 201
    business.wait(lambda: business.calls)
    (call,) = business.calls
    assert (call.fields["MessageStatus"], call.fields["ErrorCode"]) == ("undelivered", "63016")


def test_kaleyra_v1_leaves_a_variable_without_a_value_as_it_is(sim: Desk, business: Business) -> None:
    inbound(sim, OTHERS["kaleyra-v1"], text="50 % & <body>", name="Zoë")
    told = business.calls[0].fields
    assert (told["body"], told["name"], told["media_url"]) == ("50 % & <body>", "Zoë", "<media_url>")
    assert (told["wanumber"], told["from"]) == (OTHERS["kaleyra-v1"].told, PERSON[1:])


def test_turn_takes_any_success_and_gives_up_after_a_refusal(sim: Desk, business: Business) -> None:
    for answers, posts in (([202], 1), ([422], 1), ([500, 200], 2)):
        business.forget()
        business.answers = list(answers)
        inbound(sim, OTHERS["turn"], text="x")
        sim.control("drain", {})
        assert len(business.calls) == posts


def test_turn_tells_who_wrote_and_someone_without_a_phone_by_user_id(sim: Desk, business: Business) -> None:
    inbound(sim, OTHERS["turn"], text="x", **{"from": "", "user_id": "EG.7001"})
    (message,) = json.loads(business.calls[0].body)["messages"]
    assert ("from" in message, message["from_bsuid"]) == (False, "EG.7001")
    assert message["_vnd"]["v1"]["author"]["type"] == "OWNER"
    status, raw = sim.call(
        "POST", "/_control/inbound", {"user_id": "EG.7001", "number_id": OTHERS["onpremise"].number_id}
    )
    assert (status, b"by phone only" in raw) == (400, True)


@pytest.mark.parametrize("provider", ["kaleyra-v1", "twilio"])
def test_what_a_provider_has_no_words_for_is_a_mistake_of_the_test(sim: Desk, provider: str) -> None:
    status, raw = sim.call(
        "POST", "/_control/inbound", {"from": PERSON, "number_id": OTHERS[provider].number_id, "type": "order"}
    )
    assert (status, b"only" in raw) == (400, True)


def test_every_type_that_can_be_told_is_told(sim: Desk, business: Business, line: Line) -> None:
    kinds = ["image", "voice_note", "document", "sticker", "location", "button", "button_reply", "list_reply"]
    for kind in kinds:
        assert inbound(sim, line, type=kind, reply_to="wamid.x") == [200]
    assert len(business.calls) == len(kinds)
