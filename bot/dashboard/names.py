"""How a name looks when there is no picture: initials on one of a few colours."""

import zlib

from flask import Flask

TINTS = 6


def init(app: Flask) -> None:
    app.jinja_env.filters.update(initials=initials, tint=tint)


def initials(name: str) -> str:
    """First letters of the first and last word; of a phone number its last two digits."""
    words = [word for word in name.split() if word[0].isalpha()]
    if not words:
        return "".join(sign for sign in name if sign.isalnum())[-2:] or "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def tint(name: str) -> int:
    """Which of the stylesheet's avatar colours; always the same for a name."""
    return zlib.crc32(name.encode()) % TINTS
