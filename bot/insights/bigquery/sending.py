"""A table on its way: read, load into a table beside, merge, and what is gone here goes there.

Each step is asked for by a job with an id that is written down before. So whoever finds a table half way (after a
crash, or beside a slow one) asks for the same job again, and BigQuery does it once.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Final, TypeVar

from bot import failpoints
from bot.insights.bigquery import chunks, places, runs, schemas
from bot.insights.bigquery.calls import Calls
from bot.insights.bigquery.chunks import Chunk
from bot.insights.bigquery.places import DELETE, LOAD, MERGE
from bot.insights.bigquery.problems import ProblemError
from bot.insights.export import reading
from bot.insights.export.reading import Mark, Snapshot
from bot.insights.export.shapes import Table
from bot.models.bigquery import BigqueryTable
from bot.runtime import Runtime

T = TypeVar("T")

_LOOK_S: Final = 0.25
_LOOK_MOST_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Sender:
    rt: Runtime
    calls: Calls
    run_id: int
    is_over: Callable[[], bool]
    """Whether the worker has something better to do; asked between two steps, and while a job is waited for."""

    def send(self, table: Table) -> bool:
        """Whether all of it has arrived; otherwise go on another time."""
        while not (place := self._place(table)).is_done:
            if self.is_over():
                return False
            if place.in_hand is None:
                self._read(table, place)
            elif not self._follow(table, place):
                return False
        return True

    def _place(self, table: Table) -> BigqueryTable:
        with self.rt.transaction() as session:
            return places.open_(session, self.calls.target, self.run_id, table.name)

    def _read(self, table: Table, place: BigqueryTable) -> None:
        """Take up the next piece and begin to load it. No transaction is open meanwhile."""
        if self.calls.prepare(table) and (place.cluster or place.after):  # somebody has deleted what was there
            self._note(places.begin_anew, place)
            return
        with TemporaryFile() as file:
            with reading.snapshot(self.rt) as snap:
                since = _since(snap, table, place)
                began_at = None if since is not None else place.began_at or snap.at
                after = place.after if began_at == place.began_at else None
                chunk = chunks.read(snap, self.calls.target, table, since, after, file)
            if not chunk.rows:
                self._end(table, place, began_at)
            elif table.is_whole and after is None and chunk.last is None and chunk.is_as(place.digest):
                self._note(places.finish, place)
            else:
                self._load(table, place, chunk, began_at, file)

    def _load(
        self, table: Table, place: BigqueryTable, chunk: Chunk, began_at: datetime | None, file: IO[bytes]
    ) -> None:
        token = self._note(places.take, place, chunk, began_at)
        failpoints.hit("BQ1")
        self.calls.load(table, _staging(table, token), _job(table, token, LOAD), file, chunk.size)
        failpoints.hit("BQ2")

    def _follow(self, table: Table, place: BigqueryTable) -> bool:
        """See to it that what is on its way arrives; False: it takes its time."""
        try:
            ended = self._ended(table, place)
        except ProblemError as problem:
            if problem.is_end:
                self._note(places.let_go, place)
            raise
        if ended is None:  # nobody got so far as to begin it
            self._note(places.let_go, place)
            return True
        if ended:
            failpoints.hit("BQ3")
            self._settle(table, place)
        return ended

    def _ended(self, table: Table, place: BigqueryTable) -> bool | None:
        hand = place.in_hand or {}
        there = self.calls.target.named(table.name)
        if hand["step"] == DELETE:
            older = datetime.fromisoformat(hand["older"])
            return self._done(table, hand["token"], DELETE, schemas.delete_older(there, older))
        loaded = self._wait(table, _job(table, hand["token"], LOAD))
        if not loaded:
            return loaded
        incoming = self.calls.target.named(_staging(table, hand["token"]))
        return self._done(table, hand["token"], MERGE, schemas.merge(table, there, incoming, places.span_of(place)))

    def _done(self, table: Table, token: str, step: str, sql: str) -> bool | None:
        job_id = _job(table, token, step)
        self.calls.begin(sql, job_id, table.name)
        return self._wait(table, job_id)

    def _wait(self, table: Table, job_id: str) -> bool | None:
        pause = _LOOK_S
        while (done := self.calls.is_done(job_id, table.name)) is False and not self.is_over():
            time.sleep(pause)
            self._note(lambda _: None)
            pause = min(pause * 2, _LOOK_MOST_S)
        return done

    def _settle(self, table: Table, place: BigqueryTable) -> None:
        hand = place.in_hand or {}
        if hand["step"] == DELETE:
            self._note(places.finish, place)
            return
        self._note(places.settle, place)
        self._note(runs.succeed, self.run_id)
        with suppress(ProblemError):  # it goes by itself in a day
            self.calls.drop(_staging(table, hand["token"]))
        if hand["last"] is None and place.began_at is None:
            self._end(table, self._place(table), None)

    def _end(self, table: Table, place: BigqueryTable, began_at: datetime | None) -> None:
        """Nothing more has to be read."""
        if began_at is not None and self.calls.count(table.name):
            self._note(places.take_rest, place, began_at)
        elif began_at is None and self._has_lost_rows(table):
            self._note(places.begin_anew, place)
        else:
            self._note(places.finish, place)

    def _has_lost_rows(self, table: Table) -> bool:
        """Whether there is more there than here: rows that were deleted (erased, merged, undone) tell of no change."""
        there = self.calls.count(table.name)
        with reading.snapshot(self.rt) as snap:
            return there > chunks.count(snap, self.calls.target, table)

    def _note(self, what: Callable[..., T], *given: object) -> T:
        """In a transaction that also says that somebody is at it."""
        with self.rt.transaction() as session:
            runs.keep(session, self.run_id)
            return what(session, *given)


def _since(snap: Snapshot, table: Table, place: BigqueryTable) -> Mark | None:
    """From when on what has changed is enough; None: everything is needed."""
    mark = places.mark_of(place)
    return None if mark is None or table.is_whole or not snap.knows(mark) else mark


def _staging(table: Table, token: str) -> str:
    return f"incoming_{table.name}_{token}"


def _job(table: Table, token: str, step: str) -> str:
    return f"backchat_{table.name}_{token}_{step}"
