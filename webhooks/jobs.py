"""The intake pump: new events are applied in bulk; when that fails, one by one, so that only the bad item stays out."""

import contextlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from bot import ending, failpoints, health, queue, runtime
from bot.models.connection import Number
from bot.providers.events import Unreadable
from bot.runtime import Runtime
from webhooks import apply, contents, faults, in_hand, kinds, tally
from webhooks.apply import Item, Refusal

log = structlog.get_logger()

BATCH_EVENTS = 500
BATCH_BYTES = 8 * 1024 * 1024
ATTEMPTS = 5
ALONE_FROM_ATTEMPT = 2
"""Events that have failed this often are taken one at a time, so that they hold up nobody else."""
SWEEP_AFTER_S = 2

_SWEEP_S = 1.0
"""Less than the clock has between two sweeps: reminders wait for it."""
_PAUSE_S = 0.1
_AWAY_S = 1.0
_LINGER_S = 1.0
_LOOK_AGAIN_S = 0.05
_LARGE_BODY = 16 * 1024
_REST_S = 0.2
"""After bodies as large as that, which are reports by the dozen, so long for the next ones of the same messages: what
was sent and delivered meanwhile is then one write to its message."""

Event = Row[Any]
"""Of `_BODIES`: a claimed event."""
Queues = frozenset[str]
"""To ring after the commit."""

# The sizes come first: bodies are fetched only for as many events as one transaction should hold.
_CLAIM = text("""
    SELECT e.id, e.received_at, e.attempt, octet_length(e.body) AS size
      FROM webhook_event e
     WHERE e.state = 'new'
     ORDER BY e.id
     LIMIT :limit
       FOR UPDATE SKIP LOCKED
""")

_BODIES = text("""
    SELECT e.id, e.received_at, e.attempt, e.connection_id, c.provider, e.body, e.content_type, e.headers
      FROM webhook_event e JOIN connection c ON c.id = e.connection_id
     WHERE e.id = ANY(CAST(:ids AS bigint[])) AND e.received_at BETWEEN :first AND :last
     ORDER BY e.id
""")

_CLAIM_ONE = text("""
    SELECT id FROM webhook_event
     WHERE id = ANY(CAST(:ids AS bigint[])) AND received_at BETWEEN :first AND :last AND state = 'new'
       FOR UPDATE SKIP LOCKED
""")

# What the event log filters by is told in passing.
_FINISH = text("""
    UPDATE webhook_event e
       SET done_at = now(), items = h.items, kinds = string_to_array(h.kinds, ','),
           number_ids = CAST(string_to_array(h.numbers, ',') AS bigint[]),
           state = CASE WHEN e.id = ANY(CAST(:refused AS bigint[])) THEN 'quarantined' ELSE 'done' END
      FROM unnest(CAST(:ids AS bigint[]), CAST(:items AS bigint[]), CAST(:kinds AS text[]), CAST(:numbers AS text[]))
           AS h(id, items, kinds, numbers)
     WHERE e.id = h.id AND e.id = ANY(CAST(:ids AS bigint[])) AND e.received_at BETWEEN :first AND :last
""")

_TRY_AGAIN = text("""
    UPDATE webhook_event SET attempt = attempt + 1
     WHERE id = ANY(CAST(:ids AS bigint[])) AND received_at BETWEEN :first AND :last AND state = 'new'
""")


def apply_events() -> None:
    """Apply what has come in, for at most `pump_s` seconds; then ring again if anything may be left."""
    rt = runtime.current()
    queue.answer(rt.redis, "intake")
    deadline = time.monotonic() + rt.settings.pump_s
    while taken := _take_and_linger(rt):
        if time.monotonic() > deadline or ending.is_told():
            rt.ring("intake")
            return
        if len(taken) < BATCH_EVENTS and sum(len(event.body) for event in taken) >= _LARGE_BODY * len(taken):
            time.sleep(_REST_S)


def _take_and_linger(rt: Runtime) -> Sequence[Event]:
    """As `_take`, but where nothing has come it waits a moment for what a busy provider sends next.

    A fresh pump costs a fork and a connection with cold caches, which is as much as some hundred webhooks.
    """
    taken = _take(rt)
    end = time.monotonic() + _LINGER_S
    while not taken and time.monotonic() < end and not ending.is_told():
        time.sleep(_LOOK_AGAIN_S)
        taken = _take(rt)
    return taken


def sweep(rt: Runtime) -> None:
    """Ring for events that nobody has come for: their ring was lost. If Redis is away too, apply some of them here."""
    with rt.sessions() as session:
        waited = health.oldest_unprocessed_s(session)
    if waited is None or waited <= SWEEP_AFTER_S or rt.ring("intake"):
        return
    deadline = time.monotonic() + _SWEEP_S
    while drain_once(rt) and time.monotonic() < deadline:
        pass


def drain_once(rt: Runtime) -> int:
    """Take one batch as far as it goes; number of events taken, 0 when there is nothing to do now."""
    return len(_take(rt))


def _take(rt: Runtime) -> Sequence[Event]:
    events: list[Event] = []
    died: dict[int, int] = {}
    queues: set[str] = set()
    try:
        with rt.transaction() as session:
            events += _claim(session)
            died = in_hand.deaths(session, [event.id for event in events]) if events else {}
            waiting = _apply_together(rt, session, events, died)
        queues |= waiting
    except faults.TRANSIENT as error:
        _put_off(rt, events, error)
    except queue.JobTimeoutError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever is wrong with one item, its neighbours are applied)
        log.warning("webhook.batch_split", events=len(events), error=type(error).__name__)
        for event in events:
            queues |= _apply_alone(rt, event, died.get(event.id, 0))
        if died:
            with rt.transaction() as session:
                in_hand.forget(session)
    failpoints.hit("IN4")
    for name in sorted(queues):
        rt.ring(name)
    return events


