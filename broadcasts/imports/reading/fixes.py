"""What a bad cell most likely means: proposed only where a single reading is left, and taken only by a person."""

import re
import unicodedata
from collections.abc import Iterator

from bot import phone as phones
from broadcasts.imports.reading.dialects import PhoneForm

_SEPARATORS = re.compile(r"[\s().\-\u2010-\u2015\u2212\u00ad\u2019'`]+|(?i:^\s*(?:tel|whatsapp|phone|mobile)\s*[.:]+)")
_COMPACT = re.compile(r"\+?[0-9]{4,18}")
_TRUNK_IN_BRACKETS = re.compile(r"(?<=[0-9)\s])\(0\)")
_LETTERS_FOR_DIGITS = str.maketrans("OoIl|", "00111")
_ARGENTINE_15 = re.compile(r"0?(\d{2,4})15(\d{6,8})")
_MEXICAN_TRUNK = re.compile(r"0(?:44|45|1)(\d{10})")

_DOMAIN_TYPOS = {
    "gmailcom": "gmail.com",
    "gmail": "gmail.com",
    "gmail,com": "gmail.com",
    "yahoocom": "yahoo.com",
    "yahoo": "yahoo.com",
    "hotmailcom": "hotmail.com",
    "hotmail": "hotmail.com",
    "outlookcom": "outlook.com",
    "outlook": "outlook.com",
    "icloud": "icloud.com",
}


def compact(text: str) -> str | None:
    """A number as people write it → digits, with a plus in front where it is complete; None if it is none."""
    digits = text if text.isascii() else "".join(map(_plain, text))
    bare = _SEPARATORS.sub("", _TRUNK_IN_BRACKETS.sub("", digits))
    if bare.startswith("00"):
        bare = f"+{bare[2:]}"
    return bare if _COMPACT.fullmatch(bare) else None


def phone(text: str, form: PhoneForm, country: str | None) -> str | None:
    """The one number that exists and may be meant, as the dialect writes it."""
    found = {number for each in _readings(text) if (number := _known(each, country))}
    if len(found) != 1:
        return None
    number = found.pop()
    return number.removeprefix("+") if form is PhoneForm.DIGITS else number


def _readings(text: str) -> Iterator[str]:
    """As it stands, with letters that look like digits, and with what Argentina and Mexico put inside."""
    for each in dict.fromkeys((text, text.translate(_LETTERS_FOR_DIGITS))):
        bare = compact(each)
        if bare is None:
            continue
        yield bare
        local = bare.removeprefix("+").removeprefix("54")
        if (match := _ARGENTINE_15.fullmatch(local)) and len(match[1] + match[2]) == 10:
            yield f"+549{match[1]}{match[2]}"
        if match := _MEXICAN_TRUNK.fullmatch(bare.removeprefix("+").removeprefix("52")):
            yield f"+52{match[1]}"


def _known(digits: str, country: str | None) -> str | None:
    """E.164 of a number in use somewhere: complete as it stands, or within the country."""
    tries: list[tuple[str, str | None]] = [(digits, country)] if country and not digits.startswith("+") else []
    tries += [(digits if digits.startswith("+") else f"+{digits}", None)]
    for each, region in tries:
        try:
            found = phones.parse(each, region)
        except phones.PhoneError:
            continue
        if phones.is_assigned(found.e164):
            return found.e164
    return None


def email(text: str, form: re.Pattern[str]) -> str | None:
    """Without what was copied along, and with the dot of a well-known provider."""
    bare = re.sub(r"\s+|\(at\)|\[at\]", lambda match: "@" if "at" in match[0] else "", text.lower())
    bare = re.sub(r"^(?:mailto:|.*<)|>.*$", "", bare).strip(".,;:'\"()<>")
    name, _, domain = re.sub(r"@+", "@", bare).partition("@")
    domain = _DOMAIN_TYPOS.get(domain, re.sub(r"[.,]+", ".", domain))
    proposal = f"{name}@{domain}"
    return proposal if form.fullmatch(proposal) and proposal != text else None


def one_line(text: str) -> str | None:
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line or None


def _plain(character: str) -> str:
    """Digits of any script as ours; the full-width plus too."""
    value = unicodedata.digit(character, None)
    return str(value) if value is not None else unicodedata.normalize("NFKC", character)
