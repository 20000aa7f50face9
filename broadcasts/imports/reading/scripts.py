"""Which eight-bit encoding a list is in that is not UTF-8: told by the letters that each language uses most."""

import codecs
import re
from collections import Counter
from collections.abc import Mapping

_FOREIGN_RUN = re.compile(rb"[\x80-\xff]+")
_WESTERN = "cp1252"
_FREQUENT: Mapping[str, str] = {
    "cp1256": "\u0627\u0644\u064a\u0645\u0648\u0646\u0631\u062a\u0628\u0629\u0639\u062f\u0633\u062d\u0647",
    "cp1251": "\u043e\u0435\u0430\u0438\u043d\u0442\u0441\u0440\u0432\u043b\u043a\u043c\u0434\u043f\u0443",
    "cp1253": "\u03b1\u03bf\u03b9\u03b5\u03c4\u03c3\u03bd\u03b7\u03c5\u03c1\u03c0\u03ba\u03bc\u03bb\u03c2",
    "cp1255": "\u05d9\u05d5\u05d4\u05dc\u05d0\u05e8\u05d1\u05de\u05ea\u05e9\u05e0\u05d3\u05e7\u05e2\u05d7",
}
"""The fifteen most frequent letters of Arabic, Russian, Greek and Hebrew."""
_WHOLE_WORDS = 1.5
"""Letters in a row: in Western words accented letters stand alone."""
_FEWEST = 12
_SURE = 0.55
_APART = 0.12


class Scripts:
    """Looks at the bytes of a file as they come, however many."""

    def __init__(self) -> None:
        self._utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self._bytes: Counter[int] = Counter()
        self._runs = 0

    def look(self, data: bytes) -> None:
        if data.isascii() and not (self._utf8 and self._utf8.getstate()[0]):
            return
        if self._utf8 is not None:
            try:
                self._utf8.decode(data)
            except UnicodeDecodeError:
                self._utf8 = None
        found = _FOREIGN_RUN.findall(data)
        self._runs += len(found)
        self._bytes.update(b"".join(found))

    def encoding(self) -> str | None:
        """UTF-8 if every byte fits it, Windows-1252 if letters look Western, another if it is sure, else None."""
        if self._utf8 is not None and not self._utf8.getstate()[0]:
            return "utf-8"
        if self._bytes.total() <= _WHOLE_WORDS * self._runs:
            return _WESTERN
        if self._bytes.total() < _FEWEST:
            return None
        best, next_best = sorted(((self._share(each), each) for each in _FREQUENT), reverse=True)[:2]
        return best[1] if best[0] >= _SURE and best[0] - next_best[0] >= _APART else None

    def _share(self, encoding: str) -> float:
        """How much of the foreign text is frequent letters, if that is what it is written in."""
        frequent = frozenset(_FREQUENT[encoding].encode(encoding))
        capitals = frozenset(_FREQUENT[encoding].upper().encode(encoding, "ignore"))
        return sum(n for byte, n in self._bytes.items() if byte in frequent | capitals) / self._bytes.total()
