"""What starts a journey: a whole message that is one of its keywords, or the first message of a person."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LOOSE = "PSZC"
"""Unicode categories that do not count at the ends of a message: punctuation, signs and emoji, spaces, controls."""
_EMOJI_VARIANT = "\ufe0f"


def normalise(text: str) -> str:
    """What two messages must share to be the same keyword: "  Hi,   THERE! 👋" is "hi there"."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    start, end = 0, len(folded)
    while start < end and _is_loose(folded[start]):
        start += 1
    while end > start and _is_loose(folded[end - 1]):
        end -= 1
    return folded[start:end] or folded


def _is_loose(letter: str) -> bool:
    return unicodedata.category(letter)[0] in _LOOSE or letter == _EMOJI_VARIANT


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
        return self.keywords.get(normalise(body)) if body and len(body) <= 200 else None


def triggers_of(starts: Mapping[int, Mapping[str, Any]]) -> Triggers:
    """Triggers from journey id → its `start`; loading sees to it that no two journeys claim the same."""
    keywords: dict[str, int] = {}
    first_message = None
    for id_, start in starts.items():
        keywords.update((normalise(keyword), id_) for keyword in start["keywords"])
        first_message = id_ if start["first_message"] else first_message
    return Triggers(keywords, first_message)
