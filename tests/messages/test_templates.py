from typing import Any

import pytest

from bot.messages import templates
from bot.messages.personalise import PlaceholderError
from bot.messages.templates import PreviewText, Slot

BODY = {"type": "BODY", "text": "Dear {{1}}, see you at {{2}}.", "example": {"body_text": [["Ana", "noon"]]}}
NAMED_BODY = {
    "type": "body",
    "text": "Dear {{first}}, see you at {{hour}}.",
    "example": {"body_text_named_params": [{"param_name": "first", "example": "Ana"}]},
}
HEADER = {"type": "HEADER", "format": "TEXT", "text": "For {{1}}", "example": {"header_text": ["you"]}}
BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "URL", "text": "Open", "url": "https://example.org/{{1}}", "example": ["https://example.org/a"]},
        {"type": "QUICK_REPLY", "text": "Yes"},
        {"type": "COPY_CODE", "example": "SAVE10"},
        {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+201000000001"},
        {"type": "URL", "text": "Home", "url": "https://example.org/"},
    ],
}
ANA = {"first_name": "Ana", "slot": "noon\n sharp\t!", "spaced": "a     b"}


def frozen(*components: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"name": "visit", "language": "en_US", "category": "UTILITY", "components": list(components)} | more


def sent(filled: templates.Filled) -> Any:
    assert filled.empty == ()
    assert filled.content["type"] == "template"
    return filled.content["template"].get("components")


def test_every_place_for_a_value_is_a_slot_with_its_example() -> None:
    assert templates.slots_of([HEADER, BODY, {"type": "FOOTER", "text": "Bye"}, BUTTONS]) == (
        Slot("header.1", "header", "you"),
        Slot("body.1", "body", "Ana"),
        Slot("body.2", "body", "noon"),
        Slot("button.0.1", "button Open", "https://example.org/a"),
        Slot("button.1.payload", "button Yes", required=False),
        Slot("button.2.code", "button 3", "SAVE10"),
    )
    assert templates.slots_of([NAMED_BODY]) == (Slot("body.first", "body", "Ana"), Slot("body.hour", "body"))


def test_a_positional_template_is_sent_in_the_order_of_its_numbers() -> None:
    out_of_order = {"type": "BODY", "text": "At {{2}}: {{1}} and {{2}}"}
    filled = templates.fill(frozen(out_of_order), {"body.1": "<<user.first_name>>", "body.2": "noon"}, ANA)
    assert sent(filled) == [
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "noon"}]}
    ]
    assert filled.body == "At noon: Ana and noon"
    assert filled.content["template"]["language"] == {"code": "en_US"}


def test_a_named_template_names_each_parameter() -> None:
    slots = {"body.first": "{{user.first_name}}", "body.hour": "noon"}
    filled = templates.fill(frozen(NAMED_BODY, parameter_format="NAMED"), slots, ANA)
    assert sent(filled)[0]["parameters"] == [
        {"type": "text", "parameter_name": "first", "text": "Ana"},
        {"type": "text", "parameter_name": "hour", "text": "noon"},
    ]


def test_header_and_buttons_are_sent_as_the_api_wants_them() -> None:
    slots = {
        "header.1": "Ana",
        "body.1": "Ana",
        "body.2": "noon",
        "button.0.1": "v/a b?x=1",
        "button.1.payload": "yes:<<user.first_name>>",
        "button.2.code": "SAVE10",
    }
    header, _, *buttons = sent(templates.fill(frozen(HEADER, BODY, BUTTONS), slots, ANA))
    assert header == {"type": "header", "parameters": [{"type": "text", "text": "Ana"}]}
    assert [(each["sub_type"], each["index"], each["parameters"]) for each in buttons] == [
        ("url", "0", [{"type": "text", "text": "v/a%20b?x=1"}]),
        ("quick_reply", "1", [{"type": "payload", "payload": "yes:Ana"}]),
        ("copy_code", "2", [{"type": "coupon_code", "coupon_code": "SAVE10"}]),
    ]


@pytest.mark.parametrize(
    "format_,slots,parameter",
    [
        ("IMAGE", {"header.image": "https://example.org/a.png"}, {"image": {"link": "https://example.org/a.png"}}),
        ("video", {"header.video": "123456"}, {"video": {"id": "123456"}}),
        (
            "DOCUMENT",
            {"header.document": "77", "header.filename": "for <<user.first_name>>.pdf"},
            {"document": {"id": "77", "filename": "for Ana.pdf"}},
        ),
        (
            "LOCATION",
            {"header.latitude": "30.04", "header.longitude": "31.23", "header.name": "Clinic"},
            {"location": {"latitude": "30.04", "longitude": "31.23", "name": "Clinic"}},
        ),
    ],
)
def test_media_and_places_go_into_the_header(format_: str, slots: dict[str, str], parameter: dict[str, Any]) -> None:
    components = [{"type": "HEADER", "format": format_}, {"type": "BODY", "text": "Look!"}]
    assert templates.check_slots(components, slots) == []
    [header] = sent(templates.fill(frozen(*components), slots, ANA))
    assert header["parameters"] == [{"type": format_.lower(), **parameter}]


def test_a_static_template_is_sent_without_components() -> None:
    assert sent(templates.fill(frozen({"type": "BODY", "text": "Hello"}), {}, ANA)) is None


