"""What could not be applied: a list with the reason of each, and how many share one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Row, and_, func, select
from sqlalchemy.orm import Session, aliased

from bot.models.connection import Connection
from bot.models.team import Operator
from bot.models.webhook import Quarantine

PAGE = 50
GROUPS = 20

IS_OPEN = and_(Quarantine.replayed_at.is_(None), Quarantine.dismissed_at.is_(None))
STATES: dict[str, ColumnElement[bool] | None] = {
    "open": IS_OPEN,
    "applied": Quarantine.replayed_at.is_not(None),
    "aside": Quarantine.dismissed_at.is_not(None),
    "all": None,
}
"""What the list can be narrowed to."""


@dataclass(frozen=True, slots=True)
class Wanted:
    state: str = "open"
    connection_id: int | None = None
    reason: str | None = None
    before: int | None = None
    """The `more` of the page before."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row[Quarantine, str, str, str]]
    """Quarantine, connection (slug), replayed_by, dismissed_by (names)."""
    more: int | None


def every(
    transaction: Callable[[], AbstractContextManager[Session]], wanted: Wanted
) -> Iterator[Row[Quarantine, str, str, str]]:
    """All items that fit, from `before` on; a transaction for each page."""
    more = wanted.before
    while True:
        with transaction() as session:
            page = load(session, replace(wanted, before=more))
        yield from page.rows
        if page.more is None:
            return
        more = page.more


def load(session: Session, wanted: Wanted) -> Page:
    replayer, dismisser = aliased(Operator), aliased(Operator)
    query = (
        select(
            Quarantine,
            Connection.slug.label("connection"),
            replayer.name.label("replayed_by"),
            dismisser.name.label("dismissed_by"),
        )
        .join(Connection, Connection.id == Quarantine.connection_id)
        .join(replayer, replayer.id == Quarantine.replayed_by_operator_id, isouter=True)
        .join(dismisser, dismisser.id == Quarantine.dismissed_by_operator_id, isouter=True)
        .where(*_conditions(wanted))
        .order_by(Quarantine.id.desc())
        .limit(PAGE + 1)
    )
    found = session.execute(query).all()
    return Page(found[:PAGE], found[PAGE - 1].Quarantine.id if len(found) > PAGE else None)


def count_open(session: Session) -> int:
    return session.scalar(select(func.count()).where(IS_OPEN)) or 0


def groups(session: Session, connection_id: int | None = None) -> Sequence[Row[int, str, str, int, int]]:
    """Open items by connection and reason: connection_id, connection, reason, items, newest (its id)."""
    query = (
        select(
            Quarantine.connection_id,
            Connection.slug.label("connection"),
            Quarantine.reason,
            func.count().label("items"),
            func.max(Quarantine.id).label("newest"),
        )
        .join(Connection, Connection.id == Quarantine.connection_id)
        .where(IS_OPEN)
        .group_by(Quarantine.connection_id, Connection.slug, Quarantine.reason)
        .order_by(func.count().desc(), Quarantine.reason)
        .limit(GROUPS)
    )
    return session.execute(
        query if connection_id is None else query.where(Quarantine.connection_id == connection_id)
    ).all()


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    state = STATES.get(wanted.state, IS_OPEN)
    asked = [
        None if wanted.connection_id is None else Quarantine.connection_id == wanted.connection_id,
        None if wanted.reason is None else Quarantine.reason == wanted.reason,
        None if wanted.before is None else Quarantine.id < wanted.before,
    ]
    return [condition for condition in (state, *asked) if condition is not None]
