"""One chunk of a list in one transaction: people, members, comments, counts and cursor, all or nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.goals import noticing
from bot.models.imports import ImportRun
from bot.models.segment import Segment
from bot.models.words import ImportState, RowVerdict
from bot.people import suppressions
from broadcasts.imports import arrivals, erased, failing, journal, staging, steps, upsert
from broadcasts.imports.reading.problems import ProblemKind
from broadcasts.imports.reading.rows import Rejected, Wanted
from broadcasts.imports.roster import ConflictError, Outcome
from broadcasts.imports.staging import ALIVE, KNOWN, Job
from broadcasts.imports.turns import Turn


class Chunk:
    """Rows from `first` to `last`: the work of a step, which is tried again where somebody was in its way."""

    def __init__(self, job: Job, next_row: int, last: int, turn: Turn) -> None:
        self.turn = turn
        self._job, self._next_row, self._last = job, next_row, last
        self._is_first_try = True

    def __call__(self, session: Session) -> None:
        """Raises LostImportError unless the import stands where the chunk begins."""
        if not self._is_first_try:
            self.turn.stumble()
            self._take_in_order(session)
            return
        self._is_first_try = False
        try:
            self._take_at_once(session)
        except BaseException:
            self.turn.stumble()
            raise

    def _take_at_once(self, session: Session) -> None:
        """Whom nobody knew at the check is not known now: created while the chunk before is still in hand."""
        failed = _keep_out_erased(session, self._job, self._next_row, self._last)
        created = arrivals.create(session, self._job, self._next_row, self._last)
        noticing.attributes_changed(session, self._job.environment, created)
        others = _portions(session, self._job, self._next_row, self._last, KNOWN)
        read_ahead = [*islice(others, 1)]
        self.turn.wait(is_patient=False)
        lock(session, self._job)
        arrivals.join(session, self._job, created)
        counts = self._take(session, chain(read_ahead, others))
        self._end(session, counts + Counter(created=len(created), failed=failed))

    def _take_in_order(self, session: Session) -> None:
        """Somebody is known after all: each row is looked at beside the people of now."""
        self.turn.wait(is_patient=True)
        lock(session, self._job)
        self._end(session, self._take(session, _portions(session, self._job, self._next_row, self._last, ALIVE)))

    def _take(self, session: Session, portions: Iterable[list[Wanted]]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for rows in portions:
            taken, kept_out = _take_rows(session, self._job, rows)
            failing.fail(session, self._job.run_id, kept_out)
            counts.update(taken, failed=len(kept_out))
        return counts

    def _end(self, session: Session, counts: Counter[str]) -> None:
        run_id, then = self._job.run_id, self._last + 1
        moved = {column: getattr(ImportRun, column) + count for column, count in counts.items()}
        staging.hold(session, run_id, ImportState.RUNNING, "next_row", self._next_row, next_row=then, **moved)
        staging.clear(session, run_id, self._next_row, self._last)


def take(session: Session, job: Job, rows: Sequence[Wanted]) -> tuple[dict[str, int], list[Rejected]]:
    """Make people and members of the rows; how many of each outcome, and those that could not be taken."""
    lock(session, job)
    return _take_rows(session, job, rows)


def lock(session: Session, job: Job) -> None:
    """Wait for other imports and for a launch that freezes the segment."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"import:{job.environment}"))))
    session.execute(select(Segment.id).where(Segment.id == job.segment_id).with_for_update(read=True, key_share=True))


def move(session: Session, run_id: int, by: dict[str, int]) -> None:
    """Add to the counts of a run."""
    moved = {column: getattr(ImportRun, column) + count for column, count in by.items()}
    session.execute(update(ImportRun).where(ImportRun.id == run_id).values(moved))


def _take_rows(session: Session, job: Job, rows: Sequence[Wanted]) -> tuple[dict[str, int], list[Rejected]]:
    judged = erased.keep_out(session, job.environment, rows)
    wanted = [row for row in judged if isinstance(row, Wanted)]
    kept_out = [row for row in judged if isinstance(row, Rejected)]
    counts = dict.fromkeys((outcome.value for outcome in Outcome), 0)
    roster = upsert.load(session, job.environment, wanted)
    for row in wanted:
        try:
            counts[roster.take(row)] += 1
        except ConflictError as error:
            kept_out.append(Rejected(row.row, row.cells, str(error), kind=ProblemKind.CONFLICT))
    created = upsert.save(session, job, roster)
    noticing.attributes_changed(session, job.environment, {person.id for person in roster.people if person.id})
    journal.note(session, job, roster.members, created)
    return counts, kept_out


def _keep_out_erased(session: Session, job: Job, first: int, last: int) -> int:
    """Fail the new rows about somebody who was erased, since the check or before it; how many."""
    if not suppressions.are_there(session, job.environment):
        return 0
    kept_out = 0
    for rows in _portions(session, job, first, last, [RowVerdict.NEW]):
        judged = erased.keep_out(session, job.environment, rows)
        rejected = [row for row in judged if isinstance(row, Rejected)]
        failing.fail(session, job.run_id, rejected)
        kept_out += len(rejected)
    return kept_out


def _portions(
    session: Session, job: Job, first: int, last: int, verdicts: Sequence[RowVerdict]
) -> Iterator[list[Wanted]]:
    """The rows as many at a time as fit into memory."""
    while rows := staging.take(session, job, first, last, steps.CHUNK_CHARACTERS, verdicts):
        yield rows
        first = rows[-1].row + 1
