"""A reply that waits for the answer to the template that asks for it: it goes out once, by itself, or not at all."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.conversations import asking, coach, held, notes, threads
from bot.conversations.asking import Asked
from bot.conversations.coach import ReplyError, Said, WindowClosedError
from bot.erasure import erasing
from bot.erasure.erasing import Actor
from bot.models.broadcast import Template
from bot.models.conversation import Conversation
from bot.models.inbox import HeldReply
from bot.models.message import Message
from bot.models.person import Person
from bot.models.team import Operator
from bot.models.words import AuthorKind
from bot.people import merge
from tests.factories import make_conversation, make_operator, make_person, make_template
from tests.webhooks.telling import Desk, message, open_desk

KEY = "k" * 24
DAY_S = 24 * 3600


class Asker:
    """A coach whose conversation with Amina is outside the window."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.session = desk, desk.session
        desk.tell(message("hello", s=-2 * DAY_S))
        self.conversation = self.session.scalars(select(Conversation)).one()
        self.me: Operator = make_operator(self.session)
        connection = desk.number.connection
        self.template: Template = make_template(self.session, connection, name="are_you_there")

    def ask(self, words: str = "The answer is 42", key: str = KEY) -> int:
        asked = Asked(self.template.id, {"body.1": "<<user.first_name|default('you')>>"})
        message_id = asking.ask(self.session, self.conversation.id, self.me.id, asked, key)
        return held.hold(self.session, self.conversation.id, self.me.id, message_id, words)

    def sent(self) -> list[str | None]:
        """What left in the coach's name, the template first."""
        found = select(Message.body).where(Message.author_kind == AuthorKind.COACH).order_by(Message.id)
        return list(self.session.scalars(found))

    def fate(self) -> str | None:
        self.session.expire_all()
        return self.session.scalars(select(HeldReply.cancelled_because).order_by(HeldReply.id.desc())).first()


@pytest.fixture
def asker(session: Session) -> Asker:
    return Asker(open_desk(session))


def test_it_goes_out_with_the_answer_and_once_however_often_that_is_told(asker: Asker) -> None:
    asker.ask()
    assert asker.sent() == ["Hello Amina"]
    answer, more = message("Yes?", id_="answer", s=3500), message("Hm", s=3550)
    for told in (answer, answer, more):
        asker.desk.tell(told)
    assert asker.sent() == ["Hello Amina", "The answer is 42"]
    assert held.waiting(asker.session, asker.conversation.id) is None
    row = asker.session.scalars(select(Message).where(Message.body == "The answer is 42")).one()
    assert (row.operator_id, row.cause_message_id is not None) == (asker.me.id, True)


def test_an_old_message_that_comes_late_opens_no_window_and_releases_nothing(asker: Asker) -> None:
    asker.ask()
    asker.desk.tell(message("I wrote this yesterday", s=-1.5 * DAY_S))
    assert asker.sent() == ["Hello Amina"]
    assert held.waiting(asker.session, asker.conversation.id) is not None


def test_a_stop_word_as_the_answer_ends_it(asker: Asker) -> None:
    asker.ask()
    asker.desk.tell(message("STOP", s=3500))
    asker.desk.tell(message("really", s=3510))
    assert "The answer is 42" not in asker.sent()
    assert asker.fate() == held.STOPPED


def test_closing_the_conversation_ends_it_whoever_closes(asker: Asker) -> None:
    asker.ask()
    threads.close(asker.session, asker.conversation.id, asker.me.id)
    assert held.waiting(asker.session, asker.conversation.id) is None
    asker.desk.tell(message("Hello again", s=3500))
    assert asker.sent() == ["Hello Amina"]
    assert asker.fate() == held.CLOSED


def test_it_is_taken_back_or_gives_way_to_another(asker: Asker) -> None:
    first = asker.ask("One")
    assert asker.ask("One") == first
    asker.ask("Two", key="j" * 24)
    assert asker.fate() is None
    assert held.cancel(asker.session, asker.conversation.id)
    assert not held.cancel(asker.session, asker.conversation.id)
    asker.desk.tell(message("Hello again", s=3500))
    assert asker.sent() == ["Hello Amina", "Hello Amina"]


def test_outside_the_window_no_text_goes_whatever_the_page_says(asker: Asker) -> None:
    with pytest.raises(WindowClosedError, match="can wait for their answer"):
        coach.reply(asker.session, asker.conversation.id, asker.me.id, Said("Hi"), KEY)


@pytest.mark.parametrize("category, offered", [("MARKETING", False), ("UTILITY", True)])
def test_who_wants_no_marketing_gets_none_from_a_coach_either(asker: Asker, category: str, offered: bool) -> None:
    asker.template.category = category
    asker.session.get_one(Person, asker.conversation.person_id).marketing_opted_out_at = datetime.now(UTC) - timedelta(
        days=1
    )
    asker.session.flush()
    assert bool(asking.choices(asker.session, asker.conversation)) is offered
    if not offered:
        with pytest.raises(ReplyError, match="wants no marketing"):
            asker.ask()


def test_a_template_of_another_account_is_none_of_these(asker: Asker) -> None:
    asker.template = make_template(asker.session, open_desk(asker.session).number.connection)
    with pytest.raises(ReplyError, match="no such template"):
        asker.ask()


def test_notes_and_what_waits_survive_a_merge_and_not_an_erasure(asker: Asker) -> None:
    asker.ask()
    notes.write(asker.session, asker.conversation.id, asker.me.id, "a good one", KEY)
    goes = asker.conversation.person_id
    twin = make_person(asker.session)
    make_conversation(asker.session, twin, asker.desk.number)
    stays = merge.merge(asker.session, [twin.id, goes], "the same")
    asker.session.expire_all()
    kept = asker.session.scalars(select(Conversation).where(Conversation.person_id == stays)).one()
    assert [each.text for each in notes.of_conversation(asker.session, kept.id)] == ["a good one"]
    assert held.waiting(asker.session, kept.id) is not None
    erasing.erase(asker.session, runtime.current().settings, stays, Actor(operator_id=asker.me.id))
    assert notes.of_conversation(asker.session, kept.id) == []
    assert held.waiting(asker.session, kept.id) is None
