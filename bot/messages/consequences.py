"""What an outcome means for the row and for everything around it: waiting times, give-ups, pauses and opt-outs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.messages.outbox import Claimed, Result
from bot.models.words import MessageState
from bot.providers.base import Action, Outcome

RETRIES = 5
MOST_ATTEMPTS = 9_999
"""Of any message, whatever puts it off: a mark has four digits for it, and the column hardly more."""
_STATES = {
    Action.ACCEPTED: MessageState.ACCEPTED,
    Action.UNKNOWN: MessageState.UNKNOWN,
    Action.FAIL: MessageState.FAILED,
    Action.OPTED_OUT: MessageState.FAILED,
    Action.COOL_DOWN: MessageState.FAILED,
    Action.STOP_BROADCAST: MessageState.FAILED,
}
"""Actions not listed put the row back in the queue."""


@dataclass(frozen=True, slots=True)
class Settled:
    """One attempt and how it ended."""

    row: Claimed
    outcome: Outcome


def result_of(settled: Settled) -> Result:
    row, outcome = settled.row, settled.outcome
    state = _STATES.get(outcome.action, MessageState.QUEUED)
    if outcome.action is Action.RETRY and row.attempt >= RETRIES:
        state = MessageState.FAILED
    if state is MessageState.QUEUED and row.attempt >= MOST_ATTEMPTS:
        state = MessageState.FAILED
    wait = _wait_s(outcome.action, row.attempt) if state is MessageState.QUEUED else None
    return Result(row.id, row.attempt, state.value, outcome.provider_message_id, wait, outcome.code, outcome.text)


def _wait_s(action: Action, attempt: int) -> float:
    """Seconds until the next try; a pair limit is one message in six seconds, then 4^n (Meta's own advice)."""
    if action is Action.PAIR:
        return max(6.0, 4.0 ** min(attempt - 1, 6))
    if action is Action.STOP_NUMBER:
        return 60.0
    if action is Action.THROTTLE:
        return 1.0
    if action is Action.UNREACHABLE:
        return min(2.0**attempt, 30.0)
    return min(2.0**attempt, 300.0)


_PAUSE = text("""
    WITH paused AS (
        UPDATE broadcast SET state = 'paused', reason = :why
         WHERE state = 'running' AND (id = ANY(:ids) OR number_id = :number_id)
        RETURNING id)
    INSERT INTO broadcast_transition (broadcast_id, from_state, to_state, why)
    SELECT id, 'running', 'paused', :why FROM paused
""")

_OPT_OUT = text("""
    UPDATE person SET marketing_opted_out_at = now(), updated_at = now()
     WHERE id IN (SELECT id FROM person WHERE id = ANY(:ids) AND marketing_opted_out_at IS NULL ORDER BY id FOR UPDATE)
""")


def follow(session: Session, number_id: int, settled: Sequence[Settled]) -> None:
    """Pause broadcasts whose template or whose number is broken; remember who wants no marketing."""
    for done in _of(settled, Action.STOP_BROADCAST):
        if done.row.broadcast_id is not None:
            session.execute(_PAUSE, {"ids": [done.row.broadcast_id], "number_id": None, "why": _why(done.outcome)})
    for done in _of(settled, Action.STOP_NUMBER):
        session.execute(_PAUSE, {"ids": [], "number_id": number_id, "why": _why(done.outcome)})
    people = [done.row.person_id for done in _of(settled, Action.OPTED_OUT)]
    if people:
        session.execute(_OPT_OUT, {"ids": people})


def _of(settled: Sequence[Settled], action: Action) -> Iterable[Settled]:
    return (done for done in settled if done.outcome.action is action)


def _why(outcome: Outcome) -> str:
    return f"The provider refused ({outcome.code}): {outcome.text}"
