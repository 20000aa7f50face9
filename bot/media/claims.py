"""The way of a media row: waiting → stored, failed or refused; a claim is a lease, fenced by the attempt.

The key under which the file will be kept is written down with the claim, so that no crash leaves a file unknown to us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.words import MediaState

LEASE_S = 180
"""Well above what one file may take; a dead worker's files are taken up again after it."""

_DELAYS_S = (10, 60, 300, 1_800, 7_200, 21_600, 86_400)
"""Before the second, third, … attempt; the provider keeps a file for seven days."""

GIVEN_UP = "The worker ended each time it fetched this file."

_CLAIM = text("""
    UPDATE media SET attempt = attempt + 1, lease_until = now() + make_interval(secs => :lease_s),
           storage_key = coalesce(storage_key, gen_random_uuid()::text)
     WHERE id = (SELECT id FROM media
                  WHERE state = 'waiting' AND not_before <= now() AND (lease_until IS NULL OR lease_until < now())
                    AND number_id <> ALL(:busy)
                  ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, message_id, number_id, attempt, storage_key
""").bindparams(lease_s=LEASE_S)

_RECORD = text("""
    UPDATE media SET state = :state, reason = :reason, lease_until = NULL,
           not_before = now() + make_interval(secs => :delay_s),
           stored_at = CASE WHEN :state = 'stored' THEN now() END,
           mime_type = coalesce(:mime_type, mime_type), size = coalesce(:size, size), sha256 = coalesce(:sha256, sha256)
     WHERE id = :id AND attempt = :attempt AND state = 'waiting'
""")

_RELEASE = text("""
    UPDATE media SET attempt = attempt - 1, lease_until = NULL
     WHERE id = :id AND attempt = :attempt AND state = 'waiting'
""")

_GIVE_UP = text("""
    UPDATE media SET state = 'failed', reason = :reason, lease_until = NULL
     WHERE state = 'waiting' AND attempt > :most AND lease_until < now()
""").bindparams(reason=GIVEN_UP, most=len(_DELAYS_S))

_IS_DUE = text("""
    SELECT EXISTS (SELECT 1 FROM media
                    WHERE state = 'waiting' AND not_before <= now() AND (lease_until IS NULL OR lease_until < now()))
""")

_AGAIN = text("""
    UPDATE media SET state = 'waiting', reason = NULL, attempt = 0, not_before = now(), lease_until = NULL
     WHERE id = :id AND state = 'failed'
""")

_IS_KNOWN = text("SELECT EXISTS (SELECT 1 FROM media WHERE id = :id AND storage_key = :key)")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that is this worker's until its lease ends."""

    id: int
    message_id: int
    number_id: int
    attempt: int
    storage_key: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt. `waiting` means again later; after the last attempt that is `failed`."""

    state: MediaState
    reason: str | None = None
    mime_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    provider_media_id: str | None = None
    """Of a file that was taken by the provider, to be sent."""


def claim(session: Session, busy: Sequence[int]) -> Claimed | None:
    """The file that has waited longest, of none of the `busy` numbers."""
    row = session.execute(_CLAIM, {"busy": list(busy)}).one_or_none()
    return None if row is None else Claimed(*row)


def record(session: Session, claimed: Claimed, result: Result) -> bool:
    """Whether it was this worker's to say: not if the row is gone, or if its lease ended and somebody else took it."""
    is_last = claimed.attempt > len(_DELAYS_S)
    again = result.state is MediaState.WAITING and not is_last
    values: dict[str, Any] = {
        "id": claimed.id,
        "attempt": claimed.attempt,
        "state": MediaState.FAILED if result.state is MediaState.WAITING and is_last else result.state,
        "reason": result.reason,
        "delay_s": _DELAYS_S[claimed.attempt - 1] if again else 0,
        "mime_type": result.mime_type,
        "size": result.size,
        "sha256": result.sha256,
    }
    return bool(session.execute(_RECORD, values).rowcount)  # type: ignore[attr-defined]  # a CursorResult, untyped here


def release(session: Session, claimed: Claimed) -> None:
    """Give back a file whose download was broken off by us; the attempt does not count."""
    session.execute(_RELEASE, {"id": claimed.id, "attempt": claimed.attempt})


def give_up(session: Session) -> int:
    """Files that ended their worker at every attempt; others would go on ending it."""
    return int(session.execute(_GIVE_UP).rowcount)  # type: ignore[attr-defined]  # a CursorResult, untyped here


def is_due(session: Session) -> bool:
    return bool(session.scalar(_IS_DUE))


def try_again(session: Session, media_id: int) -> bool:
    """Ring "media" after the commit. Whether it had failed: what is refused would be refused again."""
    return bool(session.execute(_AGAIN, {"id": media_id}).rowcount)  # type: ignore[attr-defined]  # as above


def is_known(session: Session, claimed: Claimed) -> bool:
    """Whether any row still points to the file: erased ones do not."""
    return bool(session.scalar(_IS_KNOWN, {"id": claimed.id, "key": claimed.storage_key}))
