"""What people and the business did to messages is seen at the messages; and no kind of message is blank."""

import re
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.dashboard import kinds, origins
from bot.models.conversation import Conversation
from tests.dashboard.test_reading import HOSTILE
from tests.dashboard.visitor import Visitor
from tests.webhooks.telling import AMINA, Desk, echo, edit, message, open_desk, reaction, revoke, text_part


@pytest.fixture
def desk(session: Session) -> Desk:
    return open_desk(session)


@pytest.fixture
def thread(desk: Desk, coach: Visitor) -> "Reader":
    return Reader(desk, coach)


class Reader:
    """Somebody who reads Amina's thread."""

    def __init__(self, desk: Desk, coach: Visitor) -> None:
        self.desk, self._coach = desk, coach

    @property
    def conversation(self) -> Conversation:
        return self.desk.session.get_one(Conversation, self.desk.ask("SELECT id FROM conversation"))

    def page(self, path: str = "") -> str:
        self.desk.session.commit()
        return self._coach.get(path or f"/inbox/{self.conversation.id}").text

    def bubbles(self) -> list[str]:
        """Each bubble's words, in order."""
        found = re.findall(r"<article.*?</article>", self.page(), re.DOTALL)
        return [" ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", "", one)).split()) for one in found]


def part(kind: str, inner: object, body: str | None = None, **more: Any) -> Any:
    extra = more.pop("extra", {})
    return message(body, kind=kind, content={"type": kind, kind: inner, **extra}, **more)


