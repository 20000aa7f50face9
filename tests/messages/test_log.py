"""The log of sends shows what was asked for, all of it, once, and only of its environment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.messages import log
from bot.messages.log import Wanted
from bot.models.connection import Number
from bot.models.message import Message
from bot.runtime import Runtime
from tests import factories as make

NOW = datetime.now(UTC).replace(microsecond=0)
LIVE, TEST = Wanted("live"), Wanted("test")


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


def ids(session: Session, wanted: Wanted, size: int = log.PAGE) -> list[int]:
    """Page by page until there are no more."""
    found: list[int] = []
    more: int | None = wanted.before
    while True:
        page = log.load(session, replace(wanted, before=more), size)
        found += [row[0].id for row in page.rows]
        if page.more is None:
            return found
        more = page.more


def test_each_environment_has_its_own_log_of_what_went_out(session: Session, number: Number) -> None:
    elsewhere = make.make_number(session, environment="test")
    ada, tester = make.make_person(session), make.make_person(session, environment="test")
    make.make_inbound(session, ada, number)
    make.make_inbound(session, tester, elsewhere)
    live = [make.make_outbound(session, ada, number).id for _ in range(2)]
    test = [make.make_outbound(session, tester, elsewhere).id for _ in range(2)]
    assert ids(session, LIVE) == live[::-1]
    assert ids(session, TEST) == test[::-1]


def test_pages_hold_every_message_once(rt: Runtime, session: Session, number: Number) -> None:
    ada = make.make_person(session)
    made = [make.make_outbound(session, ada, number).id for _ in range(7)]
    assert ids(session, LIVE, size=2) == made[::-1]
    session.commit()
    assert [row[0].id for row in log.every(rt.transaction, LIVE, size=2)] == made[::-1]


def test_a_page_that_finds_nothing_near_says_how_far_it_looked(
    session: Session, number: Number, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "LOOK_BACK", 3)
    ada = make.make_person(session)
    rare = make.make_outbound(session, ada, number, state="failed").id
    made = [make.make_outbound(session, ada, number).id for _ in range(5)]
    page = log.load(session, replace(LIVE, state="failed"))
    assert (page.rows, page.more) == ((), made[2])
    assert page.looked_back_to is not None
    assert ids(session, replace(LIVE, state="failed")) == [rare]


@pytest.mark.parametrize(
    "columns, filter_",
    [
        ({"state": "failed"}, {"state": "failed"}),
        ({"author_kind": "app"}, {"author_kind": "app"}),
        ({"created_at": NOW - timedelta(days=3)}, {"until": NOW - timedelta(days=2)}),
        ({"created_at": NOW + timedelta(days=3)}, {"since": NOW + timedelta(days=2)}),
    ],
)
def test_a_filter_shows_what_fits_and_nothing_else(
    session: Session, number: Number, columns: dict[str, Any], filter_: dict[str, Any]
) -> None:
    ada = make.make_person(session)
    early = "until" in filter_
    fits = make.make_outbound(session, ada, number, **columns).id if early else None
    make.make_outbound(session, ada, number, created_at=NOW)
    fits = fits or make.make_outbound(session, ada, number, **columns).id
    assert ids(session, replace(LIVE, **filter_)) == [fits]


def test_by_number_person_and_broadcast(session: Session, number: Number) -> None:
    second = make.make_number(session)
    ada, bea = make.make_person(session), make.make_person(session)
    template = make.make_template(session, number.connection)
    broadcast = make.make_broadcast(session, number, make.make_segment(session), template)
    plain = make.make_outbound(session, ada, number).id
    of_broadcast: dict[str, Any] = {"author_kind": "broadcast", "broadcast_id": broadcast.id}
    sent = [make.make_outbound(session, bea, number, state=state, **of_broadcast).id for state in ("failed", "queued")]
    other = make.make_outbound(session, bea, second).id
    assert ids(session, replace(LIVE, number_id=second.id)) == [other]
    assert ids(session, replace(LIVE, people=[ada.id])) == [plain]
    assert ids(session, replace(LIVE, people=[])) == []
    assert ids(session, replace(LIVE, broadcast_id=broadcast.id)) == sent[::-1]
    assert ids(session, replace(LIVE, broadcast_id=broadcast.id, state="failed")) == sent[:1]
    assert ids(session, replace(LIVE, broadcast_id=broadcast.id + 1)) == []
    assert ids(session, replace(TEST, broadcast_id=broadcast.id)) == []


def test_a_line_names_the_author(session: Session, number: Number) -> None:
    kim = make.make_operator(session)
    make.make_outbound(session, make.make_person(session), number, author_kind="coach", operator_id=kim.id)
    [(message, person, number_name, author)] = log.load(session, LIVE).rows
    assert isinstance(message, Message)
    assert (person.first_name, number_name, author) == ("Ada", "Helpline", kim.name)
