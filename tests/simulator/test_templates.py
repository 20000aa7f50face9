"""Templates are listed, created, reviewed and deleted as in the Graph API."""

from urllib.parse import urlsplit

from tests.harness.simulator import WABA_ID
from tests.simulator.business import Business
from tests.simulator.desk import TEMPLATES, Desk, filled, using

EDGE = f"/v25.0/{WABA_ID}/message_templates"
NEW = {
    "name": "welcome",
    "language": "en_US",
    "category": "utility",
    "components": [{"type": "body", "text": "Hi {{1}}", "example": {"body_text": [["Ann"]]}}],
}


def test_the_list_comes_in_pages_and_can_be_filtered(sim: Desk) -> None:
    names, path = [], f"{EDGE}?limit=4"
    while path:
        page = sim.graph("GET", path).body
        names += [template["name"] for template in page["data"]]
        following = page["paging"].get("next", "")
        path = following and f"{urlsplit(following).path}?{urlsplit(following).query}"
    assert names == [template["name"] for template in TEMPLATES]
    paused = sim.graph("GET", f"{EDGE}?status=PAUSED").body["data"]
    assert [template["name"] for template in paused] == ["paused"]
    (hello,) = sim.graph("GET", f"{EDGE}?name=hello").body["data"]
    assert set(hello) >= {"name", "language", "status", "category", "components", "parameter_format", "id"}
    assert sim.graph("GET", f"{EDGE}?after=nonsense").code == 100
    assert sim.graph("GET", EDGE, token="wrong").code == 190
    assert sim.graph("GET", "/v25.0/1/message_templates").body["error"]["error_subcode"] == 33


def test_a_new_template_is_pending_approved_announced_and_then_usable(sim: Desk, business: Business) -> None:
    created = sim.graph("POST", EDGE, NEW).body
    assert (created["status"], created["category"]) == ("PENDING", "UTILITY")
    assert sim.send(**filled("welcome", "a")).code == 132001
    business.wait(lambda: business.bodies)
    (value,) = business.values()
    assert (value["event"], value["message_template_name"], value["reason"]) == ("APPROVED", "welcome", "NONE")
    assert value["message_template_id"] == int(created["id"])
    assert business.signed == [True]
    assert sim.send(**filled("welcome", "a")).status == 200
    assert sim.graph("POST", EDGE, NEW).body["error"]["error_subcode"] == 2388024


def test_a_template_called_rejected_is_rejected(sim: Desk, business: Business) -> None:
    sim.graph("POST", EDGE, NEW | {"name": "to_be_rejected"})
    business.wait(lambda: business.bodies)
    assert (business.values()[0]["event"], business.values()[0]["reason"]) == ("REJECTED", "INVALID_FORMAT")


def test_a_template_out_of_order_is_not_created(sim: Desk) -> None:
    body = {"type": "BODY", "text": "Hi"}
    cases: list[dict[str, object]] = [
        {"name": "With Spaces"},
        {"language": "English"},
        {"category": "NEWS"},
        {"components": []},
        {"components": [body | {"text": "x" * 1025}]},
        {"components": [body | {"text": "Hi {{1}}"}]},
        {"components": [body | {"text": "Hi {{2}}", "example": {}}]},
        {"components": [body, {"type": "FOOTER", "text": "x" * 61}]},
        {"components": [body, {"type": "BUTTONS", "buttons": []}]},
    ]
    for wrong in cases:
        assert sim.graph("POST", EDGE, NEW | wrong).code == 100, wrong


def test_a_deleted_template_is_gone(sim: Desk) -> None:
    assert sim.graph("DELETE", f"{EDGE}?name=static").body == {"success": True}
    assert sim.send(**using("static")).code == 132001
    assert sim.graph("DELETE", f"{EDGE}?name=static").code == 100


def test_pausing_a_template_refuses_sends_and_tells_the_business(sim: Desk, business: Business) -> None:
    sim.control("template", {"waba_id": WABA_ID, "name": "hello", "language": "en_US", "status": "PAUSED"})
    assert sim.hello().code == 132015
    sim.control("drain", {})
    assert business.values()[0]["event"] == "PAUSED"
    sim.control("template", {"waba_id": WABA_ID, "name": "hello", "language": "en_US", "status": "APPROVED"})
    assert sim.hello().status == 200
