"""Tells providers what was read and that somebody types: by the send pump, at most once for each message.

What is told is written down first: a receipt lost with a crash is made up for by the next one, which marks what came
before it as read too.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import exists, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, joinedload

from bot import ending
from bot.connections.connections import account_of
from bot.connections.secrets import SealError
from bot.messages.calls import Caller, NoAnswerError, NothingLeftError
from bot.models.connection import Number
from bot.models.inbox import ReadReceipt
from bot.providers.base import Account, Action, Outcome, UnsendableError
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime

log = structlog.get_logger()

AT_ONCE = 20
ATTEMPTS = 3
_LOOK_AGAIN_S = 1.0
_AGAIN = frozenset({Action.RETRY, Action.UNREACHABLE, Action.THROTTLE, Action.PAIR})
"""Certainly not told."""

# Whoever has answered, or stopped more than ten seconds ago, types no more.
_CLAIM = text("""
    WITH due AS (
        SELECT * FROM read_receipt WHERE due_at <= clock_timestamp()
         ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    UPDATE read_receipt r
       SET due_at = NULL, is_typing = false, attempt = r.attempt + 1, told_id = due.message_id
      FROM due
      JOIN conversation c ON c.id = due.conversation_id
      JOIN message m ON m.id = due.message_id AND m.provider_message_id IS NOT NULL
     WHERE r.conversation_id = due.conversation_id
    RETURNING r.conversation_id, due.message_id, r.attempt, c.number_id, m.provider_message_id,
              due.told_id IS NOT DISTINCT FROM due.message_id AS is_told,
              due.is_typing AND due.typing_at > clock_timestamp() - interval '10 seconds' AND NOT EXISTS (
                  SELECT FROM message o
                   WHERE o.person_id = c.person_id AND o.number_id = c.number_id AND o.direction = 'out'
                     AND o.occurred_at > due.typing_at) AS is_typing
""")

_RECORD = text("""
    UPDATE read_receipt r
       SET problem = t.problem,
           told_id = CASE WHEN t.is_again THEN NULL ELSE r.told_id END,
           due_at = CASE WHEN t.is_again THEN clock_timestamp() + interval '5 seconds' * r.attempt ELSE r.due_at END
      FROM unnest(CAST(:ids AS bigint[]), CAST(:messages AS bigint[]), CAST(:problems AS text[]),
                  CAST(:again AS boolean[])) AS t(conversation_id, message_id, problem, is_again)
     WHERE r.conversation_id = t.conversation_id AND r.message_id = t.message_id
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    conversation_id: int
    message_id: int
    attempt: int
    number_id: int
    provider_message_id: str
    is_told: bool
    is_typing: bool


class Receipts:
    """One pump's share of it, beside the messages."""

    def __init__(self, rt: Runtime, caller: Caller) -> None:
        self._rt, self._caller = rt, caller
        self._look_at = 0.0
        self._telling: asyncio.Task[None] | None = None

    def go_on(self) -> set[asyncio.Task[None]]:
        """The round that is under way, if one is; a new one begins at most once a second."""
        if self._telling and self._telling.done():
            if error := self._telling.exception():
                log.error("receipts.failed", error=repr(error))
            self._telling = None
        if self._telling is None and time.monotonic() >= self._look_at and not ending.is_told():
            self._look_at = time.monotonic() + _LOOK_AGAIN_S
            self._telling = asyncio.create_task(self._tell_due())
        return {self._telling} if self._telling else set()

    async def _tell_due(self) -> None:
        while claimed := await asyncio.to_thread(self._claim):
            outcomes = await asyncio.gather(*(self._tell(each) for each in claimed))
            await asyncio.to_thread(self._record, claimed, outcomes)
            if len(claimed) < AT_ONCE or ending.is_told():
                return

    def _claim(self) -> list[Claimed]:
        try:
            with self._rt.transaction() as session:
                found = [Claimed(*row) for row in session.execute(_CLAIM, {"limit": AT_ONCE})]
        except DBAPIError as error:
            log.warning("receipts.database", error=type(error.orig).__name__)
            return []
        return [each for each in found if each.is_typing or not each.is_told]

    async def _tell(self, claimed: Claimed) -> Outcome:
        try:
            provider, account, number_id = await asyncio.to_thread(self._line, claimed.number_id)
            receipts = PROVIDERS[provider].receipts
            if receipts is None:  # the connection has another provider since
                return Outcome(Action.ACCEPTED)
            request = receipts.read(account, number_id, claimed.provider_message_id, is_typing=claimed.is_typing)
            return receipts.noted(*await self._caller.ask(request))
        except (SealError, UnsendableError) as error:  # sentences for the operator, without a secret
            return Outcome(Action.FAIL, text=str(error))
        except NothingLeftError as error:
            return Outcome(Action.UNREACHABLE, text=f"cannot connect to the provider ({error})")
        except NoAnswerError as error:
            return Outcome(Action.UNKNOWN, text=f"no readable answer ({error})")

    def _line(self, number_id: int) -> tuple[str, Account, str]:
        with self._rt.transaction() as session:
            found = select(Number).where(Number.id == number_id).options(joinedload(Number.connection))
            number = session.scalars(found).one()
            return (
                number.connection.provider,
                account_of(number.connection, self._rt.settings),
                number.provider_number_id,
            )

    def _record(self, claimed: Sequence[Claimed], outcomes: Sequence[Outcome]) -> None:
        told = list(zip(claimed, outcomes, strict=True))
        given = {
            "ids": [each.conversation_id for each in claimed],
            "messages": [each.message_id for each in claimed],
            "problems": [None if outcome.action is Action.ACCEPTED else outcome.text for outcome in outcomes],
            "again": [outcome.action in _AGAIN and each.attempt < ATTEMPTS for each, outcome in told],
        }
        try:
            with self._rt.transaction() as session:
                session.execute(_RECORD, given)
        except DBAPIError as error:  # what was told stays told
            log.warning("receipts.database", error=type(error.orig).__name__)
        for each, outcome in told:
            if outcome.action is not Action.ACCEPTED:
                log.info("receipts.refused", number=each.number_id, action=outcome.action, code=outcome.code)


def is_due(session: Session) -> bool:
    due = exists().where(ReadReceipt.due_at <= func.clock_timestamp())
    return bool(session.scalar(select(due)))
