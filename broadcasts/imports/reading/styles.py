"""What a number in a workbook's cell looks like to whoever wrote it: a date, a time, or digits with zeros in front."""

import re
from datetime import datetime, timedelta
from enum import StrEnum

_DATES = frozenset({*range(14, 18), 22, *range(27, 32), *range(34, 37), *range(50, 59)})
_TIMES = frozenset({*range(18, 22), 32, 33, *range(45, 48)})
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_PADDED = re.compile(r'(?:"\+"|\\\+|\+)?0{2,}')
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 (sheets know no zones)
_LAST_DAY = 2_958_465
_FALSE_LEAP_DAY = 60
"""The 29th of February 1900, which the first spreadsheet programs believed in."""
_EXACT_DIGITS = 15


class Look(StrEnum):
    DATE = "date"
    TIME = "time"


def look_of(number: int, code: str | None) -> Look | str | None:
    """How a number format shows a number; a pattern such as +000000000000 comes back as it is, None says nothing."""
    if code is None:
        return Look.DATE if number in _DATES else Look.TIME if number in _TIMES else None
    if _PADDED.fullmatch(code):
        return code
    first = _NOT_SHOWN.sub("", code).partition(";")[0].lower()
    if re.search(r"[yd]|m{3,}", first):
        return Look.DATE
    return Look.TIME if re.search("[hs]", first) else Look.DATE if "m" in first else None


def shown(raw: str, look: Look | str | None, *, is_1904: bool) -> str:
    """A number as the text that a typed column, or a person, takes it for."""
    try:
        value = float(raw)
    except ValueError:
        return raw
    if isinstance(look, Look):
        return _moment(value, look, is_1904=is_1904) or _plain(raw, value)
    text = _plain(raw, value)
    if look and text.isdecimal():
        width = look.count("0")
        return ("+" if "+" in look and len(text) >= width else "") + text.zfill(width)
    return text


def _plain(raw: str, value: float) -> str:
    """Digits without exponent; decimals as far as spreadsheet programs show them."""
    if raw.isdecimal():
        return raw
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return f"{value:.{_EXACT_DIGITS}g}"


def _moment(value: float, look: Look, *, is_1904: bool) -> str | None:
    """2026-01-31, 14:30:00 or both with a T, from days since the epoch; None for what is no day."""
    if not 0 <= value <= _LAST_DAY:
        return None
    if not is_1904 and value < _FALSE_LEAP_DAY and look is Look.DATE:
        value += 1
    told = (_EPOCH_1904 if is_1904 else _EPOCH) + timedelta(seconds=round(value * 86_400))
    if look is Look.TIME and value < 1:
        return told.time().isoformat()
    if look is Look.TIME and not is_1904 and value < 2 * 366:
        return None  # a duration of days
    return told.date().isoformat() if told.time() == told.min.time() else told.isoformat()
