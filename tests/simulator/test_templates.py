"""Templates are listed, created, reviewed and deleted as in the Graph API."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.harness.simulator import ACCESS_TOKEN, WABA_ID
from tests.simulator.business import Business
from tests.simulator.desk import TEMPLATES, Desk, filled, template, using

EDGE = f"/v25.0/{WABA_ID}/message_templates"
NEW: dict[str, Any] = {
    "name": "welcome",
    "language": "en_US",
    "category": "utility",
    "components": [{"type": "body", "text": "Hi {{1}}!", "example": {"body_text": [["Ann"]]}}],
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


def header(format_: str, **more: object) -> dict[str, object]:
    return {"type": "HEADER", "format": format_, **more}


def buttons(*given: Mapping[str, object]) -> dict[str, object]:
    return {"type": "BUTTONS", "buttons": list(given)}


REPLY: dict[str, object] = {"type": "QUICK_REPLY", "text": "Yes"}
URL: dict[str, object] = {"type": "URL", "text": "Open", "url": "https://example.org/{{1}}", "example": ["a"]}
CALL: dict[str, object] = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+201000000001"}


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
        {"components": [body, {"type": "FOOTER", "text": "Bye {{1}}", "example": {"footer_text": ["x"]}}]},
        {"components": [body, buttons()]},
        {"components": [body, buttons(*[REPLY] * 11)]},
        {"components": [body, buttons(REPLY, CALL, REPLY)]},
        {"components": [body, buttons(CALL, CALL)]},
        {"components": [body, buttons(URL | {"url": "https://example.org/{{1}}/a"})]},
        {"components": [body, buttons(URL | {"example": []})]},
        {"components": [body, buttons(REPLY | {"text": "x" * 26})]},
        {"components": [body, buttons({"type": "FLOW", "text": "Sign up"})]},
        {"components": [body, buttons({"type": "COPY_CODE", "example": "x" * 16})]},
        {"components": [body, header("TEXT", text="{{1}} {{2}}", example={"header_text": ["a", "b"]})]},
        {"components": [body, header("IMAGE")]},
        {"components": [body, header("IMAGE", example={"header_handle": ["https://example.org/a.png"]})]},
        {"components": [body, {"type": "CAROUSEL"}]},
        {"components": [{"type": "BODY", "text": "Dear {{1}}", "example": {"body_text": [["Ann"]]}}]},
        {"components": [{"type": "BODY", "text": "Hi {{1}} and {{2}}!", "example": {"body_text": [["Ann"]]}}]},
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


def test_every_kind_of_header_and_button_can_be_created(sim: Desk) -> None:
    code = {"type": "COPY_CODE", "example": "SAVE10"}
    flow = {"type": "FLOW", "text": "Sign up", "flow_id": "77"}
    body = {"type": "BODY", "text": "Dear {{first}}!"}
    example = {"body_text_named_params": [{"param_name": "first", "example": "Ann"}]}
    parts = [
        header("location"),
        body | {"example": example},
        {"type": "FOOTER", "text": "Bye"},
        buttons(REPLY, REPLY, URL, CALL, code, flow),
    ]
    created = sim.graph("POST", EDGE, NEW | {"parameter_format": "NAMED", "components": parts})
    assert created.status == 200, created.body
    assert sim.graph("GET", f"/v25.0/{created.body['id']}").body["components"][0]["format"] == "LOCATION"


def test_a_sample_is_uploaded_in_two_steps_and_its_handle_is_taken(sim: Desk) -> None:
    session = sim.graph("POST", "/v25.0/app/uploads?file_name=a.png&file_length=3&file_type=image/png").body["id"]
    about = {"Authorization": f"OAuth {ACCESS_TOKEN}", "file_offset": "0"}
    assert sim.call("POST", f"/v25.0/{session}", b"12", headers=about)[0] == 400
    status, raw = sim.call("POST", f"/v25.0/{session}", b"123", headers=about)
    assert status == 200
    handle = json.loads(raw)["h"]
    parts = [header("IMAGE", example={"header_handle": [handle]}), {"type": "BODY", "text": "Look"}]
    assert sim.graph("POST", EDGE, NEW | {"components": parts}).status == 200
    assert sim.graph("POST", "/v25.0/app/uploads?file_length=3&file_type=text/html").code == 100


def test_a_refusal_has_words_for_people(sim: Desk) -> None:
    parts = [{"type": "BODY", "text": "{{1}}, hello", "example": {"body_text": [["Ann"]]}}]
    error = sim.graph("POST", EDGE, NEW | {"components": parts}).body["error"]
    assert error["error_subcode"] == 2388299
    assert error["error_user_title"] == "Leading or trailing params not allowed"
    assert error["error_user_msg"] == "Variables can't be at the start or end of the template."


def test_the_review_ends_as_configured_or_waits_for_somebody(sim: Desk, business: Business) -> None:
    sim.process.configure(review={"verdict": "REJECTED", "reason": "PROMOTIONAL", "after_s": 0.05})
    sim.graph("POST", EDGE, NEW)
    business.wait(lambda: business.bodies)
    assert (business.values()[0]["event"], business.values()[0]["reason"]) == ("REJECTED", "PROMOTIONAL")
    (told,) = sim.graph("GET", f"{EDGE}?name=welcome").body["data"]
    assert (told["status"], told["rejected_reason"]) == ("REJECTED", "PROMOTIONAL")
    sim.process.configure(review={"verdict": ""})
    sim.graph("POST", EDGE, NEW | {"name": "waiting"})
    (told,) = sim.graph("GET", f"{EDGE}?name=waiting").body["data"]
    assert told["status"] == "PENDING"


def test_what_was_rejected_can_be_edited_and_is_judged_again(sim: Desk, business: Business) -> None:
    sim.process.configure(review={"verdict": "REJECTED", "after_s": 0.05})
    made = sim.graph("POST", EDGE, NEW).body["id"]
    assert sim.graph("POST", f"/v25.0/{made}", {"components": NEW["components"]}).code == 100
    business.wait(lambda: len(business.bodies) == 1)
    sim.process.configure(review={"verdict": "APPROVED"})
    parts = [{"type": "BODY", "text": "Better"}]
    assert sim.graph("POST", f"/v25.0/{made}", {"components": parts}).body["success"]
    business.wait(lambda: len(business.bodies) == 2)
    assert business.values()[1]["event"] == "APPROVED"
    assert sim.send(**using("welcome")).status == 200
    assert sim.graph("POST", f"/v25.0/{made}", {"components": [{"type": "CAROUSEL"}]}).code == 100
    assert sim.graph("POST", f"/v25.0/{made}", {"components": parts}).status == 200
    business.wait(lambda: sim.graph("GET", f"/v25.0/{made}").body["status"] == "APPROVED")
    again = sim.graph("POST", f"/v25.0/{made}", {"components": parts}).body["error"]
    assert again["error_user_msg"] == "An approved template can be edited once in 24 hours."
    assert sim.graph("POST", "/v25.0/1", {"components": parts}).body["error"]["error_subcode"] == 33


def test_a_flow_s_button_has_to_be_named_in_the_message(sim: Desk, business: Business) -> None:
    flow = buttons({"type": "FLOW", "text": "Sign up", "flow_id": "77"})
    sim.process.configure(templates=[template("join", {"type": "BODY", "text": "Hello"}, flow)])
    assert sim.send(**using("join")).code == 131009
    button = {"type": "button", "sub_type": "flow", "index": "0"}
    assert sim.send(**using("join", button)).status == 200
    token = {"type": "action", "action": {"flow_token": "t"}}
    assert sim.send(**using("join", button | {"parameters": [token]})).status == 200
    wrong = {"type": "text", "text": "t"}
    assert sim.send(**using("join", button | {"parameters": [wrong]})).code == 132012
