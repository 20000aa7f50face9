"""The name a file gets when it is saved: made from what its sender called it, of which nothing is to be trusted."""

import re
import unicodedata
from urllib.parse import quote

from bot.media import kinds

MOST_CHARACTERS = 120
_PARTS = re.compile(r"[/\\]")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}$")
_ODD = re.compile(r"[^A-Za-z0-9 ._()+-]")
_UNSAFE = '<>:"|?*;%'
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what nobody sees: controls, line ends, and marks that turn the direction of writing round."""


def safe_name(told: str | None, mime_type: str | None, media_id: int) -> str:
    """The last part of a path, printable, short, and with the ending of its type where a browser may show it."""
    last = _PARTS.split(unicodedata.normalize("NFKC", told or ""))[-1]  # a wide slash is a slash
    seen = "".join(letter for letter in last if unicodedata.category(letter) not in _HIDDEN and letter not in _UNSAFE)
    found = _ENDING.search(seen)
    ending = found[0] if found else ""
    stem = seen.removesuffix(ending).strip(" .")[: MOST_CHARACTERS - len(ending)].strip(" .")
    if mime_type in kinds.INLINE:
        ending = f".{kinds.INLINE[mime_type]}"
    return f"{stem or f'file-{media_id}'}{ending}"


def disposition(way: str, name: str) -> str:
    """A Content-Disposition header as RFC 6266 has it: the name for old readers in ASCII, for others in full."""
    plain = _ODD.sub("", unicodedata.normalize("NFKD", name)).strip(" .") or "file"
    header = f'{way}; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"
