"""What pages say, in their reader's language; what is stored, logged or told to machines stays English.

English is the source: a text without a translation is said as it is written here. Whoever answers people lets
this module know their reader's translations; everybody else, workers and commands and the API, is told English.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from decimal import Decimal
from gettext import NullTranslations
from typing import TypeVar

Say = Callable[[str], str]
"""What makes a text that was marked with `later` one of somebody's language; `str` leaves it in English."""
Key = TypeVar("Key")
Made = TypeVar("Made")

SOURCE = "en"
LANGUAGES = {"en": "English", "de": "Deutsch"}
"""Code → what the language calls itself. Each besides English has a catalogue in every package's translations/."""

_kept: ContextVar[NullTranslations | None] = ContextVar("kept", default=None)
_reader: list[Callable[[], NullTranslations]] = []


def follow(translations: Callable[[], NullTranslations]) -> None:
    """From now on, ask this for the translations of whoever is being answered; outside a page it gives none."""
    _reader[:] = [translations]


def keep(work: Callable[[], Made]) -> Callable[[], Made]:
    """The same work, which wherever it is done then says what it says in the language of whoever asks for it now."""
    now = _translations()

    def speak() -> Made:
        token = _kept.set(now)
        try:
            return work()
        finally:
            _kept.reset(token)

    return speak


def _translations() -> NullTranslations:
    return _kept.get() or (_reader[0]() if _reader else NullTranslations())


def _(text: str, **values: object) -> str:
    """The text in the reader's language; values go into its %(names)s. Only for texts that are written right there."""
    said = _translations().gettext(text)
    return said % values if values else said


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """As `_`, by number; the count is %(num)s in it."""
    return _translations().ngettext(one, many, count) % {"num": count, **values}


def figure(value: float | Decimal, places: int = 0) -> str:
    """`12,345` in English, `12.345` in German: the catalogue shows by what its digits are parted."""
    shown = _("1,000.5")
    return f"{value:,.{places}f}".translate({ord(","): shown[1], ord("."): shown[5]})


def later(text: str) -> str:
    """Marks a word of a table, which is made before anybody asks: the page that shows it translates it."""
    return text


def spoken(words: Mapping[Key, str]) -> dict[Key, str]:
    """A table of words that were marked with `later`, in the reader's language."""
    return {key: translated(word) for key, word in words.items()}


def translated(word: object) -> str:
    """A word of a table that was marked with `later`, in the reader's language."""
    return _translations().gettext(str(word))
