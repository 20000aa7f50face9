"""What was said is found by its words in any language, who said it by name and number; broadcasts are left out."""

import re

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.conversations import commonness
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.person import Person
from bot.models.words import Environment
from tests.dashboard.visitor import Visitor
from tests.factories import make_conversation, make_inbound, make_number, make_person

SAID = {
    "Where is my order #4711?": ["order", "ORD", "4711", "my order"],
    "Wann öffnet das Café morgen?": ["café", "öffnet", "mor"],
    "أين طلبي؟": ["طلبي"],
    "Где мой заказ?": ["заказ", "мой зак"],
    "it's a \\ strange 'one'": ["it's", "strange"],
}


@pytest.mark.parametrize("said, typed", [(said, word) for said, words in SAID.items() for word in words])
def test_words_are_found_in_any_language(
    coach: Visitor, session: Session, ada: Person, number: Number, conversation: Conversation, said: str, typed: str
) -> None:
    message = make_inbound(session, ada, number, said)
    session.commit()
    page = coach.get("/inbox/search", query_string={"q": typed}).text
    assert f"/inbox/{conversation.id}?at={message.id}#m{message.id}" in page
    assert "<mark>" in page


def test_what_was_said_elsewhere_is_not_found(
    coach: Visitor, session: Session, ada: Person, number: Number, conversation: Conversation
) -> None:
    test_number = make_number(session, environment=Environment.TEST)
    grace = make_person(session, first_name="Grace", environment=Environment.TEST)
    make_conversation(session, grace, test_number)
    make_inbound(session, grace, test_number, "a secret order")
    message = make_inbound(session, ada, number, "an order of mine")
    bob = make_person(session, first_name="Bob")
    other = make_conversation(session, bob, number)
    make_inbound(session, bob, number, "another order")
    session.commit()
    everywhere = coach.get("/inbox/search?q=order").text
    assert "secret" not in everywhere
    assert "another" in everywhere
    within = coach.get(f"/inbox/search?q=order&conversation={conversation.id}").text
    assert f"at={message.id}" in within
    assert f"/inbox/{other.id}?at" not in within


def test_people_are_found_by_name_and_number(
    coach: Visitor, session: Session, ada: Person, conversation: Conversation
) -> None:
    phone = ada.addresses[0].value
    session.commit()
    for typed in ("Lovelace", phone, phone[:-2]):
        assert f'href="/inbox/{conversation.id}"' in coach.get("/inbox/search", query_string={"q": typed}).text, typed


@pytest.mark.parametrize("typed", ["", " ", "'", "\\", "a & | ! ( :*", "<script>", "\x00x", "%", "x" * 500, "( )"])
def test_whatever_is_typed_is_no_error(coach: Visitor, conversation: Conversation, typed: str) -> None:
    assert conversation
    assert coach.get("/inbox/search", query_string={"q": typed}).status_code == 200


def test_what_is_marked_stays_text(coach: Visitor, session: Session, ada: Person, number: Number) -> None:
    make_conversation(session, ada, number)
    make_inbound(session, ada, number, "<b>order</b> <script>alert(1)</script>")
    session.commit()
    page = coach.get("/inbox/search?q=order").text
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page


@pytest.fixture
def chatter(session: Session, ada: Person, number: Number, conversation: Conversation) -> list[int]:
    """Ids of 240 messages that order something, on Mondays and Fridays in turn; the second asks for a tulip besides."""
    assert conversation
    days = ("on Monday", "on Friday for a tulip", *("on Monday", "on Friday") * 119)
    said = [make_inbound(session, ada, number, f"I order {day}") for day in days]
    session.commit()
    session.execute(text("ANALYZE message"))
    session.commit()
    return [message.id for message in said]


@pytest.mark.parametrize(
    "typed, places",
    [
        ("order", range(190, 240)),
        ("Monday order", range(140, 240, 2)),
        ("tul", [1]),
        ("order - tulip", [1]),
        ("friday tulip order", [1]),
        ("Monday tulip", []),
        ("Monday Friday", []),
    ],
)
def test_common_words_and_rare_ones_are_found_newest_first(
    coach: Visitor, chatter: list[int], typed: str, places: list[int]
) -> None:
    page = coach.get("/inbox/search", query_string={"q": typed}).text
    found = [int(id_) for id_ in re.findall(r"[?&;]at=(\d+)", page)]
    assert found == [chatter[place] for place in reversed(places)]
    assert ("These are the newest 50" in page) == (len(places) == 50)


def test_what_half_of_all_messages_say_is_common_and_what_one_says_rare(session: Session, chatter: list[int]) -> None:
    found = {word.typed: word for word in commonness.of(session, ["ORDER", "mon", "tulip", "never", "-", "it's"])}
    assert found.keys() == {"ORDER", "mon", "tulip", "never", "it's"}
    assert {word for word, known in found.items() if not known.is_rare(50)} == {"ORDER", "mon"}
    assert found["it's"].lexemes == ("it", "s")
    assert found["mon"].newest >= chatter[-1]
