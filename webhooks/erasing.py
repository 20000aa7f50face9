"""Takes an erased person out of what came in: raw bodies, the quarantine, and the spool of this host."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from bot.erasure.rounds import Erased, Step
from bot.erasure.traces import Traces
from bot.models.words import EventState
from bot.runtime import Runtime
from webhooks import inbox
from webhooks.spool import CORRUPT, WAITING

log = structlog.get_logger()

EVENTS = 2_000
"""Looked at in one step."""
REASON = "the person it was about was erased"

_BOUNDS = text("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM webhook_event")

_FIND = text("""
    SELECT id, received_at, body, state FROM webhook_event
     WHERE id > :after AND id <= :until AND (received_at <= :at OR :even_late)
       AND EXISTS (SELECT FROM unnest(CAST(:needles AS bytea[])) AS n WHERE position(n IN body) > 0)
     ORDER BY id FOR UPDATE
""")

_REWRITE = text("""
    UPDATE webhook_event
       SET body = :body, redacted_at = now(), state = CASE WHEN :is_empty THEN 'done' ELSE state END,
           done_at = CASE WHEN :is_empty THEN coalesce(done_at, now()) ELSE done_at END
     WHERE id = :id AND received_at = :received_at
""")

_SET_ASIDE = """
    UPDATE quarantine SET item = NULL, reason = :reason, dismissed_at = coalesce(dismissed_at, replayed_at, now())
     WHERE (item IS NOT NULL OR reason <> :reason) AND
"""
_SET_ASIDE_NAMED = text(
    f"{_SET_ASIDE} (item::text ILIKE ANY(CAST(:named AS text[])) OR reason ILIKE ANY(CAST(:named AS text[])))"
)
_SET_ASIDE_OF = text(f"{_SET_ASIDE} webhook_event_id = ANY(CAST(:events AS bigint[]))")


def search(rt: Runtime, session: Session, erased: Erased, place: Mapping[str, Any]) -> Step:
    """Events by their ids, up to the newest there was when it began; `place` is {"after", "until", "even_late"}."""
    counts: Counter[str] = Counter()
    if not place:
        place, found = _begin(rt, session, erased)
        counts.update(found)
    until = min(place["after"] + EVENTS, place["until"])
    values = {"after": place["after"], "until": until, "even_late": place["even_late"]}
    emptied: list[int] = []
    for event in session.execute(_FIND, {**values, "at": erased.at, "needles": erased.traces.needles()}).all():
        body = without(event.body, erased.traces, keeps_places=event.state != EventState.NEW)
        if body is not None:
            told = {"id": event.id, "received_at": event.received_at, "body": body, "is_empty": not body}
            session.execute(_REWRITE, told)
            counts["webhook bodies"] += 1
            emptied += [event.id] if not body else []
    if emptied:
        counts["quarantine"] += _rows(session, _SET_ASIDE_OF, {"events": emptied, "reason": REASON})
    return Step(None if until >= place["until"] else {**place, "after": until}, +counts)


def without(body: bytes, traces: Traces, *, keeps_places: bool) -> bytes | None:
    """The body without the person's items; empty if it is all theirs, None if they are not in it after all.

    Providers put many people's items in one body, each an object of a list that holds its person's number or id. With
    `keeps_places` null stands where one was, so that what the quarantine points to stays where it is.
    """
    try:
        told = orjson.loads(body)
    except ValueError:  # a form: one item, one person
        return b""
    pruned, is_changed = _pruned(told, traces, keeps_places=keeps_places)
    if not is_changed:
        return None
    return b"" if pruned is _GONE else orjson.dumps(pruned)


_GONE: Final = object()


def _pruned(node: Any, traces: Traces, *, keeps_places: bool) -> tuple[Any, bool]:  # noqa: ANN401 (any JSON)
    """The node, _GONE if it names the person itself, and whether anything went: of a list the whole object around."""
    if isinstance(node, list):
        parts = [_pruned(each, traces, keeps_places=keeps_places) for each in node]
        left = [None if part is _GONE else part for part, _ in parts if keeps_places or part is not _GONE]
        return left, any(changed for _, changed in parts)
    if isinstance(node, dict):
        fields = {key: _pruned(each, traces, keeps_places=keeps_places) for key, each in node.items()}
        if any(part is _GONE for part, _ in fields.values()) or any(traces.is_named_by(key) for key in node):
            return _GONE, True
        return {key: part for key, (part, _) in fields.items()}, any(changed for _, changed in fields.values())
    return (_GONE, True) if traces.is_named_by(node) else (node, False)


def _begin(rt: Runtime, session: Session, erased: Erased) -> tuple[dict[str, Any], dict[str, int]]:
    """What waits in the spool becomes events, however late; the quarantine is one look."""
    waited = [path for path in rt.settings.spool.glob(WAITING) if _written_before(path, erased.at)]
    inbox.sweep_spool(rt)
    counts = {
        "spool files": _delete_set_aside(rt, erased.traces),
        "quarantine": _rows(session, _SET_ASIDE_NAMED, {"named": erased.traces.found_in(), "reason": REASON}),
    }
    first, last = session.execute(_BOUNDS).one()
    return {"after": first - 1, "until": last, "even_late": bool(waited)}, counts


def _written_before(path: Path, at: datetime) -> bool:
    with suppress(OSError):
        return path.stat().st_mtime <= at.timestamp()
    return False


def _delete_set_aside(rt: Runtime, traces: Traces) -> int:
    """Of the spool's files that nobody can read, those that hold the person."""
    needles, gone = traces.needles(), 0
    for path in sorted(rt.settings.spool.glob(CORRUPT)):
        with suppress(OSError):
            content = path.read_bytes()
            if any(needle in content for needle in needles):
                path.unlink()
                gone += 1
                log.warning("spool.erased", file=path.name)
    return gone


def _rows(session: Session, statement: TextClause, values: Mapping[str, Any]) -> int:
    return int(session.execute(statement, values).rowcount)  # type: ignore[attr-defined]  # a CursorResult, untyped here
