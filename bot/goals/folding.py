"""Words as people type them: without case, accents, emoji and what stands between words."""

import unicodedata

_LOOSE = "PSZC"
"""Unicode categories that separate words: punctuation, signs and emoji, spaces, controls."""
_ACCENTS = range(0x300, 0x370)
"""Of Latin, Greek and Cyrillic letters; the marks of other scripts are letters to whoever reads them."""


def fold(text: str) -> str:
    """What is "oui j achete" however it is typed, as in "  Oui, J'ACHÈTE!! 👍"."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    letters = (each for each in apart if ord(each) not in _ACCENTS)
    return " ".join("".join(" " if unicodedata.category(each)[0] in _LOOSE else each for each in letters).split())


def holds(body: str, words: str) -> bool:
    """Whether the words stand in the body as whole words, one after another; both are folded."""
    return f" {words} " in f" {body} "
