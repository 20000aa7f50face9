"""A template for codes to sign in is made of what WhatsApp lets one choose; its words are WhatsApp's own."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.messages import templates as filling
from bot.models.connection import Connection
from bot.runtime import Runtime
from broadcasts.templates import codes, templates
from tests.broadcasts.reviewing import connect, made, submit, there, values
from tests.dashboard.visitor import Visitor
from tests.harness import simulator as harness
from tests.harness.simulator import Simulator

CODE: Mapping[str, str] = {
    "name": "sign_in",
    "category": "AUTHENTICATION",
    "body": "left over",
    "code.advice": "yes",
    "code.expires": "5",
    "code.kind": "COPY_CODE",
}
APP = {"package_name": "com.example.shop", "signature_hash": "K8a/AINcGX7"}


@pytest.mark.parametrize("provider", ["cloud", "360dialog"])
def test_a_code_is_submitted_without_words_kept_with_them_and_filled_twice(
    rt: Runtime, session: Session, whatsapp: Simulator, marketer: Visitor, provider: str
) -> None:
    line = connect(rt, whatsapp, "codes", provider)
    answer = submit(marketer, line, **CODE)
    assert answer.status_code == 303, answer.text

    found = made(session)
    assert (found.category, found.status) == ("AUTHENTICATION", "PENDING")
    asked = codes.asked(templates.frozen(found))["components"]
    assert asked == [
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 5},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
    ]
    page = marketer.get(answer.location).text
    assert "is your verification code. For your security, do not share this code." in page
    assert ("This code expires in 5 minutes." in page, "Copy code" in page) == (True, True)
    assert [slot.name for slot in filling.slots_of(found.components)] == ["body.1", "button.0.1"]
    content = filling.content_of(templates.frozen(found), {"body.1": "4711", "button.0.1": "4711"})
    assert [each["type"] for each in content["template"]["components"]] == ["body", "button"]
    assert len(there(whatsapp)) == 1


def test_a_code_that_fills_itself_in_names_its_apps_and_is_edited_as_it_was(
    whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    apps = "com.example.shop K8a/AINcGX7\ncom.example.two  aaaaaaaaaa1"
    more = {"code.kind": "ZERO_TAP", "code.apps": apps, "code.terms": "yes", "code.text": "Copy", "code.expires": ""}
    page = str(submit(marketer, line, **{**CODE, **more}).location)
    [button] = there(whatsapp)[0]["components"][1]["buttons"]
    assert button["supported_apps"] == [APP, {"package_name": "com.example.two", "signature_hash": "aaaaaaaaaa1"}]
    assert (button["zero_tap_terms_accepted"], button["text"]) == (True, "Copy")
    about = {"waba_id": harness.WABA_ID, "name": "sign_in", "language": "en"}
    whatsapp.control("template", about | {"status": "REJECTED"})
    assert marketer.post(f"{page}/refresh").status_code == 303

    edit = marketer.get(f"{page}/edit").text
    assert "com.example.two aaaaaaaaaa1" in edit
    assert values(edit)["code.text"] == "Copy"
    assert ("Authentication" in edit, "Utility</option>" in edit) == (True, False)
    fields = {**CODE, "code.expires": "9"}
    assert submit(marketer, line, f"{page}/edit", **fields).status_code == 303
    assert there(whatsapp)[0]["components"][1]["text"] == "This code expires in 9 minutes."


@pytest.mark.parametrize(
    "typed, places",
    [
        ({"code.expires": "91"}, {"code.expires"}),
        ({"code.expires": "soon"}, {"code.expires"}),
        ({"code.kind": "MAIL"}, {"code.kind"}),
        ({"code.kind": "ONE_TAP"}, {"code.apps"}),
        ({"code.kind": "ONE_TAP", "code.apps": "shop K8a/AINcGX7"}, {"code.apps"}),
        ({"code.kind": "ONE_TAP", "code.apps": "com.example.shop short"}, {"code.apps"}),
        ({"code.kind": "ZERO_TAP", "code.apps": "com.example.shop K8a/AINcGX7"}, {"code.terms"}),
        ({"code.text": "Copy {{1}}"}, {"code.text"}),
        ({"name": "Sign in"}, {"name"}),
    ],
)
def test_what_whatsapp_would_refuse_of_a_code_is_said_at_its_field(
    whatsapp: Simulator, line: Connection, marketer: Visitor, typed: dict[str, str], places: set[str]
) -> None:
    answer = submit(marketer, line, **{**CODE, **typed})
    assert answer.status_code == 422
    marketer._look_at(answer)
    assert answer.text.count("invalid-feedback") == len(places)
    assert values(answer.text)["code.expires"] == {**CODE, **typed}["code.expires"]
    assert there(whatsapp) == []


@pytest.mark.parametrize(
    "parts, place",
    [
        ([{"type": "body", "text": "Your code is {{1}}."}], "body"),
        ([{"type": "header", "format": "text", "text": "Hi"}, {"type": "body"}], "body"),
        ([{"type": "body"}, {"type": "footer", "code_expiration_minutes": True}], "code.expires"),
        ([{"type": "body"}], "code.kind"),
    ],
)
def test_a_program_is_told_what_a_code_cannot_be(parts: list[dict[str, Any]], place: str) -> None:
    assert next(codes.problems(parts))[0] == place


def test_a_button_that_the_provider_lists_as_an_address_is_read_as_what_it_is() -> None:
    url = "https://www.whatsapp.com/otp/code/?otp_type=ONE_TAP&code=otp{{1}}"
    listed: list[dict[str, Any]] = [
        {"type": "BODY", "text": "x"},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "url": url}]},
    ]
    assert codes.read(listed).kind == "ONE_TAP"
    apps = "&package_name=com.example.shop&signature_hash=K8a%2FAINcGX7"
    listed[1]["buttons"][0] |= {"url": f"{url}{apps}", "text": "Copy code"}
    asked = codes.asked({"category": "AUTHENTICATION", "components": listed})["components"]
    button = {"type": "OTP", "otp_type": "ONE_TAP", "text": "Copy code", "supported_apps": [APP]}
    assert asked == [{"type": "BODY"}, {"type": "BUTTONS", "buttons": [button]}]


def test_a_code_as_the_provider_lists_it_is_read_shown_and_filled_like_the_one_that_was_asked_for(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    page = str(submit(marketer, line, **CODE).location)
    [theirs] = there(whatsapp)
    about = {"waba_id": harness.WABA_ID, "name": "sign_in", "language": "en"}
    whatsapp.control("template", about | {"status": "APPROVED"})
    assert marketer.post(f"{page}/refresh").status_code == 303
    found = made(session)
    assert found.components == theirs["components"]
    [button] = found.components[2]["buttons"]
    assert (button["type"], "otp_type=COPY_CODE&code_expiration_minutes=5" in button["url"]) == ("URL", True)
    assert "Cannot be sent" not in marketer.get(page).text
    content = filling.content_of(templates.frozen(found), {"body.1": "J$FpnYnP", "button.0.1": "J$FpnYnP"})
    code = {"type": "text", "text": "J$FpnYnP"}
    assert content["template"]["components"] == [
        {"type": "body", "parameters": [code]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [code]},
    ]
    assert 'value="5"' in marketer.get(f"{page}/edit").text
