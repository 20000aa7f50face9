"""Exports asked for on the page: one at a time of an environment, made by a worker, kept for some days."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, CursorResult, Row, exists, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from bot.insights.export.shapes import Progress
from bot.language import _, later
from bot.models.export import RawExport
from bot.models.person import Erasure
from bot.models.team import Operator
from bot.models.words import RawExportState as State

KEPT_DAYS: Final = 7
SHOWN: Final = 30
LEASE: Final = timedelta(minutes=2)
ATTEMPTS: Final = 3

NO_SHELF: Final = later("The place where files are kept could not be used: see the worker's log, and ask again.")
NO_DISK: Final = later("The worker's disk could not be written to: make room, and ask again.")
NO_DATABASE: Final = later("The database broke it off: ask again.")
DIED: Final = later("It was broken off again and again: see the worker's log, and whether disk and memory are enough.")

_OPEN = (State.WAITING, State.RUNNING)


class OrderError(ValueError):
    """Nothing was asked for; the text says why."""


def order(session: Session, environment: str, operator_id: int, *, is_pseudonymised: bool, whole: bool) -> RawExport:
    """Unless whole, of what changed since the newest of this kind, if there is one. Raises OrderError."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"backchat.raw_export {environment}"))))
    mine = RawExport.environment == environment
    if session.scalar(select(exists().where(mine, RawExport.state.in_(_OPEN)))):
        raise OrderError(_("One export is being made already: wait until it is there."))
    newest = select(RawExport.id).where(
        mine, RawExport.is_pseudonymised.is_(is_pseudonymised), RawExport.manifest.is_not(None)
    )
    since_id = None if whole else session.scalar(newest.order_by(RawExport.id.desc()).limit(1))
    made = RawExport(
        environment=environment, operator_id=operator_id, is_pseudonymised=is_pseudonymised, since_id=since_id
    )
    session.add(made)
    session.flush()
    return made


def listed(session: Session, environment: str) -> Sequence[Row[RawExport, str]]:
    """The newest first, each with the name of who asked."""
    query = select(RawExport, Operator.name).join(Operator, Operator.id == RawExport.operator_id)
    mine = query.where(RawExport.environment == environment).options(joinedload(RawExport.since))
    return session.execute(mine.order_by(RawExport.id.desc()).limit(SHOWN)).all()


def is_due(session: Session) -> bool:
    return bool(session.scalar(select(exists().where(_is_free() | _is_spent()))))


def claim(session: Session) -> RawExport | None:
    """The oldest that nobody is at. Whoever died with it that often is not believed to come to an end."""
    query = select(RawExport).where(_is_free()).order_by(RawExport.id).limit(1)
    found = session.scalar(query.with_for_update(skip_locked=True))
    if found is None:
        return None
    if found.attempt >= ATTEMPTS:
        found.state, found.finished_at = State.FAILED, func.clock_timestamp()
        found.problem = DIED
        session.flush()
        return claim(session)
    found.state, found.attempt = State.RUNNING, found.attempt + 1
    found.started_at, found.lease_until = func.clock_timestamp(), func.clock_timestamp() + LEASE
    found.at_table, found.tables_done, found.rows_done = None, 0, 0
    session.flush()
    session.refresh(found)
    return found


def note(session: Session, claimed: RawExport, progress: Progress) -> bool:
    """Keep the lease and say how far it is; False: somebody else is at it."""
    return _change(
        session,
        claimed,
        lease_until=func.clock_timestamp() + LEASE,
        at_table=progress.table,
        tables_done=progress.tables_done,
        rows_done=progress.rows,
    )


def finish(session: Session, claimed: RawExport, manifest: dict[str, Any], size: int, storage_key: str) -> bool:
    return _change(
        session,
        claimed,
        state=State.FINISHED,
        finished_at=func.clock_timestamp(),
        lease_until=None,
        manifest=manifest,
        size=size,
        storage_key=storage_key,
        rows_done=sum(manifest["rows"].values()),
    )


def fail(session: Session, claimed: RawExport, problem: str) -> None:
    _change(session, claimed, state=State.FAILED, finished_at=func.clock_timestamp(), problem=problem)


def give_back(session: Session, claimed: RawExport) -> None:
    """This worker was told to end: the next one begins it anew."""
    _change(session, claimed, state=State.WAITING, lease_until=None, attempt=claimed.attempt - 1)


def expire(session: Session) -> Sequence[str]:
    """Keys of the files that are to be deleted now."""
    spent = select(RawExport).where(_is_spent()).order_by(RawExport.id).with_for_update(skip_locked=True)
    keys = []
    for each in session.scalars(spent):
        keys.append(each.storage_key or "")
        each.state, each.storage_key = State.EXPIRED, None
    return keys


def _is_free() -> ColumnElement[bool]:
    ended = (RawExport.state == State.RUNNING) & (RawExport.lease_until < func.clock_timestamp())
    return or_(RawExport.state == State.WAITING, ended)


def _is_spent() -> ColumnElement[bool]:
    """Too old, or from before somebody was erased, whom it may hold."""
    since = exists().where(Erasure.environment == RawExport.environment, Erasure.at >= RawExport.started_at)
    is_old = RawExport.finished_at < func.clock_timestamp() - timedelta(days=KEPT_DAYS)
    return (RawExport.state == State.FINISHED) & (is_old | since)


def _change(session: Session, claimed: RawExport, **values: object) -> bool:
    """Only for whoever claimed it last."""
    done = session.execute(
        update(RawExport)
        .where(RawExport.id == claimed.id, RawExport.state == State.RUNNING, RawExport.attempt == claimed.attempt)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return isinstance(done, CursorResult) and done.rowcount == 1
