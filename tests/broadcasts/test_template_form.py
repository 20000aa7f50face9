"""A marketer types a template in, is told what WhatsApp would refuse, and sends it on its way."""

import io

import pytest
from sqlalchemy.orm import Session

from bot.models.connection import Connection
from bot.runtime import Runtime
from tests.broadcasts.reviewing import FORM, connect, made, submit, there, values
from tests.dashboard.visitor import Page, Visitor
from tests.harness import simulator as harness
from tests.harness.simulator import Simulator

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def test_what_is_typed_in_is_submitted_and_in_review(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    answer = submit(marketer, line)
    assert answer.status_code == 303, answer.text
    found = made(session)
    assert (found.name, found.status, found.language) == ("course_starts", "PENDING", "en")
    [told] = there(whatsapp)
    assert told["id"] == found.provider_template_id
    assert told["components"][0]["example"] == {"body_text": [["Amina", "Monday"]]}
    page = marketer.get(answer.location).text
    assert "In review" in page
    assert "Hello Amina, your course starts on Monday." in page
    assert "WhatsApp reviews it" in page


def test_every_kind_of_part_reaches_the_provider(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    buttons = [
        {"type": "QUICK_REPLY", "text": "Yes"},
        {"type": "URL", "text": "Open", "value": "https://example.org/{{1}}", "example": "a7"},
        {"type": "PHONE_NUMBER", "text": "Call", "value": "+201000000001"},
        {"type": "COPY_CODE", "example": "SAVE10"},
        {"type": "FLOW", "text": "Sign up", "value": "77"},
    ]
    fields = {f"button.{n}.{name}": text for n, button in enumerate(buttons) for name, text in button.items()}
    answer = submit(
        marketer,
        line,
        parameter_format="NAMED",
        header_format="TEXT",
        header="For {{first_name}}",
        body="Dear {{first_name}}, hello!",
        footer="Reply STOP to leave",
        **{"header.example.first_name": "Amina", "body.example.first_name": "Amina"},
        **fields,
    )
    assert answer.status_code == 303, answer.text
    [told] = there(whatsapp)
    parts = {part["type"]: part for part in told["components"]}
    assert parts["HEADER"]["example"] == {
        "header_text_named_params": [{"param_name": "first_name", "example": "Amina"}]
    }
    assert parts["FOOTER"]["text"] == "Reply STOP to leave"
    assert parts["BUTTONS"]["buttons"] == [
        {"type": "QUICK_REPLY", "text": "Yes"},
        {"type": "URL", "text": "Open", "url": "https://example.org/{{1}}", "example": ["https://example.org/a7"]},
        {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+201000000001"},
        {"type": "COPY_CODE", "example": "SAVE10"},
        {"type": "FLOW", "text": "Sign up", "flow_id": "77"},
    ]
    again = values(marketer.get(f"/templates/new?from={made(session).id}").text)
    assert (again["button.1.example"], again["header"]) == ("a7", "For {{first_name}}")


@pytest.mark.parametrize(
    "wrong, place, words",
    [
        ({"name": "Course starts"}, "name", "Use a-z, 0-9 and _ only"),
        ({"body": ""}, "body", "The body is empty"),
        ({"body": "x" * 1025}, "body", "has 1,025 characters"),
        ({"body": "{{1}}, hello"}, "body", "begins with a variable"),
        ({"body": "hello {{1}}"}, "body", "ends with a variable"),
        ({"body": "a {{1}} b {{3}} c"}, "body", "without a gap"),
        ({"body": "a {{name}} b"}, "body", "choose named variables"),
        ({"body": "a {{1} b"}, "body", "Braces are open"),
        ({"body.example.2": ""}, "body.example.2", "Give an example for {{2}}"),
        ({"header_format": "TEXT", "header": "x" * 61}, "header", "has 61 characters"),
        ({"header_format": "TEXT", "header": "a {{1}} {{2}} b"}, "header", "takes one variable"),
        ({"header_format": "IMAGE"}, "file", "wants to see a sample image"),
        ({"footer": "x" * 61}, "footer", "has 61 characters"),
        ({"footer": "Bye {{1}}"}, "footer", "takes no variables"),
        ({"button.0.type": "QUICK_REPLY", "button.0.text": "x" * 26}, "button.0.text", "has 26 characters"),
        ({"button.0.type": "QUICK_REPLY", "button.0.text": ""}, "button.0.text", "says nothing"),
        ({"button.0.type": "URL", "button.0.text": "a", "button.0.value": "www"}, "button.0.value", "whole address"),
        (
            {"button.0.type": "URL", "button.0.text": "a", "button.0.value": "https://x.org/{{1}}"},
            "button.0.example",
            "Give an example of the end",
        ),
        ({"button.0.type": "PHONE_NUMBER", "button.0.text": "a"}, "button.0.value", "Give a phone number"),
        ({"button.0.type": "COPY_CODE"}, "button.0.example", "Give an example of the code"),
        ({"button.0.type": "FLOW", "button.0.text": "a"}, "button.0.value", "Give the flow"),
    ],
)
def test_what_whatsapp_would_refuse_is_said_at_its_field_and_nothing_is_lost(
    whatsapp: Simulator, line: Connection, marketer: Visitor, wrong: dict[str, str], place: str, words: str
) -> None:
    answer = submit(marketer, line, **wrong)
    assert answer.status_code == 422
    page = Page(answer.text)
    assert page.complaints() == []
    said = answer.text.partition(f'id="{place}-notes"')[2].partition("form-text")[0]
    assert words in said
    assert there(whatsapp) == []
    kept = values(answer.text)
    for name, text in {**FORM, **wrong}.items():
        if name in kept:
            assert kept[name] == text, name
    if "body" not in wrong:
        assert "Hello {{1}}, your course starts on {{2}}." in answer.text


@pytest.mark.parametrize(
    "types, words",
    [
        (["QUICK_REPLY", "URL", "QUICK_REPLY"], "Quick replies stand together"),
        (["URL"] * 3, "Only 2 may be url"),
        (["QUICK_REPLY"] * 11, "10 buttons at most"),
    ],
)
def test_buttons_that_do_not_go_together_are_refused(
    line: Connection, marketer: Visitor, types: list[str], words: str
) -> None:
    fields: dict[str, str] = {}
    for place, type_ in enumerate(types):
        fields |= {f"button.{place}.type": type_, f"button.{place}.text": f"Button {place}"}
        fields[f"button.{place}.value"] = "https://example.org/"
    answer = submit(marketer, line, **fields)
    assert answer.status_code == 422
    assert words in answer.text


def test_what_the_provider_refuses_is_said_and_kept_to_be_submitted_again(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    whatsapp.configure(templates=[{"waba_id": harness.WABA_ID, "name": "course_starts", "language": "en"}])
    answer = submit(marketer, line)
    assert answer.status_code == 422
    assert "is there already: choose another name or language." in answer.text
    assert "Hello {{1}}, your course starts on {{2}}." in answer.text
    kept = made(session)
    assert kept.status == "UNSUBMITTED"
    assert "2388024" in (kept.reason or "")
    assert "Not submitted" in marketer.get("/templates").text

    again = submit(marketer, line, f"/templates/{kept.id}/edit", name="course_begins")
    assert again.status_code == 303, again.text
    assert (made(session).name, made(session).status) == ("course_begins", "PENDING")


def test_a_lost_answer_makes_no_second_template(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    submit(marketer, line)
    found = made(session)
    found.status, found.provider_template_id = "UNSUBMITTED", None  # as if the answer had never come
    session.commit()
    whatsapp.control(
        "template", {"waba_id": harness.WABA_ID, "name": found.name, "language": "en", "status": "APPROVED"}
    )
    assert submit(marketer, line, f"/templates/{found.id}/edit").status_code == 303
    assert made(session).status == "APPROVED"
    assert len(there(whatsapp)) == 1


def test_a_provider_that_is_away_loses_nothing(
    rt: Runtime, session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    session.merge(line).base_url = "http://127.0.0.1:9/v25.0"
    session.commit()
    answer = submit(marketer, line)
    assert answer.status_code == 502
    assert "Submit it again: it is never made twice." in answer.text
    assert made(session).status == "UNSUBMITTED"


def test_a_sample_goes_to_the_provider_before_anything_else_is_judged(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    answer = submit(marketer, line, header_format="IMAGE", name="No", file=(io.BytesIO(PNG), "cover.png"))
    assert answer.status_code == 422
    handle = values(answer.text)["sample"]
    assert handle.startswith("4::")
    assert "Uploaded: cover.png" in answer.text
    again = submit(marketer, line, header_format="IMAGE", sample=handle, sample_name="cover.png")
    assert again.status_code == 303, again.text
    assert there(whatsapp)[0]["components"][0]["example"] == {"header_handle": [handle]}


def test_a_file_of_another_kind_than_the_header_is_refused(line: Connection, marketer: Visitor) -> None:
    answer = submit(marketer, line, header_format="VIDEO", file=(io.BytesIO(PNG), "film.mp4"))
    assert (answer.status_code, "a file of the type MP4" in answer.text) == (422, True)


def test_a_place_needs_no_sample(session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor) -> None:
    assert submit(marketer, line, header_format="LOCATION").status_code == 303
    assert there(whatsapp)[0]["components"][0] == {"type": "HEADER", "format": "LOCATION"}


def test_360dialog_takes_the_address_of_a_sample_and_edits_nothing(
    rt: Runtime, session: Session, whatsapp: Simulator, marketer: Visitor
) -> None:
    line = connect(rt, whatsapp, "dialog", "360dialog")
    refused = submit(marketer, line, header_format="IMAGE")
    assert "beginning with https://" in refused.text
    answer = submit(marketer, line, header_format="IMAGE", sample="https://example.org/a.png")
    assert answer.status_code == 303, answer.text
    found = made(session)
    found.status = "REJECTED"
    session.commit()
    page = marketer.get(f"/templates/{found.id}").text
    assert ("Edit and submit" in page, "One like it" in page) == (False, True)
    assert "changes no templates" in submit(marketer, line, f"/templates/{found.id}/edit").text


def test_the_form_works_without_its_script(line: Connection, marketer: Visitor) -> None:
    marketer.get("/templates/new")
    page = marketer.post("/templates/look", {**FORM, "connection": str(line.id), "do": "add"})
    assert Page(page.text).complaints() == []
    assert values(page.text)["body.example.1"] == "Amina"
    assert "button.0.type" in page.text
    moved = marketer.post(
        "/templates/look",
        {
            **FORM,
            "button.0.type": "QUICK_REPLY",
            "button.0.text": "First",
            "button.1.type": "QUICK_REPLY",
            "button.1.text": "Second",
            "do": "up:1",
        },
    )
    assert (values(moved.text)["button.0.text"], values(moved.text)["button.1.text"]) == ("Second", "First")
