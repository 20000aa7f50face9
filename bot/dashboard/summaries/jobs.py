"""The clock's share: plan what is due, and send it beside everything else the clock has to do."""

import threading
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bot.connections.secrets import SealError
from bot.insights.asking import NotCountedYetError
from bot.insights.summaries import delivery, keeping, runs
from bot.insights.summaries.delivery import DeliveryError
from bot.models.summary import Summary, SummaryRun
from bot.models.words import SummaryWay
from bot.runtime import Runtime

log = structlog.get_logger()

_sending = threading.Lock()


def sweep(rt: Runtime) -> None:
    """A mail server may take half a minute to answer: a thread waits for it, one at a time."""
    with rt.transaction() as session:
        has_work = runs.is_due(session, datetime.now(UTC))
    if has_work and _sending.acquire(blocking=False):
        threading.Thread(target=_send_in_turn, args=(rt,), daemon=True).start()


def _send_in_turn(rt: Runtime) -> None:
    try:
        send_due(rt)
    except (SQLAlchemyError, RedisError) as error:  # the next sweep comes back to it
        log.warning("summaries.not_sent", error=type(error).__name__)
    finally:
        _sending.release()


def send_due(rt: Runtime) -> None:
    """Plan, then send one after another until nothing is due."""
    with rt.transaction() as session:
        runs.plan(session, ZoneInfo(rt.settings.time_zone), datetime.now(UTC))
    while True:
        with rt.transaction() as session:
            claimed = runs.claim(session, datetime.now(UTC))
        if claimed is None:
            return
        _send(rt, *claimed)


def _send(rt: Runtime, summary: Summary, run: SummaryRun) -> None:
    try:
        _deliver(rt, summary, run)
    except DeliveryError as error:
        _fail(rt, run, error)
    except NotCountedYetError:
        _fail(rt, run, DeliveryError("not_counted"))
    except SealError:
        _fail(rt, run, DeliveryError("sealed"))
    else:
        with rt.transaction() as session:
            runs.succeed(session, run.id)


def _fail(rt: Runtime, run: SummaryRun, error: DeliveryError) -> None:
    with rt.transaction() as session:
        runs.fail(session, run, error.problem, is_final=error.is_final)


def _deliver(rt: Runtime, summary: Summary, run: SummaryRun) -> None:
    # Jinja and Babel take a while to load, and the clock fires reminders.
    from bot.dashboard import languages  # noqa: PLC0415
    from bot.dashboard.summaries import writing  # noqa: PLC0415

    place = keeping.place_of(rt.settings, summary)
    with languages.speaking(writing.make_app(rt.settings), summary.language):
        with rt.transaction() as session:
            written = writing.write(session, rt.settings, summary, run)
        if summary.way == SummaryWay.EMAIL:
            delivery.send_mail(rt.settings, writing.letter(rt.settings, place, written, run))
        else:
            delivery.post(place, writing.chat_text(written), rt.settings.chat_server)