class _TroubledError(Exception):
    """The batch holds an event that has failed before, or that a pump has died over."""


def _claim(session: Session) -> Sequence[Event]:
    size, chosen = 0, list[Event]()
    for row in session.execute(_CLAIM, {"limit": BATCH_EVENTS}):
        size += row.size
        if chosen and size > BATCH_BYTES:
            break
        chosen.append(row)
    return session.execute(_BODIES, _span(chosen)).all() if chosen else []


def _apply_together(rt: Runtime, session: Session, events: Sequence[Event], died: Mapping[int, int]) -> Queues:
    if died or any(event.attempt >= ALONE_FROM_ATTEMPT for event in events):
        raise _TroubledError
    if not events:
        return frozenset()
    with in_hand.held(rt, session, [event.id for event in events]):
        return _apply_all(session, events)


def _apply_all(session: Session, events: Sequence[Event]) -> Queues:
    items = [item for event in events for item in contents.items(event)]
    applied = apply.apply(session, items)
    _finish(session, events, items, applied.refused)
    failpoints.hit("IN3")
    return applied.queues


def _apply_alone(rt: Runtime, event: Event, died: int) -> Queues:
    """One event in a transaction of its own."""
    try:
        with rt.transaction() as session:
            if session.execute(_CLAIM_ONE, _span([event])).first() is None:
                return frozenset()  # somebody else was quicker
            if died >= in_hand.DEATHS:
                _put_aside(session, event, in_hand.REASON)
                in_hand.alarm(session, event.connection_id, event.id)
                return frozenset()
            with in_hand.held(rt, session, [event.id], died):
                return _apply_whole_or_each(session, event)
    except faults.TRANSIENT as error:
        if event.attempt + 1 < ATTEMPTS:
            _put_off(rt, [event], error)
        else:
            _give_up(rt, event, f"it could not be applied in {ATTEMPTS} attempts: {faults.describe(error)}")
    except queue.JobTimeoutError:
        raise
    except Exception as error:  # noqa: BLE001 (an event that raises here each time would hold up all that came later)
        log.error("webhook.not_applied", webhook_event_id=event.id, error=type(error).__name__)  # noqa: TRY400
        _give_up(rt, event, faults.describe(error))
    return frozenset()


def _apply_whole_or_each(session: Session, event: Event) -> Queues:
    """In bulk if that goes, for most of the events that are taken alone have only been near the bad one."""
    try:
        with session.begin_nested():
            return _apply_all(session, [event])
    except faults.PASSING:
        raise
    except Exception as error:  # noqa: BLE001 (as for a batch)
        log.warning("webhook.event_split", webhook_event_id=event.id, error=type(error).__name__)
        return _apply_each(session, event)


def _apply_each(session: Session, event: Event) -> Queues:
    """Each item in a savepoint."""
    items = list(contents.items(event))
    outcomes = [contents.apply_one(session, item) for item in items]
    refused = {event.id} if any(outcome.refused for outcome in outcomes) else set()
    _finish(session, [event], items, refused)
    return frozenset().union(*(outcome.queues for outcome in outcomes))


def _finish(session: Session, events: Sequence[Event], items: Iterable[Item], refused: Collection[int]) -> None:
    summary = kinds.summarise((item.webhook_event_id, item.connection_id, item.event) for item in items)
    numbers = _numbers(session, {event.connection_id for event in events})
    held = [summary.bodies[event.id] for event in events]
    columns = {
        "items": [one.items for one in held],
        "kinds": [",".join(sorted(one.kinds)) for one in held],
        "numbers": [one.numbers(numbers[event.connection_id]) for one, event in zip(held, events, strict=True)],
    }
    session.execute(_FINISH, {**_span(events), **columns, "refused": sorted(refused)})
    tally.add(session, summary.words)


def _numbers(session: Session, connection_ids: Collection[int]) -> Mapping[int, Mapping[str, int]]:
    """Our ids of the business numbers, by connection and the provider's id."""
    columns = (Number.connection_id, Number.provider_number_id, Number.id)
    found: dict[int, dict[str, int]] = {connection_id: {} for connection_id in connection_ids}
    for connection_id, name, id_ in session.execute(select(*columns).where(Number.connection_id.in_(connection_ids))):
        found[connection_id][name] = id_
    return found


def _put_off(rt: Runtime, events: Sequence[Event], error: Exception) -> None:
    """Count a failed attempt and wait a moment; the events stay as they are."""
    log.warning("webhook.put_off", events=len(events), error=faults.describe(error))
    pause_s = _AWAY_S  # if the database is, that is no failure of theirs
    if events:
        with contextlib.suppress(*faults.TRANSIENT), rt.transaction() as session:
            session.execute(_TRY_AGAIN, _span(events))
            pause_s = _PAUSE_S
    time.sleep(pause_s)


def _give_up(rt: Runtime, event: Event, reason: str) -> None:
    with rt.transaction() as session:
        _put_aside(session, event, reason)


def _put_aside(session: Session, event: Event, reason: str) -> None:
    """The whole event goes to the quarantine; its body is not read again, for it may be what is wrong."""
    whole = Item(event.id, event.connection_id, Unreadable("", reason))
    apply.refuse(session, [Refusal(whole, reason)])
    _finish(session, [event], [whole], {event.id})


def _span(events: Sequence[Event]) -> dict[str, Any]:
    """Ids with the time they lie in, which tells PostgreSQL the partitions."""
    times = [event.received_at for event in events]
    return {"ids": [event.id for event in events], "first": min(times), "last": max(times)}
