"""Answering in company: nobody is answered twice by accident, and what was written is never lost."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from redis import Redis
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.conversations import presence
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.inbox import NoteMention
from bot.models.message import Message
from bot.models.person import Person
from bot.models.team import Operator
from bot.models.words import AuthorKind, MessageState, Role
from tests.dashboard.visitor import Visitor
from tests.factories import make_inbound, make_operator, make_outbound, make_template

KEY = "k" * 24
JSON = {"headers": {"Accept": "application/json"}}


def replies(session: Session) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.author_kind == AuthorKind.COACH).order_by(Message.id)))


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_of_two_coaches_who_answer_the_same_person_the_second_is_asked(
    signed_in: Callable[[Role], Visitor], session: Session, conversation: Conversation
) -> None:
    here = f"/inbox/{conversation.id}"
    kim, lee = signed_in(Role.COACH), signed_in(Role.COACH)
    seen = {who: field(who.get(here).text, "last") for who in (kim, lee)}
    assert kim.post(f"{here}/reply", {"text": "Hi from Kim", "key": KEY, "last": seen[kim]}).status_code == 303
    form = {"text": "Hi from Lee", "key": "j" * 24, "last": seen[lee]}
    page = lee.post(f"{here}/reply", form)
    assert page.status_code == 409
    assert "A colleague has answered meanwhile" in page.text
    assert "Hi from Lee</textarea>" in page.text
    assert "Send anyway" in page.text
    told = lee.post(f"{here}/reply", form, **JSON)
    assert (told.status_code, told.get_json()["newest"]) == (409, replies(session)[0].id)
    assert lee.post(f"{here}/reply", {**form, "last": field(page.text, "last")}).status_code == 303
    assert [each.body for each in replies(session)] == ["Hi from Kim", "Hi from Lee"]


def test_a_message_that_came_while_typing_is_asked_about_and_ones_own_is_not(
    coach: Visitor, session: Session, conversation: Conversation, ada: Person, number: Number
) -> None:
    here = f"/inbox/{conversation.id}"
    last = field(coach.get(here).text, "last")
    assert coach.post(f"{here}/reply", {"text": "One", "key": "1" * 24, "last": last}).status_code == 303
    make_outbound(session, ada, number, "from the stack")
    assert coach.post(f"{here}/reply", {"text": "Two", "key": "2" * 24, "last": last}).status_code == 303
    make_inbound(session, ada, number, "one more thing")
    session.commit()
    answer = coach.post(f"{here}/reply", {"text": "Three", "key": "3" * 24, "last": last})
    assert answer.status_code == 409
    assert "A new message arrived while you were typing" in answer.text


def test_the_page_that_sends_a_reply_is_told_what_has_become_of_it(
    coach: Visitor, session: Session, conversation: Conversation
) -> None:
    here, form = f"/inbox/{conversation.id}", {"text": "Is <b>Friday</b> right?", "key": KEY}
    coach.get(here)
    told, again = (coach.post(f"{here}/reply", form, **JSON).get_json() for _ in range(2))
    assert told == again
    [reply] = replies(session)
    assert told["id"] == reply.id
    assert "&lt;b&gt;Friday" in told["shown"]
    assert "Waiting to be sent" in told["shown"]
    article = re.search(r"<article.*</article>", told["shown"], re.DOTALL)
    assert article
    assert article[0] in coach.get(here).text  # so that it is left as it is once the thread is told


def test_a_reply_quotes_and_offers_buttons(
    coach: Visitor, session: Session, conversation: Conversation, ada: Person, number: Number
) -> None:
    here, asked = f"/inbox/{conversation.id}", make_inbound(session, ada, number, "Which day?")
    session.commit()
    coach.get(here)
    form = {"text": "Choose", "key": KEY, "quotes": asked.id, "button": ["Monday", " Friday ", ""]}
    told = coach.post(f"{here}/reply", form, **JSON).get_json()
    assert told["id"] == replies(session)[0].id
    [reply] = replies(session)
    assert reply.kind == "interactive"
    assert reply.content is not None
    assert reply.content["context"] == {"message_id": asked.provider_message_id}
    assert [each["reply"]["title"] for each in reply.content["interactive"]["action"]["buttons"]] == [
        "Monday",
        "Friday",
    ]
    page = coach.get(here).text
    assert f'href="#m{asked.id}"' in page
    too_many = {"text": "Choose", "key": "j" * 24, "button": list("abcd")}
    assert coach.post(f"{here}/reply", too_many).status_code == 422


def test_a_reaction_of_ours_stands_at_what_it_is_about_until_it_is_taken_back(
    coach: Visitor, session: Session, conversation: Conversation, ada: Person, number: Number
) -> None:
    here, said = f"/inbox/{conversation.id}", make_inbound(session, ada, number, "I passed!")
    session.commit()
    coach.get(here)
    assert coach.post(f"{here}/react", {"message": said.id, "emoji": "👍"}).status_code == 303
    page = coach.get(here).text
    assert re.search(r'<li class="mine"><span[^>]*>We: </span>👍</li>', page)
    assert page.count("<article") == 2
    coach.post(f"{here}/react", {"message": said.id, "emoji": ""})
    assert 'class="mine"' not in coach.get(here).text
    session.execute(update(Message).where(Message.kind == "reaction").values(state=MessageState.FAILED))
    session.commit()
    assert "Not delivered" in coach.get(here).text
    assert coach.post(f"{here}/react", {"message": said.id, "emoji": "<b>"}).status_code == 422


def test_when_the_window_has_closed_the_reply_becomes_a_template_and_may_wait(
    coach: Visitor, session: Session, conversation: Conversation, number: Number
) -> None:
    template = make_template(session, number.connection)
    session.execute(update(Conversation).values(last_inbound_at=datetime.now(UTC) - timedelta(hours=25)))
    session.commit()
    here = f"/inbox/{conversation.id}"
    page = coach.get(here).text
    assert template.name in page
    assert "Send this when they answer" in page
    preview = coach.get(f"{here}/template?template={template.id}&slot.body.1=<<user.first_name>>").text
    assert "Hello Ada" in preview
    assert "has no text" in coach.get(f"{here}/template?template={template.id}").text
    refused = coach.post(f"{here}/template", {"template": template.id, "key": KEY, "text": "kept"})
    assert refused.status_code == 422
    assert "kept</textarea>" in refused.text
    form = {"template": template.id, "slot.body.1": "Ada", "key": KEY, "text": "The answer"}
    for _ in range(2):
        assert coach.post(f"{here}/template", form).status_code == 303
    assert [each.body for each in replies(session)] == ["Hello Ada"]
    page = coach.get(here).text
    assert "Waits for their answer" in page
    assert coach.post(f"{here}/held/cancel").status_code == 303
    assert "Waits for their answer" not in coach.get(here).text


def test_a_photo_is_sent_once_and_what_is_none_of_what_whatsapp_takes_is_refused(
    coach: Visitor, session: Session, conversation: Conversation
) -> None:
    here = f"/inbox/{conversation.id}"
    assert "Photo or file" in coach.get(here).text
    for _ in range(2):
        form = {"file": (BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(64)), "../cat.png"), "key": KEY, "text": "Our cat"}
        assert coach.post(f"{here}/file", form).status_code == 303
    [reply] = replies(session)
    assert (reply.kind, reply.body) == ("image", "Our cat")
    page = coach.get(here).text
    assert "The file is on its way" in page
    refused = coach.post(f"{here}/file", {"file": (BytesIO(b"<svg/>"), "x.png"), "key": "j" * 24})
    assert refused.status_code == 422
    assert "WhatsApp takes JPEG" in refused.text
    assert coach.post(f"{here}/file", {"key": "j" * 24}).status_code == 422


def test_an_answer_at_hand_is_filled_in_before_it_is_sent(
    coach: Visitor, session: Session, conversation: Conversation
) -> None:
    coach.get("/inbox/answers")
    made = {"shortcut": "/Hours", "text": "Hi <<user.first_name>>, we open at 9. <<user.room>>"}
    assert coach.post("/inbox/answers", made).status_code == 303
    [offer] = coach.get(f"/inbox/{conversation.id}/canned?typed=ho").get_json()
    assert offer == {"shortcut": "hours", "text": "Hi Ada, we open at 9. ", "empty": ["room"]}
    assert coach.post("/inbox/answers", {"shortcut": "hours", "text": "x"}).status_code == 422
    assert coach.post("/inbox/answers", {"shortcut": "two words", "text": "x"}).status_code == 422
    assert coach.post("/inbox/answers", {"shortcut": "bad", "text": "<<config.x>>"}).status_code == 422
    page = coach.get("/inbox/answers").text
    found = re.search(r"/inbox/answers/(\d+)/archive", page)
    assert found is not None
    coach.post(found[0])
    assert coach.get(f"/inbox/{conversation.id}/canned?typed=").json == []
    coach.post(f"/inbox/answers/{found[1]}", {"shortcut": "hours", "text": "We open at 10."})
    coach.post(f"/inbox/answers/{found[1]}/restore")
    assert "We open at 10." in coach.get("/inbox/answers").text


def test_a_note_is_for_the_team_and_tells_whom_it_names(
    signed_in: Callable[[Role], Visitor], session: Session, conversation: Conversation
) -> None:
    named = make_operator(session, Role.COACH)
    here, kim = f"/inbox/{conversation.id}", signed_in(Role.COACH)
    kim.get(here)
    for _ in range(2):
        form = {"text": f"@{named.name} please look <script>", "key": KEY}
        assert kim.post(f"{here}/note", form).status_code == 303
    assert session.scalars(select(NoteMention.operator_id)).all() == [named.id]
    assert replies(session) == []
    page = kim.get(here).text
    assert page.count("memo") == 1
    assert "please look &lt;script&gt;" in page
    assert kim.post(f"{here}/note", {"text": " ", "key": "j" * 24}).status_code == 422


def test_each_sees_who_else_is_here_and_who_is_writing(
    signed_in: Callable[[Role], Visitor], session: Session, conversation: Conversation, redis: Redis
) -> None:
    here = f"/inbox/{conversation.id}"
    kim, lee = signed_in(Role.COACH), signed_in(Role.COACH)
    names = [each.name for each in session.scalars(select(Operator).order_by(Operator.id))]
    assert kim.post(f"{here}/presence").status_code == 200
    assert f"{names[0]} is here too" in lee.get(here).text
    kim.post(f"{here}/presence", {"typing": "yes"})
    assert f"{names[0]} is writing" in lee.get(here).text
    assert "is writing" not in kim.get(here).text
    kim.post(f"{here}/presence", {"gone": "yes"})
    assert f"{names[0]} is " not in lee.get(here).text
    assert presence.here(session, Redis(port=1), conversation.id) == ()


def test_a_link_to_a_message_opens_the_thread_around_it(
    coach: Visitor, session: Session, conversation: Conversation, ada: Person, number: Number
) -> None:
    start = datetime.now(UTC) - timedelta(hours=20)
    made = [
        make_inbound(session, ada, number, f"no {count:03}", occurred_at=start + timedelta(seconds=count))
        for count in range(250)
    ]
    session.commit()
    page = coach.get(f"/inbox/{conversation.id}?at={made[100].id}").text
    assert f'id="m{made[100].id}"' in page
    assert 'id="newest"' in page
    assert "Earlier messages" in page
    assert f'id="m{made[249].id}"' not in page
    assert "data-flow" not in page
    assert f'id="m{made[249].id}"' in coach.get(f"/inbox/{conversation.id}?at={made[240].id}").text


@pytest.mark.parametrize("latitude", ["javascript:alert(1)", "NaN", 91, None])
def test_a_place_is_a_link_only_where_it_is_one(
    coach: Visitor, session: Session, conversation: Conversation, ada: Person, number: Number, latitude: object
) -> None:
    place = make_inbound(session, ada, number, "Here")
    place.kind = "location"
    place.content = {"type": "location", "location": {"latitude": latitude, "longitude": 2}}
    session.commit()
    assert "openstreetmap" not in coach.get(f"/inbox/{conversation.id}").text
    place.content = {"type": "location", "location": {"latitude": 1.5, "longitude": 2}}
    session.commit()
    assert "mlat=1.500000&amp;mlon=2.000000" in coach.get(f"/inbox/{conversation.id}").text


def test_who_it_is_stands_beside_the_thread(coach: Visitor, session: Session, rich: Person) -> None:
    conversation = session.scalars(select(Conversation)).one()
    panel = coach.get(f"/inbox/{conversation.id}/contact").text
    for words in ("ada@example.org", "Spring course", 'name="value.grade"', "The whole profile"):
        assert words in panel
