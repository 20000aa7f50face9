"""The inbox's list as it is pushed: its words are shared by whoever sees the same, and by nobody who sees less."""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from queue import Queue

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import create_app
from bot.conversations import assigning, threads
from bot.conversations.threads import Received
from bot.dashboard import pushing
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.words import Role
from bot.runtime import Runtime
from bot.team import operators, permission_sets
from tests.dashboard.visitor import Visitor
from tests.factories import make_conversation, make_inbound, make_number, make_operator, make_person

PHONE = "+4930901842"


@pytest.fixture
def pages(live_rt: Runtime) -> Iterator[Flask]:
    app = create_app(live_rt)
    yield app
    pushing.hub_of(app).end()


@pytest.fixture
def team(live_rt: Runtime, pages: Flask) -> dict[str, tuple[int, Visitor]]:
    """Two coaches, and one who may not see contact."""
    made = {}
    with live_rt.transaction() as tx:
        permission_sets.add(tx, "Night", ["inbox.read"])
        for name in ("Kim", "Lou", "Nox"):
            operator = make_operator(tx, Role.COACH)
            if name == "Nox":
                operators.set_role(tx, operator.id, "Night")
            made[name] = operator
    return {name: (one.id, Visitor(pages.test_client()).sign_in(one)) for name, one in made.items()}


@pytest.fixture
def number(live_rt: Runtime) -> Number:
    with live_rt.transaction() as tx:
        return make_number(tx)


def wrote(session: Session, number: Number, name: str, body: str, ago: timedelta = timedelta(minutes=1)) -> int:
    """Somebody wrote a minute ago; the conversation's id."""
    person, at = make_person(session, first_name=name), datetime.now(UTC) - ago
    make_inbound(session, person, number, body, occurred_at=at)
    return make_conversation(session, person, number, last_inbound_at=at).id


class Listening:
    """What a browser is told, a word at a time, read by a thread of its own; it ends with the app."""

    def __init__(self, visitor: Visitor, query: str = "", language: str = "en") -> None:
        self._said: Queue[str] = Queue()

        def read() -> None:
            headers = {"Accept-Language": language}
            with visitor.client.get(f"/inbox/listen{query}", buffered=False, headers=headers) as answer:
                for piece in answer.iter_encoded():
                    if b"data: " in piece:
                        self._said.put(piece.decode())

        threading.Thread(target=read, daemon=True).start()

    def next(self) -> str:
        return self._said.get(timeout=60)

    def until(self, mark: str) -> str:
        while mark not in (said := self.next()):
            pass
        return said


def test_who_looks_at_the_same_list_is_told_it_in_their_own_words(
    live_rt: Runtime, team: dict[str, tuple[int, Visitor]], number: Number
) -> None:
    with live_rt.transaction() as tx:
        conversation_id = wrote(tx, number, "Ada", f"call {PHONE}")
        other_id = wrote(tx, number, "Bob", "hello")
        assigning.assign(tx, conversation_id, team["Kim"][0], team["Kim"][0], None)
        wrote(tx, number, "Cid", "good night", timedelta(days=2))
    kim, lou, nox = (Listening(visitor) for _, visitor in team.values())
    german = Listening(team["Lou"][1], language="de")
    narrowed = Listening(team["Lou"][1], f"?number={number.id}&current={other_id}")
    told = {name: each.next() for name, each in [("Kim", kim), ("Lou", lou), ("Nox", nox), ("de", german)]}
    within = narrowed.next()
    assert [name for name, said in told.items() if PHONE in said] == ["Kim", "Lou", "de"]
    assert [name for name, said in told.items() if re.search(r"</svg>\s*you\s*</span>", said)] == ["Kim"]
    for english, german_word in ((">Open", ">Offen"), ("window closed", "Fenster geschlossen")):
        assert [name for name, said in told.items() if german_word in said] == ["de"]
        assert [name for name, said in told.items() if english in said] == ["Kim", "Lou", "Nox"]
    assert f"/inbox/{conversation_id}?number={number.id}" in within
    assert re.findall(r'href="/inbox/(\d+)[^"]*" aria-current="page"', within) == [str(other_id)]
    assert not any("number=" in said or 'aria-current="page"' in said for said in told.values())


def test_only_rows_that_changed_are_told_again_and_whoever_comes_anew_is_told_all(
    live_rt: Runtime, team: dict[str, tuple[int, Visitor]], number: Number
) -> None:
    with live_rt.transaction() as tx:
        wrote(tx, number, "Ada", "hello there")
        moved = wrote(tx, number, "Bob", "good morning")
        again = wrote(tx, number, "Dan", "first word")
    kim, nox = Listening(team["Kim"][1]), Listening(team["Nox"][1])
    assert all("hello there" in each.next() for each in (kim, nox))
    with live_rt.transaction() as tx:
        person = make_person(tx, first_name="Cid")
        make_inbound(tx, person, number, f"call {PHONE}")
        threads.receive(tx, number, [Received(person.id, datetime.now(UTC))])
        threads.close(tx, moved, team["Kim"][0])
        tx.get_one(Conversation, again).unread_count = 7
    said = kim.until("Cid")
    assert PHONE in said
    assert "hello there" not in said
    assert "7 unread" in said
    assert len(re.findall(r"data-same", said)) == 1
    assert f'id="c{moved}"' not in said
    masked = nox.until("Cid")
    assert "+49 … 42" in masked
    assert PHONE not in masked
    anew = Listening(team["Lou"][1])
    assert "hello there" in anew.next()
