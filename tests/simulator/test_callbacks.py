"""Webhooks leave as the provider's do: signed over the raw bytes, in batches, again until they are acknowledged."""

import time

import pytest

from tests.harness.simulator import BUSINESS_PHONE, NUMBER_ID, WABA_ID
from tests.simulator.business import Business
from tests.simulator.desk import PERSON, Desk


def test_a_message_is_sent_delivered_and_read_and_every_body_is_signed(sim: Desk, business: Business) -> None:
    answer = sim.hello(biz_opaque_callback_data="o1.7.1")
    business.wait(lambda: len(business.statuses()) == 3)
    assert business.words(answer.wamid) == ["sent", "delivered", "read"]
    assert business.signed == [True] * len(business.bodies)
    sent, delivered, read = business.statuses()
    assert {status["biz_opaque_callback_data"] for status in (sent, delivered, read)} == {"o1.7.1"}
    assert sent["recipient_id"] == "201001234567"
    assert sent["recipient_user_id"].startswith("EG.")
    assert sent["timestamp"].isdecimal()
    pricing = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
    assert (sent["pricing"], delivered["pricing"]) == (pricing, pricing)
    assert "pricing" not in read
    value = business.values()[0]
    assert value["metadata"] == {"display_phone_number": BUSINESS_PHONE, "phone_number_id": NUMBER_ID}
    assert value["contacts"][0]["wa_id"] == "201001234567"


def test_only_the_raw_bytes_verify(sim: Desk, business: Business) -> None:
    sim.control("inbound", {"from": PERSON, "text": "naïve 👋 https://example.org/a"})
    (body,) = business.bodies
    assert b"na\\u00efve \\ud83d\\udc4b https:\\/\\/example.org\\/a" in body
    assert body.isascii()
    assert business.messages()[0]["text"]["body"] == "naïve 👋 https://example.org/a"


def test_what_falls_due_in_one_window_shares_a_body_up_to_the_limit(sim: Desk, business: Business) -> None:
    sim.control("config", {"delivery": {"max_updates": 25}}, method="PUT")
    sim.control("freeze", {})
    wamids = {sim.hello(f"+2010000000{n:02}").wamid for n in range(20)}
    sim.control("unfreeze", {})
    sim.control("drain", {})
    sizes = [len(value["statuses"]) for value in business.values()]
    assert (sum(sizes), max(sizes), len(sizes) <= 6) == (60, 25, True)
    assert sim.control("counts")["updates_a_body"] == round(60 / len(sizes), 1)
    assert {status["id"] for status in business.statuses()} == wamids


@pytest.mark.parametrize("spread, entries, changes", [("statuses", 1, 1), ("changes", 1, 3), ("entries", 3, 3)])
def test_a_body_spreads_its_updates_as_told(
    sim: Desk, business: Business, spread: str, entries: int, changes: int
) -> None:
    sim.control("config", {"delivery": {"spread": spread}}, method="PUT")
    sim.control("inbound", {"from": PERSON, "count": 3, "batch": 3})
    (body,) = business.bodies
    assert body.count(b'"id":"' + WABA_ID.encode()) == entries
    assert len(business.values()) == changes
    assert len(business.messages()) == 3


def test_a_body_that_is_not_acknowledged_comes_again_unchanged(sim: Desk, business: Business) -> None:
    business.answers = [500, 201]
    sim.hello()
    sim.control("drain", {})
    assert business.bodies[0] == business.bodies[1] == business.bodies[2]
    counts = sim.control("counts")["callbacks"]
    assert counts["posts"] - counts["posts_acknowledged"] == 2
    assert counts["acknowledged"] == 3


def test_a_body_nobody_takes_is_given_up_after_the_tries(sim: Desk, business: Business) -> None:
    business.answers = [503] * 5
    sim.hello()
    assert sim.control("drain", {})["given_up"] == 3
    assert len(business.bodies) == 5


