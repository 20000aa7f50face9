"""Which events a pump has in its hands: what outlives the pump is what it died of, or was near it.

A mark is committed before the work and deleted in the transaction of the work. Its table is not logged, so that such
a commit waits for no disk; a crash of PostgreSQL forgets the marks, and it is no event's fault.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import structlog
from sqlalchemy import delete, insert, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.connections import alerts
from bot.language import _
from bot.models.webhook import WebhookInHand
from bot.providers.events import AccountAlert
from bot.queue import JobTimeoutError
from bot.runtime import Runtime

log = structlog.get_logger()

DEATHS = 3
"""An event that so many pumps died over is tried no more."""
ALERT = "webhook.deadly"
REASON = (
    f"it ended the process that applied it {DEATHS} times, or took all of its time: "
    "the raw body is kept, tell the maintainers its shape"
)

_DEATHS = text("""
    SELECT id, max(deaths) FROM webhook_in_hand, unnest(ids) AS id
     WHERE id = ANY(CAST(:ids AS bigint[]))
     GROUP BY id
""")

_FORGET = text("""
    DELETE FROM webhook_in_hand h
     WHERE NOT EXISTS (SELECT FROM webhook_event e WHERE e.id = ANY(h.ids) AND e.state = 'new')
""")


@contextmanager
def held(rt: Runtime, session: Session, ids: Sequence[int], died: int = 0) -> Iterator[None]:
    """The block works on these events in `session`; `died`: how many pumps have died with them in hand.

    An error is no death: the mark goes with the transaction, or by itself when that is rolled back. A pump whose time
    was up is one: what takes longer than a job may would else be tried for ever, and nothing behind it.
    """
    mark = uuid.uuid4().hex
    with rt.transaction() as marking:
        marking.execute(insert(WebhookInHand).values(mark=mark, ids=list(ids), deaths=died + 1))
    put_down = delete(WebhookInHand).where(WebhookInHand.mark == mark)
    try:
        yield
        session.execute(put_down)
    except JobTimeoutError:
        raise
    except Exception:
        with suppress(SQLAlchemyError), rt.transaction() as marking:
            marking.execute(put_down)
        raise


def deaths(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """Event id → how many pumps died with it in hand; the caller must hold the events' locks, as a live pump would."""
    return {id_: count for id_, count in session.execute(_DEATHS, {"ids": list(ids)})}  # noqa: C416 (rows are no pairs)


def forget(session: Session) -> None:
    """Delete the marks of the dead that no event waits for any more."""
    session.execute(_FORGET)


def alert(detail: Mapping[str, int]) -> str:
    return _(
        "A webhook was put aside: it ended the process that applied it %(times)s times, or took all of its time. The"
        " raw body is kept: tell the maintainers its shape.",
        times=detail["times"],
    )


def alarm(session: Session, connection_id: int, event_id: int) -> None:
    """Tell the operators that an event was put aside for what it does to processes."""
    log.error("webhook.deadly", webhook_event_id=event_id)
    detail = {"times": DEATHS}
    told = AccountAlert("", ALERT, "critical", alert(detail), detail)
    alerts.tell(session, connection_id, told, event_id)
