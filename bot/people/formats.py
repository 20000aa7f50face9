"""How each type of attribute is written: what pages, sample files and refusals tell people."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.language import _, figure, later, translated
from bot.models.words import PropertyType

LONGEST = 4096
"""Characters of a value as text, so that whatever is stored fits a cell of a list."""

GREATEST = 2**53 - 1
"""Beyond it readers of JSON round integers."""


class AttributeValueError(ValueError):
    """The text says what is wrong and what would be right, and reads on from the attribute's name."""


@dataclass(frozen=True, slots=True)
class Format:
    label: str
    explanation: str
    example: str


FORMATS: Mapping[PropertyType, Format] = {
    PropertyType.TEXT: Format(later("Text"), f"Any text of at most {LONGEST:,} characters.", "Algebra I"),
    PropertyType.NUMBER: Format(
        later("Number"), later("Digits, with a point before decimals and no other signs."), "12.5"
    ),
    PropertyType.DATE: Format(later("Date"), later("Year, month and day, with hyphens."), "2026-01-31"),
    PropertyType.TIME: Format(
        later("Time"), later("Hours of 24 and minutes, and seconds where they matter."), "14:30:00"
    ),
    PropertyType.DATETIME: Format(
        later("Date and time"),
        later(
            "Date, T, time, and Z for UTC or an offset such as +02:00; with no offset it is UTC, with no time midnight."
        ),
        "2026-01-31T12:00:00Z",
    ),
    PropertyType.BOOLEAN: Format(
        later("Yes or no"), later("The word true or false; yes, no, 1 and 0 are understood."), "true"
    ),
    PropertyType.ARRAY: Format(
        later("List"),
        later("A JSON list of texts, numbers, true and false, in square brackets."),
        '["red", "green", 3]',
    ),
    PropertyType.OBJECT: Format(
        later("Object"),
        later("A JSON object in curly brackets; lists and objects may be inside."),
        '{"floor": 3, "wing": "east"}',
    ),
    PropertyType.LOCATION: Format(
        later("Place"),
        later(
            "Latitude and longitude in degrees with a comma between, or a JSON object of latitude, longitude and, "
            "where known, name and address."
        ),
        "30.0444, 31.2357",
    ),
}


def wrong(kind: PropertyType, shown: str) -> AttributeValueError:
    """The refusal of a value that is not of its type."""
    told = FORMATS[kind]
    shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
    return AttributeValueError(
        _(
            "%(shown)s is not of type %(kind)s. %(explanation)s: for example %(example)s",
            shown=shown,
            kind=kind,
            explanation=translated(told.explanation).removesuffix("."),
            example=told.example,
        )
    )


def short_text(text: str) -> str:
    """The same text, if it can be stored and is not too long; raises AttributeValueError."""
    if len(text) > LONGEST:
        raise AttributeValueError(_("is longer than %(most)s characters: shorten it.", most=figure(LONGEST)))
    if "\0" in text:
        raise AttributeValueError(_("holds a NUL character, which cannot be seen: type it anew."))
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise AttributeValueError(_("holds half a character: type it anew."))
    return text


def exact_number(value: float) -> int | float:
    """Whole numbers without a point, so that 12 and 12.0 are one value; raises AttributeValueError."""
    if not abs(value) <= GREATEST:  # nor is NaN
        raise AttributeValueError(
            _("is more than a number holds exactly: write at most %(most)s, or use the type TEXT.", most=GREATEST)
        )
    return int(value) if float(value).is_integer() else value
