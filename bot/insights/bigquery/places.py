"""How far each table is, written down at each step, so that whoever comes next goes on there."""

import uuid
from datetime import datetime
from typing import Any, Final

from sqlalchemy import null, select, text, update
from sqlalchemy.orm import Session

from bot.insights.bigquery.chunks import Chunk
from bot.insights.bigquery.schemas import Span
from bot.insights.bigquery.targets import Target
from bot.insights.export.reading import Mark
from bot.models.bigquery import BigqueryRun, BigqueryTable

LOAD: Final = "load"
MERGE: Final = "merge"
DELETE: Final = "delete"


class OvertakenError(Exception):
    """Somebody else has gone on with it."""


_OPEN = text("""
    INSERT INTO bigquery_table AS t (destination, name, run_id, form)
    VALUES (:destination, :name, :run_id, :form)
    ON CONFLICT (destination, name) DO UPDATE
       SET run_id = :run_id, form = :form, is_done = false, after = NULL, in_hand = NULL, began_at = NULL,
           cluster = CASE WHEN t.form = :form THEN t.cluster END,
           oldest = CASE WHEN t.form = :form THEN t.oldest END,
           digest = CASE WHEN t.form = :form THEN t.digest END
     WHERE t.run_id <> :run_id OR (t.form <> :form AND NOT t.is_done)
""")


def open_(session: Session, target: Target, run_id: int, name: str) -> BigqueryTable:
    """The table's place in this run; one of an earlier run, or of another form, begins anew."""
    destination = target.destination
    given = {"destination": destination, "name": name, "run_id": run_id, "form": target.form}
    session.execute(_OPEN, given)
    mine = select(BigqueryTable).where(BigqueryTable.destination == destination, BigqueryTable.name == name)
    return session.scalars(mine.execution_options(populate_existing=True)).one()


def mark_of(place: BigqueryTable) -> Mark | None:
    return None if place.cluster is None or place.oldest is None else Mark(place.cluster, place.oldest)


def take(session: Session, place: BigqueryTable, chunk: Chunk, began_at: datetime | None) -> str:
    """Write down what is to be loaded, before it is; the token it goes by."""
    span = chunk.span and [chunk.span.low.isoformat(), chunk.span.high.isoformat()]
    token = _token()
    hand = {"token": token, "rows": chunk.rows, "last": chunk.last, "span": span, "digest": chunk.digest}
    # A reading of everything that began just now has nothing behind it.
    after = place.after if began_at == place.began_at else None
    _set(session, place, began_at=began_at, after=after, digest=None, in_hand={"step": LOAD, **hand})
    return token


def take_rest(session: Session, place: BigqueryTable, began_at: datetime) -> None:
    """Everything is read: what is older there is to go."""
    _set(session, place, **_rest(began_at, None))


def let_go(session: Session, place: BigqueryTable) -> None:
    """What was on its way is read anew."""
    _set(session, place, in_hand=None)


def settle(session: Session, place: BigqueryTable) -> None:
    """What was on its way is merged; after the last piece of everything what is older is to go."""
    hand = place.in_hand or {}
    is_through = hand["last"] is None and place.began_at is not None
    digest = hand["digest"] if place.after is None else None  # of a table that is one piece
    then = _rest(place.began_at, digest) if is_through else {"after": hand["last"], "in_hand": None}
    _set(session, place, rows=place.rows + hand["rows"], **then)
    session.execute(
        update(BigqueryRun).where(BigqueryRun.id == place.run_id).values(rows=BigqueryRun.rows + hand["rows"])
    )


def begin_anew(session: Session, place: BigqueryTable) -> None:
    """Read everything, whatever was sent before."""
    _set(session, place, after=None, in_hand=None, began_at=None, cluster=None, oldest=None, digest=None)


def finish(session: Session, place: BigqueryTable) -> None:
    run = session.get_one(BigqueryRun, place.run_id)
    digest = place.in_hand["digest"] if place.in_hand else place.digest
    values = {"after": None, "in_hand": None, "cluster": run.cluster, "oldest": run.oldest, "digest": digest}
    _set(session, place, is_done=True, **values)


def span_of(place: BigqueryTable) -> Span | None:
    ends = (place.in_hand or {}).get("span")
    return ends and Span(*(datetime.fromisoformat(end) for end in ends))


def _rest(began_at: datetime | None, digest: str | None) -> dict[str, Any]:
    older = began_at and began_at.isoformat()
    hand = {"step": DELETE, "token": _token(), "older": older, "digest": digest}
    return {"began_at": began_at, "after": None, "in_hand": hand}


def _set(session: Session, place: BigqueryTable, **values: Any) -> None:  # noqa: ANN401 (columns of several types)
    """Only if nobody has been there since the place was read."""
    same = (
        BigqueryTable.run_id == place.run_id,
        BigqueryTable.form == place.form,
        BigqueryTable.after.is_not_distinct_from(place.after),
        BigqueryTable.in_hand.is_not_distinct_from(place.in_hand),
        ~BigqueryTable.is_done,
    )
    done = (
        update(BigqueryTable)
        .where(BigqueryTable.destination == place.destination, BigqueryTable.name == place.name, *same)
        .values({name: null() if value is None else value for name, value in values.items()})
        .returning(BigqueryTable.name)
        .execution_options(synchronize_session=False)
    )
    if session.scalar(done) is None:
        raise OvertakenError


def _token() -> str:
    """Part of the names of jobs and of the table they load: never the same twice."""
    return uuid.uuid4().hex[:16]
