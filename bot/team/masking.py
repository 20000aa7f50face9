"""Phone numbers and e-mail addresses, shortened to what tells two apart, for those who may not see them in full."""

import re
from collections.abc import Collection

_PHONE = re.compile(r"(?:\+|%2B)[1-9](?:[ ().\-\u00a0]{0,2}\d){6,14}(?!\d)")
_EMAIL = re.compile(r"[\w.%+\-]{1,64}@(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}")
_DIGITS = re.compile(r"\d")


def masked(text: str, keep: Collection[str] = ()) -> str:
    """`+4930901842` as `+49 … 42` and `ada@example.org` as `a…@….org`, wherever they stand; but those of `keep`."""
    if "+" not in text and "@" not in text and "%2B" not in text:
        return text
    hidden = _PHONE.sub(lambda found: found[0] if found[0] in keep else _phone(found[0]), text)
    return _EMAIL.sub(lambda found: found[0] if found[0] in keep else _email(found[0]), hidden)


def _phone(number: str) -> str:
    digits = "".join(_DIGITS.findall(number.removeprefix("%2B")))
    return f"+{digits[:2]} … {digits[-2:]}"


def _email(address: str) -> str:
    return f"{address[0]}…@….{address.rpartition('.')[2]}"
