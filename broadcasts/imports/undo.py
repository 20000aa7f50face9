"""Taking back what an import did: whom it created goes unless something has happened since, the others are as before.

What a later import said of somebody stays; its own journal then remembers what was there before both.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.language import later
from bot.models.imports import ImportChange, ImportRun
from bot.models.person import Person
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts.imports import chunk, restoring, staging, steps
from broadcasts.imports.staging import Job

KEPT: Mapping[str, str] = {
    "messages": later("wrote, or were written to"),
    "imports": later("are in another import too"),
    "segments": later("are in another segment"),
    "wishes": later("said what they want to receive"),
    "changes": later("were changed since"),
}
"""Why somebody whom the import created stays, in the order in which one reason is given."""

_TOUCHED = text("""
    SELECT p.id, CASE
           WHEN EXISTS (SELECT FROM message x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM conversation x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM reaction x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM message_change x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM journey_run x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM reminder x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM audience_person x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM broadcast_response x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM link_click x WHERE x.person_id = p.id) THEN 'messages'
           WHEN EXISTS (SELECT FROM import_change x WHERE x.person_id = p.id AND x.import_id <> :run_id) THEN 'imports'
           WHEN EXISTS (SELECT FROM segment_member x WHERE x.person_id = p.id AND x.segment_id <> :segment_id)
           THEN 'segments'
           WHEN EXISTS (SELECT FROM consent_event x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM preference x WHERE x.person_id = p.id) THEN 'wishes'
           WHEN p.updated_at > p.created_at
             OR EXISTS (SELECT FROM person_merge x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM person_event x WHERE x.person_id = p.id)
             OR EXISTS (SELECT FROM address x WHERE x.person_id = p.id AND x.created_at > p.created_at) THEN 'changes'
           END AS reason
      FROM person p WHERE p.id = ANY(:ids)
     ORDER BY p.id FOR UPDATE OF p
""")

# Whoever goes takes their addresses along. While nothing is known of a table that has only just grown, each of them is
# looked for among all of the environment, which takes ten times as long with 20,000 and is worse with more.
_ANALYZE = text("ANALYZE address (person_id, environment)")

_REMOVE = text("DELETE FROM person WHERE id = ANY(:ids)")
_KEEP = text("UPDATE person SET import_id = NULL WHERE id = ANY(:ids)")

# Where a later import into the same segment lists them too, the membership is that one's from now on.
_HAND_OVER = text("""
    UPDATE import_change c SET has_joined = true
      FROM (SELECT DISTINCT ON (n.person_id) n.person_id, n.import_id
              FROM import_change n JOIN import_run r ON r.id = n.import_id
             WHERE n.person_id = ANY(:ids) AND n.import_id <> :run_id AND r.segment_id = :segment_id
             ORDER BY n.person_id, n.import_id) n
     WHERE c.import_id = n.import_id AND c.person_id = n.person_id
    RETURNING c.person_id
""")

_LEAVE = text("DELETE FROM segment_member WHERE segment_id = :segment_id AND person_id = ANY(:ids)")


def go_on(rt: Runtime, run: ImportRun, is_over: Callable[[], bool]) -> None:
    """Take back the next chunk until nothing is left, or `is_over`: those it made first.

    So their numbers are free for those who had them before.
    """
    job = Job.of(run, {})
    with suppress(OperationalError), rt.transaction() as session:
        session.execute(_ANALYZE)
    while taking := _next(rt, run.id):
        count, take_back = taking
        steps.step(rt, run.id, partial(_take_back, job=job, next_row=run.next_row, count=count, take_back=take_back))
        run.next_row += count
        if is_over():
            steps.let_go(rt, run.id)
            return
    with rt.transaction() as session:
        steps.end(session, run.id, {ImportState.UNDOING}, state=ImportState.UNDONE, undone_at=func.now())


def _next(rt: Runtime, run_id: int) -> tuple[int, Callable[[Session, Job], None]] | None:
    """How many people the next chunk is about, and what is done with them."""
    with rt.transaction() as session:
        made = session.scalars(select(Person.id).where(Person.import_id == run_id).limit(steps.CHUNK_ROWS)).all()
        if made:
            return len(made), partial(_unmake, ids=list(made))
        ordered = select(ImportChange).where(ImportChange.import_id == run_id).order_by(ImportChange.person_id)
        changes = session.scalars(ordered.limit(steps.CHUNK_ROWS)).all()
    return (len(changes), partial(_restore, changes=changes)) if changes else None


def _take_back(
    session: Session, job: Job, next_row: int, count: int, take_back: Callable[[Session, Job], None]
) -> None:
    staging.hold(session, job.run_id, ImportState.UNDOING, "next_row", next_row, next_row=next_row + count)
    chunk.lock(session, job)
    take_back(session, job)


def _unmake(session: Session, job: Job, ids: list[int]) -> None:
    """Remove those to whom nothing has happened since; of the others, say how many stay for which reason."""
    asked = {"ids": ids, "run_id": job.run_id, "segment_id": job.segment_id}
    reasons: dict[int, str | None] = dict(session.execute(_TOUCHED, asked).all())
    gone = [id_ for id_, reason in reasons.items() if reason is None]
    session.execute(_REMOVE, {"ids": gone})
    stay = [id_ for id_, reason in reasons.items() if reason]
    session.execute(_KEEP, {"ids": stay})
    _leave(session, job, stay)
    _count(session, job.run_id, len(gone), 0, Counter(reason for reason in reasons.values() if reason))


def _restore(session: Session, job: Job, changes: Sequence[ImportChange]) -> None:
    restored = restoring.restore(session, job, changes)
    _leave(session, job, [change.person_id for change in changes if change.has_joined])
    ids = [change.person_id for change in changes]
    session.execute(delete(ImportChange).where(ImportChange.import_id == job.run_id, ImportChange.person_id.in_(ids)))
    _count(session, job.run_id, 0, restored, Counter())


def _leave(session: Session, job: Job, joined: list[int]) -> None:
    given = {"run_id": job.run_id, "segment_id": job.segment_id}
    handed_over = set(session.scalars(_HAND_OVER, {**given, "ids": joined}))
    session.execute(_LEAVE, {"segment_id": job.segment_id, "ids": [id_ for id_ in joined if id_ not in handed_over]})


def _count(session: Session, run_id: int, removed: int, restored: int, kept: Counter[str]) -> None:
    told: dict[str, Any] = session.scalar(select(ImportRun.undone).where(ImportRun.id == run_id)) or {}
    undone = {
        "removed": told.get("removed", 0) + removed,
        "restored": told.get("restored", 0) + restored,
        "kept": dict(kept + Counter(told.get("kept", {}))),
    }
    session.execute(update(ImportRun).where(ImportRun.id == run_id).values(undone=undone))


def tables_asked() -> frozenset[str]:
    """Tables whose rows keep somebody from being removed, for a test that knows all that refer to a person."""
    return frozenset(table.name for table in Person.metadata.tables.values() if f" {table.name} x " in str(_TOUCHED))
