"""A random history: messages both ways, statuses in any order, conversations, wishes, merges, erasures, folds."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from bot.erasure import statements
from bot.insights import folding
from bot.messages import replies, statuses
from bot.models.message import Message, MessageReply
from bot.models.words import AddressKind
from bot.people import merge
from bot.providers.events import StatusUpdate
from tests import factories as make
from tests.insights.talking import Talking

Draw = Callable[[st.SearchStrategy[Any]], Any]

BEGIN = datetime(2026, 3, 27, tzinfo=UTC)
"""Clocks in Europe are put on two nights later; six days hold midnights of every zone."""
LENGTH = timedelta(days=6)
PHONES = ("+4915112345678", "+201001234567", "+14165550123", None, "+5511987654321")

moments = st.integers(0, int(LENGTH.total_seconds())).map(lambda seconds: BEGIN + timedelta(seconds=seconds))
DEEDS = (
    *("hear",) * 5,
    *("say",) * 4,
    *("report",) * 5,
    *("write",) * 3,
    *("end",) * 2,
    *("answer",) * 2,
    "again",
    "undo",
    "wish",
    *("lease", "fail", "edit", "drop", "unite", "erase", "fold"),
)
deeds = st.lists(st.sampled_from(DEEDS), min_size=25, max_size=50)


class History(Talking):
    def __init__(self, session: Session) -> None:
        self.session = session
        self._serial = itertools.count(1)
        line = make.make_connection(session)
        self.numbers = [make.make_number(session, line) for _ in range(2)]
        self.numbers.append(make.make_number(session, line, environment="test"))
        self.people = [make.make_person(session, phone=phone) for phone in PHONES]
        self.people.append(make.make_person(session, environment="test"))
        hidden = self.people[PHONES.index(None)]
        make.make_address(session, hidden, AddressKind.USER_ID, "BR.13491208655302741918")
        self.journey = make.make_journey(session)
        self.operator = make.make_operator(session)
        session.expunge_all()
        self.gone: set[int] = set()
        self.erased: set[int] = set()

    def do(self, deed: str, draw: Draw) -> None:
        getattr(self, deed)(draw)
        self.session.flush()

    def messages(self) -> list[Message]:
        return list(
            self.session.scalars(select(Message).order_by(Message.id), execution_options={"populate_existing": True})
        )

    def replied(self) -> set[int]:
        return set(self.session.scalars(select(MessageReply.message_id)))

    def hear(self, draw: Draw) -> None:
        """One statement, as the intake stores a batch."""
        rows = []
        for _ in range(draw(st.integers(1, 4))):
            person, number = self._pair(draw)
            kind = draw(st.sampled_from(["text", "text", "text", "image", "reaction"]))
            rows.append(
                self._row(person, number)
                | {"direction": "in", "state": "received", "kind": kind, "occurred_at": draw(moments)}
            )
        self.session.execute(insert(Message), rows)
        for number in self.numbers:
            here = [row for row in rows if row["number_id"] == number.id and row["kind"] != "reaction"]
            replies.note(self.session, number.id, [(row["person_id"], None, row["occurred_at"]) for row in here])

    def say(self, draw: Draw) -> None:
        person, number = self._pair(draw)
        wrote: dict[str, Any] = draw(
            st.sampled_from(
                [
                    {"author_kind": "automation"},
                    {"author_kind": "app"},
                    {"author_kind": "coach", "operator_id": self.operator.id},
                    {"author_kind": "stack", "journey_id": self.journey.id},
                ]
            )
        )
        if number.environment == "test" and "journey_id" in wrote:
            wrote = {"author_kind": "app"}
        state = draw(st.sampled_from(["queued", "wire", "accepted", "failed", "suppressed", "unknown"]))
        at = draw(moments)
        self.session.execute(
            insert(Message),
            [
                self._row(person, number)
                | wrote
                | {
                    "direction": "out",
                    "state": state,
                    "kind": "text",
                    "occurred_at": at,
                    "accepted_at": at + timedelta(hours=draw(st.integers(0, 30))) if state == "accepted" else None,
                    "failed_at": at + timedelta(hours=1) if state == "failed" else None,
                }
            ],
        )

    def report(self, draw: Draw) -> None:
        """Statuses of the provider's, as the intake applies them: any of them, in any order, some of them twice."""
        sent = self._some("out")
        if not sent:
            return
        told = []
        for _ in range(draw(st.integers(1, 4))):
            message = draw(st.sampled_from(sent))
            number = next(number for number in self.numbers if number.id == message.number_id)
            word = draw(st.sampled_from(["sent", "delivered", "read", "failed"]))
            told.append(
                (number, StatusUpdate("", number.provider_number_id, message.provider_message_id, word, draw(moments)))
            )
        statuses.apply(self.session, told + told[:1])

    def lease(self, _draw: Draw) -> None:
        self.session.execute(text("UPDATE message SET owner = 'o', lease_until = now() WHERE state = 'wire'"))

    def fail(self, draw: Draw) -> None:
        self._set(draw, "out", "state = 'failed', failed_at = :at", at=draw(moments))

    def edit(self, draw: Draw) -> None:
        self._set(draw, "in", "kind = :kind", kind=draw(st.sampled_from(["text", "reaction"])))

    def drop(self, draw: Draw) -> None:
        """An echo that turned out to be another message; also one of theirs, as when a person is taken away."""
        found = self.messages()
        if found:
            self.session.execute(delete(Message).where(Message.id == draw(st.sampled_from(found)).id))

    def unite(self, draw: Draw) -> None:
        left = [p.id for p in self.people if p.id not in self.gone | self.erased and p.environment == "live"]
        if len(left) > 1:
            both = draw(st.lists(st.sampled_from(left), min_size=2, max_size=2, unique=True))
            stays = merge.merge(self.session, both, "They are one.")
            self.gone |= set(both) - {stays}

    def erase(self, draw: Draw) -> None:
        left = [p for p in self.people if p.id not in self.gone | self.erased]
        person = draw(st.sampled_from(left)) if len(left) > 2 else None
        if person is not None:
            given = {
                "id": person.id,
                "spoken": [],
                "spellings": [],
                "gone": "gone",
                "operator_id": None,
                "named": [],
                "gone_alert": "gone",
            }
            for _, statement in statements.ALL:
                self.session.execute(statement, {k: given[k] for k in statement.compile().params})
            self.erased.add(person.id)

    def fold(self, draw: Draw) -> None:
        folding.fold(self.session, draw(st.integers(1, 10)))

    def _pair(self, draw: Draw) -> tuple[Any, Any]:
        person = draw(st.sampled_from([p for p in self.people if p.id not in self.gone]))
        number = draw(st.sampled_from([n for n in self.numbers if n.environment == person.environment]))
        return person, number

    def _row(self, person: Any, number: Any) -> dict[str, Any]:
        return {
            "environment": number.environment,
            "number_id": number.id,
            "person_id": person.id,
            "body": "hello",
            "provider_message_id": f"wamid.{next(self._serial)}",
        }

    def _some(self, direction: str) -> list[Message]:
        return [m for m in self.messages() if m.direction == direction]

    def _set(self, draw: Draw, direction: str, what: str, **values: Any) -> None:
        found = self._some(direction)
        if found:
            self.session.execute(
                text(f"UPDATE message SET {what} WHERE id = :id"), {"id": draw(st.sampled_from(found)).id, **values}
            )