def test_frozen_nothing_leaves_and_draining_waits_for_the_last_acknowledgement(sim: Desk, business: Business) -> None:
    sim.control("freeze", {})
    for n in range(10):
        sim.hello(f"+20100000000{n}")
    assert sim.control("inbound", {"from": PERSON})["queued"] == 1
    time.sleep(0.2)
    assert business.bodies == []
    counts = sim.control("counts")
    assert (counts["waiting"], counts["in_flight"]) == (31, 0)
    status, refused = sim.call("POST", "/_control/drain", {})
    assert (status, b"unfreeze" in refused) == (400, True)
    sim.control("unfreeze", {})
    business.pause_s = 0.1
    sim.control("drain", {})
    assert (len(business.statuses()), len(business.messages()), business.at_once) == (30, 1, 0)
    assert sim.control("counts")["waiting"] == 0


def test_frozen_between_two_tries_the_next_one_waits(sim: Desk, business: Business) -> None:
    sim.control("config", {"delivery": {"first_retry_ms": 300}}, method="PUT")
    business.answers = [500, 500]
    sim.control("inbound", {"from": PERSON})
    business.wait(lambda: len(business.bodies) == 2)
    sim.control("freeze", {})
    time.sleep(0.5)
    assert len(business.bodies) == 2
    sim.control("unfreeze", {})
    sim.control("drain", {})
    assert len(business.bodies) == 3


def test_no_more_bodies_are_on_their_way_than_told(sim: Desk, business: Business) -> None:
    sim.control("config", {"delivery": {"concurrency": 2, "max_updates": 3}}, method="PUT")
    business.pause_s = 0.02
    for n in range(12):
        sim.hello(f"+2010000000{n:02}")
    sim.control("drain", {})
    assert len(business.statuses()) == 36
    assert business.most_at_once == 2


def test_a_reaction_gets_no_more_than_sent(sim: Desk, business: Business) -> None:
    sim.open_window()
    sim.send(type="reaction", reaction={"message_id": "wamid.x", "emoji": "x"})
    sim.control("drain", {})
    assert business.words() == ["sent"]


def test_inside_the_window_a_service_message_is_free(sim: Desk, business: Business) -> None:
    sim.open_window()
    sim.send(type="text", text={"body": "hi"})
    sim.control("drain", {})
    pricing = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
    assert business.statuses()[0]["pricing"] == pricing


def test_who_hides_the_phone_is_known_by_user_id_alone(sim: Desk, business: Business) -> None:
    sim.control("person", {"user_id": "US.134912086553027", "name": "Kim", "username": "@kim"})
    sim.send(
        None,
        recipient="US.134912086553027",
        type="template",
        template={"name": "static", "language": {"code": "en_US"}},
    )
    sim.control("drain", {})
    sent, delivered, _ = business.statuses()
    assert "recipient_id" not in sent
    assert delivered["recipient_user_id"] == "US.134912086553027"
    names = [contact for value in business.values() for contact in value["contacts"]]
    assert all("wa_id" not in name for name in names)


def test_the_share_of_readers_is_drawn_from_the_seed(sim: Desk, business: Business) -> None:
    sim.control("config", {"statuses": {"read_share": 0.5}}, method="PUT")
    rounds = []
    for _ in range(2):
        sim.control("reset", {})
        sim.control("config", {"statuses": {"read_share": 0.5}, "accounts": [account(business)]}, method="PUT")
        business.forget()
        for n in range(40):
            sim.hello(f"+2010000000{n:02}")
        sim.control("drain", {})
        rounds.append({status["recipient_id"] for status in business.statuses() if status["status"] == "read"})
    assert rounds[0] == rounds[1]
    assert 5 < len(rounds[0]) < 35


def account(business: Business) -> dict[str, str]:
    return {
        "waba_id": WABA_ID,
        "access_token": "simulated-access-token",
        "app_secret": "simulated-app-secret",
        "callback_url": business.url,
    }


def test_statuses_off_means_none(sim: Desk, business: Business) -> None:
    sim.control("config", {"statuses": {"enabled": False}}, method="PUT")
    sim.hello()
    assert sim.control("drain", {}) == {}
    assert business.bodies == []
