"""The provider accepts what the real one accepts and refuses the rest with its codes."""

from typing import Any

import pytest

from tests.simulator.desk import MESSAGES, PERSON, Desk, filled, part, text, using

TEXT: dict[str, Any] = {"type": "text", "text": {"body": "hi"}}


def interactive(**members: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"body": {"text": "Choose"}} | members}


def buttons(*titles: str) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": f"b{n}", "title": title}} for n, title in enumerate(titles)]
    return interactive(type="button", action={"buttons": replies})


def rows(count: int, title: str = "Row") -> dict[str, Any]:
    listed = [{"id": f"r{n}", "title": title} for n in range(count)]
    return interactive(type="list", action={"button": "Open", "sections": [{"rows": listed}]})


NAMED = part("body", text("Ann") | {"parameter_name": "first_name"}, text("Rome") | {"parameter_name": "city"})
NAMED_HEADER = part("header", text("Ann") | {"parameter_name": "first_name"})
PICTURE = part("header", {"type": "image", "image": {"link": "https://example.org/a.png"}})
SUFFIX = part("button", text("a1"), sub_type="url", index="1")

REFUSED: list[tuple[str, dict[str, Any], int]] = [
    ("unknown type", {"type": "telegram"}, 100),
    ("no text", {"type": "text"}, 100),
    ("empty text", {"type": "text", "text": {"body": ""}}, 100),
    ("long text", {"type": "text", "text": {"body": "x" * 4097}}, 100),
    ("neither id nor link", {"type": "image", "image": {}}, 100),
    ("both id and link", {"type": "image", "image": {"id": "1", "link": "https://example.org"}}, 100),
    ("link that is none", {"type": "image", "image": {"link": "ftp://example.org"}}, 100),
    ("unknown media", {"type": "image", "image": {"id": "123"}}, 131009),
    ("long caption", {"type": "image", "image": {"id": "sample-image", "caption": "x" * 1025}}, 100),
    ("caption on audio", {"type": "audio", "audio": {"id": "sample-audio", "caption": "x"}}, 100),
    ("latitude off the earth", {"type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009),
    ("no longitude", {"type": "location", "location": {"latitude": 1}}, 100),
    ("no contacts", {"type": "contacts", "contacts": []}, 100),
    ("contact without name", {"type": "contacts", "contacts": [{"phones": []}]}, 100),
    ("reaction without emoji", {"type": "reaction", "reaction": {"message_id": "wamid.x"}}, 100),
    ("four buttons", buttons("a", "b", "c", "d"), 131009),
    ("long button", buttons("x" * 21), 131009),
    ("equal buttons", buttons("a", "a"), 131009),
    ("eleven rows", rows(11), 131009),
    ("long row", rows(1, "x" * 25), 131009),
    ("unknown interactive", interactive(type="carousel", action={}), 100),
    ("no action", interactive(type="button"), 100),
    ("long body", interactive(type="button", body={"text": "x" * 1025}, action={}), 131009),
    (
        "long link text",
        interactive(
            type="cta_url",
            action={"name": "cta_url", "parameters": {"display_text": "x" * 21, "url": "https://example.org"}},
        ),
        131009,
    ),
    ("long callback data", TEXT | {"biz_opaque_callback_data": "x" * 513}, 100),
    ("group", TEXT | {"recipient_type": "group"}, 100),
    ("context without id", TEXT | {"context": {}}, 100),
    ("unknown template", filled("nobody", "a"), 132001),
    ("other language", using("hello", part("body", text("a"), text("b")), language="nl"), 132001),
    ("no language", {"type": "template", "template": {"name": "hello"}}, 100),
    ("pending template", using("pending"), 132001),
    ("paused template", using("paused"), 132015),
    ("disabled template", using("disabled"), 132016),
    ("too few parameters", filled("hello", "a"), 132000),
    ("too many parameters", filled("hello", "a", "b", "c"), 132000),
    ("parameters for none", filled("static", "a"), 132000),
    ("empty parameter", filled("hello", "a", " "), 131008),
    ("line break in a parameter", filled("hello", "a", "b\nc"), 132018),
    ("five spaces in a parameter", filled("hello", "a", "b     c"), 132018),
    ("parameter of another kind", using("hello", part("body", {"type": "image"}, text("b"))), 132012),
    ("names missing", using("named", NAMED_HEADER, part("body", text("a"), text("b"))), 100),
    (
        "wrong name",
        using("named", NAMED_HEADER, part("body", *({**p, "parameter_name": "x"} for p in NAMED["parameters"]))),
        132012,
    ),
    ("header missing", using("picture"), 132000),
    ("header of another kind", using("picture", part("header", text("a"))), 132012),
    ("address suffix missing", using("tap", part("body", text("a"))), 132000),
    ("button that is not there", using("tap", part("body", text("a")), SUFFIX, SUFFIX | {"index": 2}), 132018),
    ("body too long", filled("tap", "x" * 1025), 132005),
]

ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("text", TEXT),
    ("4096 characters", {"type": "text", "text": {"body": "x" * 4096}}),
    ("text without type", {"text": {"body": "hi"}}),
    ("image by id", {"type": "image", "image": {"id": "sample-image", "caption": "look"}}),
    ("document by link", {"type": "document", "document": {"link": "https://example.org/a.pdf", "filename": "a.pdf"}}),
    ("location in strings", {"type": "location", "location": {"latitude": "30.1", "longitude": "31.2"}}),
    ("contact", {"type": "contacts", "contacts": [{"name": {"formatted_name": "A B", "first_name": "A"}}]}),
    ("reaction", {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": ""}}),
    ("three buttons", buttons("a", "b", "c")),
    ("ten rows", rows(10)),
    ("request for the place", interactive(type="location_request_message", action={"name": "send_location"})),
    ("named template in any order", using("named", NAMED_HEADER, part("body", *reversed(NAMED["parameters"])))),
    ("static template", using("static")),
    ("picture template", using("picture", PICTURE)),
    ("template with a suffix", using("tap", part("body", text("a")), SUFFIX)),
    ("reply to a message", TEXT | {"context": {"message_id": "wamid.x"}}),
    ("512 characters of callback data", TEXT | {"biz_opaque_callback_data": "x" * 512}),
]


@pytest.mark.parametrize("body, code", [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_message_out_of_order_is_refused_with_the_providers_code(sim: Desk, body: dict[str, Any], code: int) -> None:
    sim.open_window()
    answer = sim.send(**body)
    assert (answer.status >= 400, answer.code) == (True, code), answer.body
    assert sim.log() == []


@pytest.mark.parametrize("body", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_a_message_in_order_is_accepted_and_logged(sim: Desk, body: dict[str, Any]) -> None:
    sim.open_window()
    answer = sim.send(**body)
    assert answer.status == 200, answer.body
    assert [entry["wamid"] for entry in sim.log()] == [answer.wamid]


def test_the_answer_names_the_person_and_the_message(sim: Desk) -> None:
    answer = sim.hello("+20 (100) 123-4567")
    assert answer.body["messaging_product"] == "whatsapp"
    assert answer.body["contacts"] == [{"input": "+20 (100) 123-4567", "wa_id": "201001234567"}]
    assert answer.body["messages"][0]["message_status"] == "accepted"
    assert answer.wamid.startswith("wamid.")


def test_a_business_scoped_user_id_is_answered_without_a_phone(sim: Desk) -> None:
    answer = sim.send(None, recipient="US.13491208655302741918", **filled("hello", "a", "b"))
    assert answer.body["contacts"] == [{"input": "US.13491208655302741918", "user_id": "US.13491208655302741918"}]
    refused = sim.send(None, recipient="US.13491208655302741918", **filled("code", "1234"))
    assert refused.code == 131062


def test_nobody_to_write_to_and_no_product_are_refused(sim: Desk) -> None:
    assert sim.send(None, **TEXT).code == 100
    assert sim.send("not a number", **TEXT).code == 131009
    assert sim.graph("POST", MESSAGES, {"to": PERSON, **TEXT}).code == 100
    assert sim.graph("POST", MESSAGES, b"{not json").code == 100
    assert sim.graph("POST", MESSAGES, [1]).code == 100


def test_a_wrong_token_is_401_and_a_number_of_nobody_is_unknown(sim: Desk) -> None:
    refused = sim.graph("POST", MESSAGES, {}, token="wrong")
    assert (refused.status, refused.code, refused.body["error"]["type"]) == (401, 190, "OAuthException")
    unknown = sim.graph("POST", "/v25.0/999/messages", {})
    assert (unknown.status, unknown.code, unknown.body["error"]["error_subcode"]) == (400, 100, 33)
    assert set(unknown.body["error"]) == {"message", "type", "code", "error_subcode", "error_data", "fbtrace_id"}


def test_free_form_messages_need_a_message_from_the_person_in_the_last_day(sim: Desk) -> None:
    assert sim.send(**TEXT).code == 131047
    sim.control("inbound", {"from": PERSON, "text": "hello"})
    assert sim.send(**TEXT).status == 200
    sim.open_window(hours_ago=24.01)
    assert sim.send(**TEXT).code == 131047
    assert sim.hello().status == 200


def test_an_old_message_that_arrives_late_opens_no_window(sim: Desk) -> None:
    sim.control("inbound", {"from": PERSON, "text": "hello", "timestamp": "1600000000"})
    assert sim.send(**TEXT).code == 131047


def test_read_marks_and_typing_are_taken_and_not_logged(sim: Desk) -> None:
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"}
    for body in (mark, mark | {"typing_indicator": {"type": "text"}}):
        assert sim.graph("POST", MESSAGES, body).body == {"success": True}
    assert sim.graph("POST", MESSAGES, mark | {"message_id": ""}).code == 100
    assert sim.graph("POST", MESSAGES, mark | {"status": "unread"}).code == 100
    assert sim.log() == []
    assert [each["typing"] for each in sim.control("reads")] == [False, True]


def test_a_read_mark_turns_the_ticks_of_what_came_before_it_blue(sim: Desk) -> None:
    for words in ("one", "two", "three"):
        sim.control("inbound", {"from": PERSON, "text": words})
    chat = f"chat?person={PERSON.strip('+')}"
    read = [each["id"] for each in sim.control(chat)["items"]][1]
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": read}
    sim.graph("POST", MESSAGES, mark | {"typing_indicator": {"type": "text"}})
    shown = sim.control(chat)
    assert [each["level"] for each in shown["items"]] == ["read", "read", "delivered"]
    assert 0 < shown["typing_ms"] <= 25_000
    sim.send(**TEXT)
    assert sim.control(chat)["typing_ms"] == 0


def test_the_pace_of_a_number_is_watched_and_enforced_on_request(sim: Desk) -> None:
    number = sim.control("config")["numbers"][0]
    sim.control("config", {"numbers": [number | {"pace_per_s": 5}]}, method="PUT")
    assert {sim.hello(f"+20100000000{n}").status for n in range(9)} == {200}
    (violation,) = sim.control("violations")[:1]
    assert (violation["kind"], violation["limit"]) == ("pace", 5)
    sim.control("config", {"numbers": [number | {"pace_per_s": 5, "enforce_pace": True}]}, method="PUT")
    assert 130429 in [answer.code for answer in (sim.hello() for _ in range(9)) if answer.status != 200]


def test_a_pair_may_borrow_45_messages_and_is_then_refused(sim: Desk) -> None:
    number = sim.control("config")["numbers"][0]
    sim.control("config", {"numbers": [number | {"pair_limit": True}], "faults": {"pair_s": 60}}, method="PUT")
    answers = [sim.hello() for _ in range(48)]
    assert [answer.status for answer in answers[:45]] == [200] * 45
    assert answers[-1].code == 131056
    assert sim.hello("+201009999999").status == 200