KINDS: list[tuple[str, object, str | None, str]] = [
    ("text", {"body": ""}, "", "An empty message"),
    ("image", {}, None, "Photo"),
    ("video", {}, None, "Video"),
    ("audio", {}, None, "Audio"),
    ("audio", {"voice": True}, None, "Voice message"),
    ("voice", {}, None, "Voice message"),
    ("document", {"filename": "cv.pdf"}, "My CV", "Document My CV cv.pdf"),
    ("sticker", {"animated": True}, None, "Moving sticker"),
    ("location", {"latitude": 1.5, "longitude": 2}, "Here", "Location Here 1.5, 2"),
    ("contacts", [{"phones": [{"phone": "+1 555 0100"}]}, "odd"], "Grace", "Contact card Grace +1 555 0100"),
    ("button", {"text": "Yes"}, "Yes", "Tapped a button Yes"),
    (
        "interactive",
        {"type": "list_reply", "list_reply": {"description": "Mondays"}},
        "Maths",
        "Chose from a list Maths",
    ),
    (
        "interactive",
        {"type": "nfm_reply", "nfm_reply": {"response_json": '{"flow_token": "t", "age": "12", "days": [1, 2]}'}},
        None,
        "Filled in a form age: 12, days: [1, 2]",
    ),
    ("interactive", {"type": "nfm_reply", "nfm_reply": {"response_json": "[1]"}}, None, "Filled in a form [1]"),
    ("interactive", {"type": "nfm_reply", "nfm_reply": {"response_json": "{"}}, None, "Filled in a form {"),
    (
        "interactive",
        {"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}},
        None,
        "Answered whether you may call Yes, you may call",
    ),
    ("interactive", None, None, "An answer that came without its content"),
    ("order", {"product_items": [{"product_retailer_id": "pen", "quantity": 2}]}, None, "Order 2x pen at ?"),
    ("system", {"type": "customer_identity_changed"}, None, "Their security code changed"),
    ("system", {"type": "anything"}, "Something happened", "Notice from WhatsApp Something happened"),
    ("unsupported", {"type": "poll_creation"}, None, "Something WhatsApp does not pass on: a poll"),
    ("unsupported", {"type": "sing-along"}, None, "A kind of message WhatsApp does not pass on"),
    ("ephemeral", {}, None, "A disappearing message"),
    ("request_welcome", {}, None, "Opened the chat for the first time"),
    ("hsm", {}, None, "Template"),
    ("unknown", None, None, "A message that came without its content"),
    ("hologram", {"x": 1}, None, "A message of the kind “hologram”"),
]


@pytest.mark.parametrize("kind, inner, body, words", KINDS, ids=[f"{n} {row[0]}" for n, row in enumerate(KINDS)])
def test_no_kind_of_message_is_blank(thread: Reader, kind: str, inner: object, body: str | None, words: str) -> None:
    thread.desk.tell(message("hello", s=-5), part(kind, inner, body))
    assert thread.bubbles()[1].startswith(words)
    assert words.split(maxsplit=1)[0] in thread.page("/inbox?state=all")


@pytest.mark.parametrize("inner", [None, [], "text", 5, {"type": 5}, [5], {"type": []}, [{}]], ids=repr)
def test_a_content_of_any_shape_can_be_read(inner: object) -> None:
    for kind in {row[0] for row in KINDS} | {"template"}:
        content = {"type": kind, kind: inner, "errors": inner, "context": inner, "referral": inner}
        for is_outbound in (True, False):
            said = kinds.describe(kind, content, None, is_outbound=is_outbound)
            assert said.label, kind
        assert all(origins.notes(content))


def test_why_there_is_no_content_is_said(thread: Reader) -> None:
    errors = [{"code": 131060, "title": "Unavailable", "error_data": {"details": "This message is unavailable."}}]
    thread.desk.tell(part("unsupported", {}, extra={"errors": errors}))
    assert "This message is unavailable." in thread.bubbles()[0]


def test_an_edited_message_shows_its_new_wording_with_the_first_behind_it(thread: Reader) -> None:
    thread.desk.tell(message("helo", id_="m"), edit("m", "hello", s=60), edit("m", "hello!", s=120))
    [bubble] = thread.bubbles()
    assert re.fullmatch(r"hello! Edited \d\d:\d\d helo \d\d:\d\d", bubble)


def test_a_deleted_message_says_so_and_hides_what_it_said(thread: Reader) -> None:
    thread.desk.tell(message("secret", id_="m"), echo("oops", id_="x", s=5))
    thread.desk.tell(revoke("m", s=6), revoke("x", sender=None, s=7))
    theirs, ours = thread.bubbles()
    assert re.match(r"They deleted this · \d\d:\d\d What it said secret", theirs)
    assert re.match(r"WhatsApp app on the phone Deleted for everybody · \d\d:\d\d What it said oops", ours)
    hidden = re.sub(r"<details.*?</details>", "", thread.page(), flags=re.DOTALL)
    assert "secret" not in hidden
    assert "We: " in hidden
    assert "A deleted message" in hidden


def test_a_reaction_is_seen_at_its_message_and_only_there(thread: Reader) -> None:
    thread.desk.tell(echo("hi", id_="x"), reaction("x", "\U0001f44d", s=5))
    [bubble] = thread.bubbles()
    assert bubble.endswith("\U0001f44d")
    thread.desk.tell(reaction("x", None, s=9))
    [bubble] = thread.bubbles()
    assert "\U0001f44d" not in bubble


def test_a_reaction_to_what_is_not_here_is_seen_by_itself(thread: Reader) -> None:
    thread.desk.tell(message("hello"), reaction("before our time", "❤", s=5), reaction("another", None, s=6))
    assert re.match(r"Answers: A message that is not here Reacted ❤", thread.bubbles()[1])
    assert re.match(r"Answers: A message that is not here Took back a reaction", thread.bubbles()[2])


def test_a_thread_with_a_reaction_can_be_read_to_its_end(thread: Reader, coach: Visitor) -> None:
    thread.desk.tell(message("hello", id_="m"))
    thread.desk.tell(reaction("m", "❤", s=5))
    last = re.search(r'data-newest="(\d+)"', thread.page())
    assert last is not None
    coach.post(f"/inbox/{thread.conversation.id}/read", {"last": last[1]})
    thread.desk.session.expire_all()
    assert thread.conversation.unread_count == 0


def test_what_is_answered_is_quoted_and_linked(thread: Reader) -> None:
    thread.desk.tell(echo("Are you coming?", id_="x"), message("Yes", id_="m", s=5, reply_to="x"))
    thread.desk.tell(echo("Great", s=6, reply_to="m"), message("Hm", s=7, reply_to="older than we"))
    bubbles = thread.bubbles()
    assert bubbles[1].startswith("Answers: We: Are you coming? Yes")
    assert bubbles[2].startswith("WhatsApp app on the phone Answers: Yes Great")
    assert bubbles[3].startswith("Answers: A message that is not here Hm")
    page = thread.page()
    for target in re.findall(r'class="quote"\s+href="#(m\d+)"', page):
        assert f'id="{target}"' in page


@pytest.mark.parametrize(
    "extra, note",
    [
        ({"context": {"forwarded": True}}, "Forwarded hello"),
        ({"context": {"frequently_forwarded": True}}, "Forwarded many times hello"),
        ({"context": {"referred_product": {"product_retailer_id": "pen"}}}, "About the product pen hello"),
        ({"referral": {"source_type": "ad", "headline": "Learn"}}, "Came from an ad: Learn hello"),
        ({"referral": {"source_type": "post", "source_url": "https://fb.example/1"}}, "Came from a post: https://fb"),
        ({"referral": {}}, "Came from an ad hello"),
        ({"referral": "odd", "context": {"referred_product": []}}, "hello"),
    ],
    ids=str,
)
def test_where_a_message_came_from_stands_above_it(thread: Reader, extra: dict[str, Any], note: str) -> None:
    thread.desk.tell(message("hello", id_="m", content=text_part("hello") | extra))
    assert thread.bubbles()[0].startswith(note)
    thread.desk.tell(edit("m", "hello", s=5))
    assert thread.bubbles()[0].startswith(note)


def test_nothing_in_a_thread_becomes_markup(thread: Reader) -> None:
    odd = {"context": {"forwarded": True, "referred_product": {"product_retailer_id": HOSTILE}}}
    referral = {"referral": {"headline": HOSTILE}}
    thread.desk.tell(
        message(HOSTILE, id_="m", content=text_part(HOSTILE) | odd | referral),
        edit("m", HOSTILE, s=1),
        reaction("m", HOSTILE, s=2),
        message("re", s=3, reply_to="m"),
        part("order", {"product_items": [{"product_retailer_id": HOSTILE}]}, s=4),
        part("interactive", {"type": "nfm_reply", "nfm_reply": {"response_json": HOSTILE}}, s=5),
        part("unsupported", {"type": HOSTILE}, s=6, extra={"errors": [{"title": HOSTILE}]}),
        echo(HOSTILE, to=AMINA, s=7),
    )
    page = thread.page()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert str(1234 * 4321) not in page
