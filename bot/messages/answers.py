"""What came back and is not written down yet: every transaction of a round begins by writing it down."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from bot.messages import consequences, echoes, outbox
from bot.messages.consequences import Settled
from bot.providers.base import Action, Outcome
from bot.runtime import Runtime

log = structlog.get_logger()

T = TypeVar("T")

AWAY = (OperationalError, InterfaceError, PoolTimeoutError)
"""The database is away or was busy with somebody else (deadlock, lock timeout): nothing is wrong with the rows."""


class Answers:
    """Those of one number; an answer stays in `waiting` until a commit has it."""

    def __init__(self, rt: Runtime, number_id: int, owner: str) -> None:
        self._rt, self._number_id, self._owner = rt, number_id, owner
        self.waiting: list[Settled] = []

    def commit(self, work: Callable[[Session], T]) -> T:
        """`work` in the transaction that writes them down."""
        try:
            done = self._write_down(self.waiting, work)
        except AWAY:
            raise
        except DBAPIError:
            self._write_down_apart()
            return self._write_down([], work)
        self.waiting.clear()
        return done

    def _write_down_apart(self) -> None:
        """One by one: an answer that can never be stored leaves its own message in doubt, and no other.

        What is in the way may be an echo that is being stored in this very moment: the second try can see it.
        """
        while self.waiting:
            one = self.waiting[0]
            if not (self._is_written_down(one) or self._is_written_down(one)):
                in_doubt = Outcome(Action.UNKNOWN, text="the provider's answer cannot be stored")
                self._write_down([Settled(one.row, in_doubt)], nothing)
            del self.waiting[0]

    def _is_written_down(self, one: Settled) -> bool:
        try:
            self._write_down([one], nothing, apart=True)
        except AWAY:
            raise
        except DBAPIError as error:
            log.warning("send.not_storable", message=one.row.id, error=type(error.orig).__name__)
            return False
        return True

    def _write_down(self, told: Sequence[Settled], work: Callable[[Session], T], *, apart: bool = False) -> T:
        """With `apart`, an echo that came before its answer makes way for the message it is the echo of."""
        with self._rt.transaction() as session:
            if apart:
                answers = [(one.row.id, one.outcome.provider_message_id) for one in told]
                echoes.make_way(session, self._number_id, [(id_, known) for id_, known in answers if known])
            outbox.record(session, self._owner, [consequences.result_of(one) for one in told])
            consequences.follow(session, self._number_id, told)
            return work(session)


def nothing(_: Session) -> None:
    """The work of a transaction that only writes down."""
