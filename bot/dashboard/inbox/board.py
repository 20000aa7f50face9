"""A look at the list, and what was made of it for those who are pushed to: who see the same share the same words."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from bot.dashboard.listing import Listing

Made = TypeVar("Made")

_serials = count(1)


@dataclass(eq=False, slots=True)
class Board:
    listing: Listing
    serial: int = field(default_factory=lambda: next(_serials))
    _made: dict[Hashable, Any] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Board) and self.listing == other.listing

    def __hash__(self) -> int:
        return self.serial

    def once(self, wanted: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` makes, for all who want the same; whoever comes while it is being made waits."""
        with self._making:
            if wanted not in self._made:
                self._made[wanted] = make()
            made: Made = self._made[wanted]
            return made
