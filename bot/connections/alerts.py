"""What operators have to know of accounts, numbers and Backchat itself, until one of them has dealt with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.connections import numbers
from bot.models.connection import Connection, Number
from bot.models.team import Operator
from bot.models.webhook import Alert
from bot.models.words import Severity
from bot.providers.events import AccountAlert

SHOWN = 200
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Listed:
    alert: Alert
    connection: str | None
    """None: it is of Backchat itself."""
    number: str | None
    resolved_by: str | None


def tell(session: Session, connection_id: int, told: AccountAlert, webhook_event_id: int | None = None) -> None:
    """Keep it for the operators, once for each item of a webhook event; news (info) are shown but wait for nobody.

    What another body has told already, of the same moment and in the same words, is a repeat in another wrapping.
    """
    if told.occurred_at is not None and _is_repeat(session, connection_id, told, webhook_event_id):
        return
    number = numbers.by_provider_id(session, connection_id, told.number_id) if told.number_id else None
    at = told.occurred_at or datetime.now(UTC)
    session.execute(
        insert(Alert)
        .values(
            connection_id=connection_id,
            number_id=number and number.id,
            webhook_event_id=webhook_event_id,
            pointer=told.pointer,
            kind=told.kind,
            severity=told.severity,
            text=told.text,
            detail=told.detail,
            occurred_at=at,
            resolved_at=at if told.severity == Severity.INFO.value else None,
        )
        .on_conflict_do_nothing(index_elements=["webhook_event_id", "pointer"])
    )


def _is_repeat(session: Session, connection_id: int, told: AccountAlert, webhook_event_id: int | None) -> bool:
    same = (Alert.kind == told.kind, Alert.occurred_at == told.occurred_at, Alert.text == told.text)
    elsewhere = Alert.webhook_event_id.is_distinct_from(webhook_event_id)
    found = select(Alert.id).where(Alert.connection_id == connection_id, *same, elsewhere)
    return session.scalar(select(found.exists())) is True


def tell_own(session: Session, kind: str, severity: Severity, sentence: str, detail: Mapping[str, str]) -> None:
    """Of Backchat itself, once until somebody has dealt with it or it is settled; the latest words stand.

    `detail` is what pages say it anew from, in their reader's language.
    """
    values: dict[str, Any] = {"severity": severity.value, "text": sentence, "detail": dict(detail)}
    if session.scalar(update(Alert).where(_is_own(kind)).values(values).returning(Alert.id)) is None:
        values["kind"] = kind
        session.execute(insert(Alert).values(connection_id=None, occurred_at=datetime.now(UTC), **values))


def settle_own(session: Session, kind: str) -> None:
    """It is over by itself."""
    session.execute(update(Alert).where(_is_own(kind)).values(resolved_at=func.now()))


def _is_own(kind: str) -> ColumnElement[bool]:
    return Alert.connection_id.is_(None) & (Alert.kind == kind) & Alert.resolved_at.is_(None)


def open_(session: Session) -> Sequence[Listed]:
    """What nobody has dealt with yet, the gravest first, then the newest."""
    gravest = case({Severity.CRITICAL.value: 0, Severity.WARNING.value: 1}, value=Alert.severity, else_=2)
    return _listed(session, Alert.resolved_at.is_(None), gravest, Alert.id.desc())


def lately(session: Session) -> Sequence[Listed]:
    """What was dealt with, and news that ask for nothing, of the last 30 days; the newest first."""
    return _listed(session, Alert.resolved_at > datetime.now(UTC) - _KEPT, Alert.id.desc())


def count(session: Session) -> int:
    """How many nobody has dealt with."""
    return session.scalars(select(func.count()).where(Alert.resolved_at.is_(None))).one()


def resolve(session: Session, alert_id: int, operator_id: int) -> bool:
    """Mark as dealt with; False if it was already, or is none."""
    done = (
        update(Alert)
        .where(Alert.id == alert_id, Alert.resolved_at.is_(None))
        .values(resolved_at=func.now(), resolved_by_operator_id=operator_id)
        .returning(Alert.id)
    )
    return session.scalar(done) is not None


def _listed(session: Session, which: ColumnElement[bool], *order: ColumnElement[Any]) -> Sequence[Listed]:
    query = (
        select(Alert, Connection.slug, Number.name, Operator.name)
        .outerjoin(Connection, Connection.id == Alert.connection_id)
        .outerjoin(Number, Number.id == Alert.number_id)
        .outerjoin(Operator, Operator.id == Alert.resolved_by_operator_id)
        .where(which)
        .order_by(*order)
        .limit(SHOWN)
    )
    return [Listed(*row) for row in session.execute(query)]
