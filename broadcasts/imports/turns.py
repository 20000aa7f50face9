"""Chunks that are worked on side by side end one after the other, in the order of the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from threading import Condition
from typing import Optional

from broadcasts.imports.staging import LostImportError
from broadcasts.imports.upsert import RacedError


class _State(Enum):
    AT_WORK = auto()
    STUMBLED = auto()
    DONE = auto()
    LOST = auto()


class Turn:
    """The place of a chunk behind the one before it."""

    def __init__(self, before: Optional["Turn"] = None) -> None:
        self._before = before
        self._state = _State.AT_WORK
        self._news = Condition()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """The chunk is committed when the block ends; if it raises, those behind it are lost."""
        try:
            yield
        except BaseException:
            self._tell(_State.LOST)
            raise
        self._tell(_State.DONE)

    def stumble(self) -> None:
        """The chunk begins anew, perhaps because it needs what the next one holds: that one lets go of it."""
        self._tell(_State.STUMBLED)

    def wait(self, *, is_patient: bool) -> None:
        """Until the chunk before is committed; raises RacedError if it stumbled, unless one is patient."""
        if self._before is None:
            return
        news = {_State.DONE, _State.LOST} if is_patient else set(_State) - {_State.AT_WORK}
        state = self._before.hear(news)
        if state is _State.LOST:
            raise LostImportError
        if state is _State.STUMBLED:
            raise RacedError
        self._before = None

    def hear(self, news: set[_State]) -> _State:
        """Wait until the chunk's state is one of these."""
        with self._news:
            self._news.wait_for(lambda: self._state in news)
            return self._state

    def _tell(self, state: _State) -> None:
        with self._news:
            self._state = state
            self._news.notify_all()
