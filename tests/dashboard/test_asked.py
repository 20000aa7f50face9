"""What the inbox's pages cost the database: no page asks more because there is more to show, or looks twice."""

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.person import Person
from bot.runtime import Runtime
from tests.dashboard.visitor import Visitor
from tests.factories import make_conversation, make_inbound, make_person

_OURS = ("SAVEPOINT", "RELEASE", "ROLLBACK")
"""What a test's own transaction adds."""


@pytest.mark.parametrize(
    "path, most", [("/inbox", 9), ("/inbox/{id}", 16), ("/inbox/search?q=hello", 11), ("/inbox/{id}/live", 9)]
)
def test_a_page_asks_few_questions_however_much_it_shows(
    rt: Runtime, coach: Visitor, session: Session, number: Number, conversation: Conversation, path: str, most: int
) -> None:
    for name in ("Bob", "Eve", "Mia"):
        person: Person = make_person(session, first_name=name)
        make_conversation(session, person, number)
        for words in ("hello", "hello again"):
            make_inbound(session, person, number, words)
    session.commit()
    coach.get(path.format(id=conversation.id))
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(_OURS):
            asked.append(statement)

    event.listen(rt.engine, "before_cursor_execute", note)
    try:
        coach.get(path.format(id=conversation.id))
    finally:
        event.remove(rt.engine, "before_cursor_execute", note)
    assert len(asked) <= most, "\n".join(asked)
    assert len(set(asked)) == len(asked), "the same was asked twice"
