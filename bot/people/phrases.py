"""When two short messages are the same, however they were typed."""

import unicodedata

LONGEST = 200
"""Characters of a message that may be one phrase as a whole."""

_LOOSE = "PSZC"
"""Unicode categories that do not count at the ends of a message: punctuation, signs and emoji, spaces, controls."""
_EMOJI_VARIANT = "\ufe0f"


def normalise(text: str) -> str:
    """What two messages must share to be the same phrase: "  Hi,   THERE! 👋" is "hi there"."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    start, end = 0, len(folded)
    while start < end and _is_loose(folded[start]):
        start += 1
    while end > start and _is_loose(folded[end - 1]):
        end -= 1
    return folded[start:end] or folded


def _is_loose(letter: str) -> bool:
    return unicodedata.category(letter)[0] in _LOOSE or letter == _EMOJI_VARIANT