def test_a_slot_that_comes_out_blank_is_told_and_nothing_can_be_sent() -> None:
    filled = templates.fill(frozen(BODY), {"body.1": " <<user.nobody>> ", "body.2": "x <<user.title>>"}, ANA)
    assert (filled.content, filled.empty, filled.missing) == ({}, ("body.1",), ("nobody", "title"))
    assert filled.body == "Dear {{1}}, see you at x."


def test_parameters_hold_no_newline_tab_or_run_of_spaces() -> None:
    filled = templates.fill(frozen(BODY), {"body.1": "<<user.slot>>", "body.2": "<<user.spaced>>"}, ANA)
    assert [each["text"] for each in sent(filled)[0]["parameters"]] == ["noon sharp !", "a b"]


@pytest.mark.parametrize(
    "component,slots,place",
    [
        (BODY, {"body.1": "<<user.long>>", "body.2": "noon"}, "the body"),
        (BODY, {"body.1": "<<user.long>><<user.long>><<user.long>>", "body.2": "noon"}, "body.1"),
        (BUTTONS, {"button.0.1": "x", "button.2.code": "<<user.long>>"}, "button.2.code"),
    ],
)
def test_a_person_whose_values_make_it_too_long_is_refused(
    component: dict[str, Any], slots: dict[str, str], place: str
) -> None:
    with pytest.raises(PlaceholderError, match=f"^{place}.*Shorten it"):
        templates.fill(frozen(component), slots, {"long": "a" * 1500})


@pytest.mark.parametrize(
    "components,slots,problem",
    [
        ([BODY], {"body.1": "Ana"}, "body.2 (body): has no text. Write one, for example noon."),
        ([BODY], {"body.1": "Ana", "body.2": " "}, "body.2 (body): has no text"),
        ([BODY], {"body.1": "Ana", "body.2": "x", "bdy.2": "x"}, "bdy.2: the template has no such slot. Did you mean"),
        ([BODY], {"body.1": "<<first_name>>", "body.2": "x"}, "body.1: <<first_name>> is not an attribute"),
        (
            [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hi"}],
            {"header.image": "javascript:alert(1)"},
            "header.image: is neither an https:// address",
        ),
        ([BUTTONS, {"type": "BODY", "text": "Hi"}], {"button.0.1": "x", "button.2.code": "x" * 16}, "button.2.code"),
        ([BODY, {"type": "CAROUSEL"}], {"body.1": "a", "body.2": "b"}, "The template has a CAROUSEL component"),
        ([{"type": "FOOTER", "text": "x"}], {}, "The template has no body"),
        ([{"type": "BODY", "text": "{{1}} {{3}}"}], {"body.1": "a", "body.3": "b"}, "The template's body skips"),
    ],
)
def test_texts_that_cannot_fill_a_template_are_told_with_the_slot(
    components: list[dict[str, Any]], slots: dict[str, str], problem: str
) -> None:
    [told] = templates.check_slots(components, slots)
    assert told.startswith(problem)


def test_a_preview_reads_as_the_person_would_read_it() -> None:
    footer = {"type": "FOOTER", "text": "Reply STOP to leave"}
    assert templates.preview_of(frozen(HEADER, BODY, footer, BUTTONS), {"header.1": "Ana", "body.1": "Ana"}) == (
        PreviewText(
            "For Ana",
            "Dear Ana, see you at {{2}}.",
            footer["text"],
            ("Open", "Yes", "Copy Code", "Call", "Home"),
            button_types=("URL", "QUICK_REPLY", "COPY_CODE", "PHONE_NUMBER", "URL"),
        )
    )


def test_what_a_value_holds_never_becomes_a_slot_or_placeholder() -> None:
    filled = templates.fill(frozen(BODY), {"body.1": "<<user.evil>>", "body.2": "x"}, {"evil": "{{2}} <<user.evil>>"})
    assert filled.body == "Dear {{2}} <<user.evil>>, see you at x."


FLOW = {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Sign up", "flow_id": "77"}]}


@pytest.mark.parametrize(
    "slots, more",
    [
        ({}, {}),
        (
            {"button.0.flow_token": "<<user.first_name>>-7"},
            {"parameters": [{"type": "action", "action": {"flow_token": "Ana-7"}}]},
        ),
    ],
)
def test_a_flow_s_button_is_named_in_every_send_and_has_a_token_if_one_is_given(
    slots: dict[str, str], more: dict[str, Any]
) -> None:
    body = {"type": "BODY", "text": "Hello"}
    assert templates.slots_of([body, FLOW]) == (Slot("button.0.flow_token", "button Sign up", required=False),)
    assert sent(templates.fill(frozen(body, FLOW), slots, ANA)) == [
        {"type": "button", "sub_type": "flow", "index": "0", **more}
    ]


@pytest.mark.parametrize(
    "latitude, problems", [("30.05", 0), ("-90", 0), ("<<user.latitude>>", 0), ("91", 1), ("Cairo", 1), ("nan", 1)]
)
def test_a_place_is_given_in_degrees(latitude: str, problems: int) -> None:
    place = [{"type": "HEADER", "format": "LOCATION"}, {"type": "BODY", "text": "Here"}]
    found = templates.check_slots(place, {"header.latitude": latitude, "header.longitude": "31.23"})
    assert len(found) == problems


def test_a_variable_may_be_called_as_a_part_of_a_place_is() -> None:
    text = [{"type": "HEADER", "format": "TEXT", "text": "{{latitude}} north"}, {"type": "BODY", "text": "Here"}]
    assert templates.check_slots(text, {"header.latitude": "far"}) == []
