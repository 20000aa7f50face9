"""What starts a journey: a whole message that is one of its keywords, or the first message of a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.people.phrases import LONGEST
from bot.people.phrases import normalise as normalise


@dataclass(frozen=True, slots=True)
class Triggers:
    """Which journey a message starts, of one environment's active journeys."""

    keywords: Mapping[str, int]
    first_message: int | None

    def chosen(self, body: str | None, *, first_ever: bool) -> int | None:
        """Journey id: a keyword says more than that the person is new."""
        by_keyword = self.by_keyword(body)
        return self.first_message if by_keyword is None and first_ever else by_keyword

    def by_keyword(self, body: str | None) -> int | None:
        return self.keywords.get(normalise(body)) if body and len(body) <= LONGEST else None


def triggers_of(starts: Mapping[int, Mapping[str, Any]]) -> Triggers:
    """Triggers from journey id → its `start`; loading sees to it that no two journeys claim the same."""
    keywords: dict[str, int] = {}
    first_message = None
    for id_, start in starts.items():
        keywords.update((normalise(keyword), id_) for keyword in start["keywords"])
        first_message = id_ if start["first_message"] else first_message
    return Triggers(keywords, first_message)
