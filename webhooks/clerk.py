"""One thread answers for all who wait, many at once; whoever asks waits only so long, whatever the thread hangs in."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

GROUP_SIZE = 512
_IDLE_S = 10.0
"""After this long without a question the thread ends; the next question makes another."""


class _Slip(Generic[Question, Answer]):
    """One who waits; woken with an answer or an error."""

    __slots__ = ("answer", "error", "question", "woken")

    def __init__(self, question: Question) -> None:
        self.question = question
        self.answer: Answer
        self.error: Exception | None = None
        self.woken = threading.Lock()
        self.woken.acquire()


class Clerk(Generic[Question, Answer]):
    """`serve` gets questions in the order they came and returns as many answers; an exception is for its asker alone.

    A group holds as many questions as weigh `limit` together, and always one.
    """

    def __init__(
        self,
        name: str,
        serve: Callable[[Sequence[Question]], Sequence[Answer | Exception]],
        weigh: Callable[[Question], int] = lambda _: 0,
        limit: int = 0,
    ) -> None:
        self._name = name
        self._serve = serve
        self._weigh = weigh
        self._limit = limit
        self._waiting: list[_Slip[Question, Answer]] = []
        self._arrived = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None

    def ask(self, question: Question, patience_s: float) -> Answer:
        """Raises the error that is the answer, or TimeoutError; what was begun by then goes on all the same."""
        slip: _Slip[Question, Answer] = _Slip(question)
        with self._arrived:
            self._waiting.append(slip)
            self._arrived.notify()
            if self._thread is None or not self._thread.is_alive():  # made here, because none survives a fork
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
        if not slip.woken.acquire(timeout=patience_s):
            with self._arrived:
                if slip in self._waiting:
                    self._waiting.remove(slip)
            raise TimeoutError
        if slip.error is not None:
            raise slip.error
        return slip.answer

    def _work(self) -> None:
        while True:
            with self._arrived:
                if not self._waiting and not self._arrived.wait_for(lambda: self._waiting, _IDLE_S):
                    self._thread = None
                    return
                group = self._cut()
            try:
                answers = self._serve([slip.question for slip in group])
            except Exception as error:  # noqa: BLE001 (whatever it is, everybody who waits has to be told)
                answers = [error] * len(group)
            for slip, answer in zip(group, answers, strict=True):
                if isinstance(answer, Exception):
                    slip.error = answer
                else:
                    slip.answer = answer
                slip.woken.release()

    def _cut(self) -> list[_Slip[Question, Answer]]:
        """The next group, taken off those who wait."""
        weight = count = 0
        for slip in self._waiting[:GROUP_SIZE]:
            weight += self._weigh(slip.question)
            if count and weight > self._limit:
                break
            count += 1
        group = self._waiting[:count]
        del self._waiting[:count]
        return group
