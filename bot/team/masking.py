"""Phone numbers and e-mail addresses, shortened to what tells two apart, for those who may not see them in full.

Found by how they look, wherever they stand: in a column, a name, a text that somebody wrote, a link. What looks like
any other digits, such as a number without a plus, may be asked for: bot.team.hiding does.
"""

import re
from collections.abc import Callable, Collection

_GAP = r"(?:[ \t().\-/\u00a0\u2000-\u206f\u2212\uff0d]|%20|&nbsp;){0,3}"
"""What people write between digits, marks that cannot be seen included."""
_PLUS = r"(?:[+\uff0b]|%2[Bb]|&#43;)"
_PHONE = re.compile(rf"{_PLUS}[ (]{{0,2}}(?!0)\d(?:{_GAP}\d){{6,14}}(?!\d)")
_PART = r"[ .\-\u00a0\u2010-\u2015\u2212]"
_LOCAL = re.compile(
    rf"(?<![\w.,:/+\-#])(?:\(?0(?:0 ?)?[1-9](?:{_GAP}\d){{5,13}}"
    rf"|(?:1{_PART}{{1,2}})?(?:\([2-9]\d\d\){_PART}{{0,3}}\d{{3}}{_PART}{{0,3}}"
    rf"|[2-9]\d\d{_PART}{{1,3}}\d{{3}}{_PART}{{1,3}})\d{{4}})(?![\w:])"
)
"""As it is dialled within a country, with a 0 before it or in the groups of North America."""
_CUT = re.compile(rf"({_PLUS}\d\d)[\d \-]*(?=…| …|\.\.\.)")
"""A number at which a text was cut short."""
_DATE = re.compile(r"\d\d([./\-])\d\d\1\d{4}")
_EMAIL = re.compile(r"[\w.%+\-]{1,64}(?:@|%40)(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}")
_DIGITS = re.compile(r"\d")
_RUN = re.compile(rf"(?<!\w)\d(?:{_GAP}\d){{6,14}}(?!\w)|(?<!\d)\d{{7,15}}(?!\d)")
_PIECE = re.compile(r"(?<!\d)\d{7,15}(?!\d)")
_HIDDEN = re.compile(r"\+\d\d … \d\d|[\w.%+\-]…@…\.[^\W\d_]{2,24}")

Somebodys = Callable[[Collection[str]], Collection[str]]
"""Which of these, digits alone, are the number of somebody we know."""


def masked(text: str, keep: Collection[str] = (), somebodys: Somebodys | None = None) -> str:
    """`+4930901842` as `+49 … 42` and `ada@example.org` as `a…@….org`, wherever they stand; but those of `keep`."""
    if not _DIGITS.search(text) and "@" not in text and "%40" not in text:
        return text
    hidden = _PHONE.sub(lambda found: found[0] if found[0] in keep else _phone(found[0]), text)
    hidden = _EMAIL.sub(lambda found: found[0] if found[0] in keep else _email(found[0]), hidden)
    if somebodys is not None:
        hidden = _known(hidden, {digits(each) for each in keep}, somebodys)
    return _LOCAL.sub(_local, _CUT.sub(r"\1 ", hidden))


def is_hidden(text: str) -> bool:
    """Whether somebody is about to send back what they were shown in place of contact."""
    return _HIDDEN.search(text) is not None


def _known(text: str, keep: Collection[str], somebodys: Somebodys) -> str:
    """A run of digits and gaps is asked for whole and in pieces, as another number may stand before it."""
    runs = [found[0] for found in _RUN.finditer(text)]
    pieces = {*map(digits, runs), *(piece for run in runs for piece in _PIECE.findall(run))}
    known = set(somebodys(pieces)).difference(keep) if pieces else set()
    if not known:
        return text

    def hide(found: re.Match[str]) -> str:
        return _phone(found[0]) if digits(found[0]) in known else found[0]

    return _RUN.sub(lambda run: hide(run) if digits(run[0]) in known else _PIECE.sub(hide, run[0]), text)


def _local(found: re.Match[str]) -> str:
    """A value that is nothing but digits may be an id with a 0 before it, which programs need; a date is none."""
    before, after = found.string[found.start() - 1 : found.start()], found.string[found.end() : found.end() + 1]
    if _DATE.match(found[0]) or (before == after == '"' and found[0].isdecimal()):
        return found[0]
    return f"{digits(found[0])[:2]} … {digits(found[0])[-2:]}"


def digits(number: str) -> str:
    return "".join(str(int(each)) for each in _DIGITS.findall(re.sub("%2[Bb]|%20|&#43;", "", number)))


def _phone(number: str) -> str:
    plain = digits(number)
    return f"+{plain[:2]} … {plain[-2:]}"


def _email(address: str) -> str:
    return f"{address[0]}…@….{address.rpartition('.')[2]}"
