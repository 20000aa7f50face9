"""Looks for an erased person where no column names them, a bounded step at a time; a killed process goes on there.

Bodies, lists and the spool belong to rooms that this one may not know: the composition root hands their searches in.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.connections.secrets import SealError
from bot.erasure import erasing, statements, traces
from bot.erasure.traces import Traces
from bot.media import erasing as media
from bot.media.shelf import ShelfError, open_shelf
from bot.models.message import Media, Message
from bot.models.person import Erasure
from bot.models.words import MessageState
from bot.people import suppressions
from bot.runtime import Runtime

log = structlog.get_logger()

FILES = 50
"""Of media that one step deletes: each may be a request to a bucket."""

_NEXT = text("SELECT id FROM erasure WHERE finished_at IS NULL AND id > :after ORDER BY id LIMIT 1")


@dataclass(frozen=True, slots=True)
class Erased:
    """Whom a search looks for. What came in since `at` they have said of their own accord."""

    environment: str
    at: datetime
    traces: Traces


@dataclass(frozen=True, slots=True)
class Step:
    """How far a search has come: `place` is its own to read, None once it is through."""

    place: dict[str, Any] | None
    counts: Mapping[str, int] = field(default_factory=dict)
    """What was emptied or deleted in this step, for the receipt."""
    is_waiting: bool = False
    """Nothing can be done at the moment: the next search has its turn."""


Search = Callable[[Runtime, Session, Erased, dict[str, Any]], Step]
"""One step from a place ({} at first); it may be repeated, for its transaction may not commit."""


def go_on(rt: Runtime, searches: Mapping[str, Search], for_s: float) -> bool:
    """Work on unfinished erasures for about `for_s` seconds; whether any is left."""
    deadline, after = time.monotonic() + for_s, 0
    while True:
        with rt.transaction() as session:
            erasure_id = session.scalar(_NEXT, {"after": after})
        if erasure_id is None:
            break
        while time.monotonic() < deadline and _go_on_with(rt, searches, erasure_id):
            pass
        after = erasure_id
    with rt.transaction() as session:
        return session.scalar(_NEXT, {"after": 0}) is not None


def _go_on_with(rt: Runtime, searches: Mapping[str, Search], erasure_id: int) -> bool:
    """A step of each search that is not through; whether there is more to do at once."""
    with rt.transaction() as session:
        erasure = session.scalar(
            select(Erasure)
            .where(Erasure.id == erasure_id, Erasure.finished_at.is_(None))
            .with_for_update(skip_locked=True)
        )
        if erasure is None or erasure.sealed_traces is None:
            return False
        found = _unsealed(erasure)
        if found is None:
            return False
        erased = Erased(erasure.environment, erasure.at, found)
        steps = {
            name: search(rt, session, erased, erasure.progress.get(name) or {})
            for name, search in searches.items()
            if erasure.progress.get(name, {}) is not None
        }
        steps["files"] = _delete_files(rt, session, erasure)
        steps["answers"] = _empty_again(session, erasure, found)
        _note(erasure, steps)
        if all(step.place is None for step in steps.values()):
            erasure.finished_at, erasure.sealed_traces, erasure.progress = datetime.now(erasure.at.tzinfo), None, {}
            log.info("erasure.finished", erasure=erasure.id)
        return erasure.finished_at is None and any(
            step.place is not None and not step.is_waiting for step in steps.values()
        )


def _note(erasure: Erasure, steps: Mapping[str, Step]) -> None:
    erasure.progress = {**erasure.progress, **{name: step.place for name, step in steps.items()}}
    receipt = dict(erasure.receipt)
    for step in steps.values():
        for name, count in step.counts.items():
            receipt[name] = receipt.get(name, 0) + count
    erasure.receipt = receipt


def _unsealed(erasure: Erasure) -> Traces | None:
    for secret_key in suppressions.secret_keys():
        try:
            return traces.unsealed(secret_key, erasure.sealed_traces or b"")
        except SealError:
            continue
    log.error("erasure.sealed_with_another_key", erasure=erasure.id)
    return None


def _delete_files(rt: Runtime, session: Session, erasure: Erasure) -> Step:
    """The rows say already that there is no file; their keys stay until it is so."""
    ids = session.scalars(
        select(Media.message_id)
        .join(Message, Message.id == Media.message_id)
        .where(Message.person_id == erasure.person_id, Media.storage_key.is_not(None))
        .order_by(Media.id)
        .limit(FILES)
    ).all()
    if not ids:
        return Step(None)
    try:
        media.erase(session, open_shelf(rt.settings), ids)
    except ShelfError as error:
        log.warning("erasure.shelf", erasure=erasure.id, problem=str(error))
        return Step({}, is_waiting=True)
    return Step({})


def _empty_again(session: Session, erasure: Erasure, found: Traces) -> Step:
    """What was on the wire when they were erased, until its answer is in: that names the person again."""
    erasing.empty(session, erasure, found, statements.AGAIN)
    waiting = select(Message.id).where(Message.person_id == erasure.person_id, Message.state == MessageState.WIRE)
    return Step(None if session.scalar(waiting.limit(1)) is None else {}, is_waiting=True)
