"""What becomes of conversations in a random history, and what people wish."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.conversations import threads
from bot.conversations.threads import Received
from bot.models.person import ConsentEvent

BEGIN = datetime(2026, 3, 27, tzinfo=UTC)
"""Clocks in Europe are put on two nights later; six days hold midnights of every zone."""
LENGTH = timedelta(days=6)

Draw = Callable[[st.SearchStrategy[Any]], Any]
moments = st.integers(0, int(LENGTH.total_seconds())).map(lambda seconds: BEGIN + timedelta(seconds=seconds))
spans = st.one_of(st.integers(0, 120), st.integers(0, 500_000)).map(lambda tenths: timedelta(seconds=tenths / 10))

_LATEST = text("""
    SELECT DISTINCT ON (c.id) c.id, e.id AS episode_id, e.opened_at, e.closed_at
      FROM conversation c JOIN episode e ON e.conversation_id = c.id ORDER BY c.id, e.closed_at IS NULL DESC, e.id DESC
""")


class Talking(ABC):
    session: Session
    operator: Any

    @abstractmethod
    def _pair(self, draw: Draw) -> tuple[Any, Any]:
        """A person, and a number of theirs."""

    def write(self, draw: Draw) -> None:
        """Several people to one number, as the intake opens threads."""
        _person, number = self._pair(draw)
        told = [self._pair(draw) for _ in range(draw(st.integers(1, 4)))]
        said = [Received(person.id, draw(moments)) for person, at in told if at.id == number.id]
        threads.receive(self.session, number, said)

    def end(self, draw: Draw) -> None:
        if (one := self._one(draw, is_open=True)) is not None:
            self._set_thread(one, "closed", None)
            by_rule, unanswered = draw(st.booleans()), draw(st.booleans())
            self._set_episode(
                one,
                closed_at=one.opened_at + draw(spans),
                closed_by_rule=by_rule,
                closed_by_operator_id=None if by_rule else self.operator.id,
                closed_without_reply=unanswered,
            )

    def again(self, draw: Draw) -> None:
        if (one := self._one(draw, is_open=False)) is not None:
            threads.reopen(self.session, one.id, self.operator.id)
            fresh = next(row for row in self.session.execute(_LATEST) if row.id == one.id)
            self._set_episode(fresh, opened_at=draw(moments))

    def undo(self, draw: Draw) -> None:
        if (one := self._one(draw, is_open=False)) is not None:
            self._set_thread(one, "open", draw(st.none() | moments))
            self._set_episode(one, closed_at=None, closed_without_reply=None)

    def answer(self, draw: Draw) -> None:
        if (one := self._one(draw, is_open=True)) is not None:
            self._set_thread(one, "open", None)
            by = draw(st.sampled_from([None, self.operator.id]))
            self._set_episode(one, first_reply_at=one.opened_at + draw(spans), first_reply_operator_id=by)

    def wish(self, draw: Draw) -> None:
        person, _number = self._pair(draw)
        at = draw(moments)
        rows = [
            {"environment": person.environment, "person_id": person.id, "category": category, "value": value}
            | {"source": source, "occurred_at": at + timedelta(hours=hours)}
            for category, value, source, hours in draw(st.lists(wishes, min_size=1, max_size=4, unique=True))
        ]
        self.session.execute(insert(ConsentEvent).on_conflict_do_nothing(), rows)  # the same wish twice is one

    def _one(self, draw: Draw, *, is_open: bool) -> Row[Any] | None:
        found = [row for row in self.session.execute(_LATEST) if (row.closed_at is None) == is_open]
        return draw(st.sampled_from(found)) if found else None

    def _set_episode(self, one: Row[Any], **values: Any) -> None:
        told = ", ".join(f"{name} = :{name}" for name in values)
        self.session.execute(text(f"UPDATE episode SET {told} WHERE id = :id"), {"id": one.episode_id, **values})

    def _set_thread(self, one: Row[Any], state: str, waiting_since: datetime | None) -> None:
        given = {"id": one.id, "state": state, "at": waiting_since}
        self.session.execute(text("UPDATE conversation SET state = :state, waiting_since = :at WHERE id = :id"), given)


wishes = st.tuples(
    st.just("marketing") | st.sampled_from(["marketing", "other"]),
    st.sampled_from(["stop", "resume"]),
    st.sampled_from(["word", "webhook", "api"]),
    st.sampled_from([0, 5, 30]),
)
