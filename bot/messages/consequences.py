"""What an outcome means for the row and for everything around it: waiting times, give-ups, pauses and opt-outs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot.messages import opt_outs
from bot.messages.opt_outs import Refused
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
    WITH held AS (
        SELECT id, state FROM broadcast
         WHERE state IN ('materialising', 'running')
           AND (id = :broadcast_id OR number_id = :number_id OR template_id = :template_id
                OR id IN (SELECT w.broadcast_id FROM broadcast_wording w WHERE w.template_id = :template_id))
         ORDER BY id FOR NO KEY UPDATE),
    paused AS (
        UPDATE broadcast b SET state = 'paused', reason = :why FROM held WHERE b.id = held.id
        RETURNING b.id, held.state)
    INSERT INTO broadcast_transition (broadcast_id, from_state, to_state, why)
    SELECT id, state, 'paused', :why FROM paused
""")


def follow(session: Session, number_id: int, settled: Sequence[Settled]) -> None:
    """Pause broadcasts whose template or whose number is broken; remember who wants no marketing."""
    for done in _of(settled, Action.STOP_BROADCAST):
        if done.row.broadcast_id is not None:
            _pause(session, _why(done.outcome), broadcast_id=done.row.broadcast_id)
    for done in _of(settled, Action.STOP_NUMBER):
        _pause(session, _why(done.outcome), number_id=number_id)
    unwilling = [(done.row.person_id, done.outcome.code) for done in _of(settled, Action.OPTED_OUT)]
    if unwilling:
        now = session.scalars(select(func.clock_timestamp())).one()  # as of all consents: a sender's own may be wrong
        opt_outs.remember(session, [Refused(number_id, who, code, now) for who, code in unwilling if code is not None])


def pause_for_template(session: Session, template_id: int, why: str) -> None:
    """Pause what is under way with a template that cannot be sent; nobody has to be refused first."""
    _pause(session, why, template_id=template_id)


def _pause(
    session: Session,
    why: str,
    *,
    broadcast_id: int | None = None,
    number_id: int | None = None,
    template_id: int | None = None,
) -> None:
    values = {"broadcast_id": broadcast_id, "number_id": number_id, "template_id": template_id, "why": why}
    session.execute(_PAUSE, values)


def _of(settled: Sequence[Settled], action: Action) -> Iterable[Settled]:
    return (done for done in settled if done.outcome.action is action)


def _why(outcome: Outcome) -> str:
    return f"The provider refused ({outcome.code}): {outcome.text}"
