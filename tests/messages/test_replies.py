"""What counts as a reply, and that it counts once, on the day the message was sent on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from bot.insights import volume
from bot.insights.asking import Filter, Period, Question
from bot.messages import replies
from bot.models.connection import Number
from bot.models.message import Message, MessageReply
from bot.models.person import Person
from bot.schema import ROOT
from tests import factories as make
from tests.insights.test_blocks import begin

AT = datetime(2026, 3, 20, 23, 50, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def number(session: Session) -> Number:
    begin(session, "UTC")
    return make.make_number(session)


@pytest.fixture
def ada(session: Session) -> Person:
    return make.make_person(session)


def send(session: Session, person: Person, number: Number, at: datetime, name: str, **columns: Any) -> int:
    values: dict[str, Any] = {"state": "accepted", "accepted_at": at, **columns}
    return make.make_outbound(session, person, number, occurred_at=at, provider_message_id=name, **values).id


def noted(session: Session) -> set[int]:
    return set(session.scalars(select(MessageReply.message_id)))


def replied_on(session: Session, at: datetime) -> int:
    asked = Question(session, Period(at.date(), at.date()), Filter("live"))
    return volume.shares(asked)["all"].replied


def test_the_last_message_of_the_day_before_is_replied_to_once_and_counts_when_it_was_sent(
    session: Session, number: Number, ada: Person
) -> None:
    send(session, ada, number, AT - HOUR, "older")
    last = send(session, ada, number, AT, "last")
    replies.note(session, number.id, [(ada.id, None, AT + HOUR), (ada.id, None, AT + 2 * HOUR)])
    replies.note(session, number.id, [(ada.id, None, AT + 3 * HOUR)])
    assert noted(session) == {last}
    assert (replied_on(session, AT), replied_on(session, AT + HOUR)) == (1, 0)


def test_a_quoted_message_is_replied_to_however_old_it_is(session: Session, number: Number, ada: Person) -> None:
    quoted = send(session, ada, number, AT - 300 * HOUR, "quoted")
    send(session, ada, number, AT, "last")
    replies.note(session, number.id, [(ada.id, "quoted", AT + HOUR)])
    assert noted(session) == {quoted}


@pytest.mark.parametrize(
    "hours, columns",
    [(24, {}), (-1, {}), (1, {"state": "failed", "failed_at": AT}), (1, {"state": "queued", "accepted_at": None})],
    ids=["a day later", "before it", "lost", "not sent"],
)
def test_what_came_too_late_or_to_nothing_is_no_reply(
    session: Session, number: Number, ada: Person, hours: int, columns: dict[str, Any]
) -> None:
    send(session, ada, number, AT, "last", **columns)
    replies.note(
        session, number.id, [(ada.id, None, AT + hours * HOUR), (ada.id, "of somebody else", AT + hours * HOUR)]
    )
    assert noted(session) == set()


def test_a_message_that_goes_takes_its_reply_along(session: Session, number: Number, ada: Person) -> None:
    last = send(session, ada, number, AT, "last")
    replies.note(session, number.id, [(ada.id, None, AT + HOUR)])
    session.execute(delete(Message).where(Message.id == last))
    assert replied_on(session, AT) == 0


def test_what_was_counted_for_the_last_one_sent_before_there_was_a_rule_is_counted_for_what_it_quotes(
    session: Session, number: Number, ada: Person
) -> None:
    bob = make.make_person(session)
    quoted = send(session, ada, number, AT - 300 * HOUR, "quoted")
    wrong, right = send(session, ada, number, AT, "wrong"), send(session, bob, number, AT, "right")
    make.make_inbound(session, ada, number, occurred_at=AT + HOUR, reply_to_provider_message_id="quoted")
    for words in ({"reply_to_provider_message_id": "unknown"}, {}):
        make.make_inbound(session, bob, number, occurred_at=AT + HOUR, **words)
    make.make_outbound(session, bob, number, provider_message_id="failed", state="failed", failed_at=AT)
    make.make_inbound(session, bob, number, occurred_at=AT + HOUR, reply_to_provider_message_id="failed")
    replies.note(session, number.id, [(ada.id, None, AT + HOUR), (bob.id, None, AT + HOUR)])
    assert noted(session) == {wrong, right}
    for _ in range(2):
        mend(session)
        assert noted(session) == {quoted, right}
        assert (replied_on(session, AT), replied_on(session, AT - 300 * HOUR)) == (1, 1)


def mend(session: Session) -> None:
    migrations = ScriptDirectory.from_config(Config(toml_file=ROOT / "pyproject.toml"))
    mending = migrations.get_revision("0035").module
    for statement in (mending.QUOTED, *mending.MEND, "DROP TABLE quoted"):
        session.execute(text(statement))
