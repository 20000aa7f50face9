"""A list of people as a marketer exports it, with what is wrong in it known beforehand."""

import csv
from dataclasses import dataclass
from pathlib import Path

OWN = ("username", "phone_no", "email", "first_name", "last_name", "title", "account")
HEADER = (*(f"user.{name}" for name in OWN), "course")

BAD = (
    ("", "not a number"),
    ("", "12"),
    ("", "+++"),
    ("", "2010000000001234567"),
    ("", ""),
)
"""Cells that no row may have: (username, phone)."""

LITERAL = "{{7*7}} <<user.course>> <%x%> [[7*7]]"
"""A name that must arrive as it stands: values are data."""


@dataclass(frozen=True)
class Roll:
    """`good` maps what the provider is told (digits) to the first name; `bad` counts the rows to be kept out."""

    path: Path
    good: dict[str, str]
    bad: int


def write(path: Path, size: int, bad: int, operator: str = "109") -> Roll:
    """`size` rows in the dialect with digits and a country, every so-and-so-many of them bad.

    Lists with another `operator` (the first digits of a mobile number) hold other people.
    """
    good: dict[str, str] = {}
    step = size // bad
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        for number in range(size):
            name = f"Nile{number}é" if number % 7 else f"O'Neill, {number}"
            if number == 1:
                name = LITERAL
            username, phone = f"pupil-{operator}-{number}", f"{operator}{number:07d}"
            if number % step == step - 1:
                username, phone = BAD[(number // step) % len(BAD)]
            else:
                good[f"20{phone}"] = name
            rows.writerow((username, phone, "", name, "Doe", "", "basic", "Algebra"))
    return Roll(path, good, bad)
