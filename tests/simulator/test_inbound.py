"""People write to the business in every way the provider knows."""

import pytest

from simulator.samples import KINDS
from tests.simulator.business import Business
from tests.simulator.desk import PERSON, Desk

TYPES = {
    "voice_note": "audio",
    "button_reply": "interactive",
    "list_reply": "interactive",
    "nfm_reply": "interactive",
    "call_permission_reply": "interactive",
    "interactive_missing": "interactive",
    "reaction_removed": "reaction",
    "user_changed_number": "system",
    "user_changed_user_id": "system",
    "customer_changed_number": "system",
    "customer_identity_changed": "system",
    "unavailable": "unsupported",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_of_every_kind_arrives_signed(sim: Desk, business: Business, kind: str) -> None:
    answer = sim.control("inbound", {"from": PERSON, "type": kind})
    assert answer["statuses"] == [200]
    assert business.signed == [True]
    (message,) = business.messages()
    assert message["type"] == TYPES.get(kind, kind)
    assert (message["from"], message["id"]) == ("201001234567", answer["ids"][0])
    (value,) = business.values()
    assert ("contacts" in value) == (message["type"] != "system")
    assert KINDS[kind].member in {"", *message}


def test_variants_look_as_documented(sim: Desk, business: Business) -> None:
    for kind in ("interactive_missing", "unsupported", "unavailable", "voice_note", "button_reply"):
        sim.control("inbound", {"from": PERSON, "type": kind})
    missing, unsupported, unavailable, voice, reply = business.messages()
    assert "interactive" not in missing
    assert business.values()[0]["errors"][0]["code"] == 131000
    assert [unsupported["errors"][0]["code"], unavailable["errors"][0]["code"]] == [131051, 131060]
    assert voice["audio"]["voice"] is True
    assert reply["interactive"] == {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}


def test_content_context_and_referral_are_the_tests_to_choose(sim: Desk, business: Business) -> None:
    sim.control("inbound", {"from": PERSON, "type": "button", "content": {"payload": "p"}, "reply_to": "wamid.q"})
    sim.control("inbound", {"from": PERSON, "text": "see", "context": "forwarded", "referral": True})
    sim.control("inbound", {"from": PERSON, "text": "x", "context": "product", "id": "wamid.own", "timestamp": "17"})
    button, forwarded, product = business.messages()
    assert button["button"] == {"payload": "p", "text": "Yes"}
    assert button["context"] == {"from": "201000000000", "id": "wamid.q"}
    assert forwarded["context"] == {"forwarded": True}
    assert forwarded["referral"]["source_type"] == "ad"
    assert product["context"]["referred_product"]["product_retailer_id"] == "sku-1"
    assert (product["id"], product["timestamp"]) == ("wamid.own", "17")


def test_a_person_may_be_known_by_user_id_alone(sim: Desk, business: Business) -> None:
    sim.control("inbound", {"user_id": "US.1349", "name": "Kim", "username": "@kim", "text": "hi"})
    sim.control("inbound", {"from": PERSON, "hide_phone": True, "text": "hi"})
    first, second = business.messages()
    assert ("from" in first, first["from_user_id"]) == (False, "US.1349")
    assert ("from" in second, second["from_user_id"][:3]) == (False, "EG.")
    kim = business.values()[0]["contacts"][0]
    assert kim == {"profile": {"name": "Kim", "username": "kim"}, "user_id": "US.1349"}


def test_a_storm_comes_at_once_and_the_same_body_as_often_as_told(sim: Desk, business: Business) -> None:
    business.pause_s = 0.05
    storm = sim.control("inbound", {"from": PERSON, "count": 20})
    assert (len(set(storm["ids"])), storm["statuses"]) == (20, [200] * 20)
    assert business.most_at_once > 5
    business.forget()
    same = sim.control("inbound", {"from": PERSON, "same": 20})
    assert (len(same["ids"]), same["statuses"]) == (1, [200] * 20)
    assert len(set(business.bodies)) == 1
    business.forget()
    batched = sim.control("inbound", {"from": PERSON, "count": 10, "batch": 4})
    assert (len(batched["ids"]), len(business.bodies)) == (10, 3)


def test_a_message_the_business_does_not_take_comes_again(sim: Desk, business: Business) -> None:
    business.answers = [500]
    assert sim.control("inbound", {"from": PERSON})["statuses"] == [500]
    business.wait(lambda: len(business.bodies) == 2)
    business.answers = [500]
    assert sim.control("inbound", {"from": PERSON, "retry": False})["statuses"] == [500]
    sim.control("drain", {})
    assert len(business.bodies) == 3


def test_a_bad_request_says_what_is_wrong(sim: Desk) -> None:
    for body, word in (
        ({}, b"from"),
        ({"from": "x"}, b"digits"),
        ({"from": PERSON, "type": "fax"}, b"voice_note"),
        ({"from": PERSON, "number_id": "1"}, b"number_id"),
        ({"from": PERSON, "count": 0}, b"count"),
        ({"from": PERSON, "context": "x"}, b"forwarded"),
    ):
        status, raw = sim.call("POST", "/_control/inbound", body)
        assert (status, word in raw) == (400, True), raw
