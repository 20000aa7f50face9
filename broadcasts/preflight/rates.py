"""What messages cost, as the operators keep it: a price for each country and category, in one currency."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import phone, sheets
from bot.language import _
from bot.models.policy import MessageRate

EVERYWHERE: Final = "*"
CATEGORIES: Final = ("MARKETING", "UTILITY", "AUTHENTICATION")
HEADER: Final = ("country", "category", "price", "currency")
LARGEST_FILE: Final = 256 * 1024
_MOST_PROBLEMS: Final = 20
_PRICE: Final = re.compile(r"\d{1,5}(?:\.\d{1,6})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class RateError(ValueError):
    """The rates cannot be kept; the text has every problem, one a line."""


@dataclass(frozen=True, slots=True)
class Rate:
    country: str
    category: str
    price: Decimal
    currency: str


def every(session: Session) -> Sequence[MessageRate]:
    """By country, everywhere else last."""
    order = (MessageRate.country == EVERYWHERE, MessageRate.country, MessageRate.category)
    return session.scalars(select(MessageRate).order_by(*order)).all()


def put(session: Session, country: str, category: str, price: str, currency: str) -> None:
    """Keep a price, or another one in its place; raises RateError."""
    rate, problems = _read(country, category, price, currency)
    if rate is None or problems:
        raise RateError("\n".join(problems))
    _keep(session, [rate])


def remove(session: Session, rate_id: int) -> None:
    session.execute(delete(MessageRate).where(MessageRate.id == rate_id))


def take_in(session: Session, content: bytes) -> int:
    """Put in what a CSV file says, all of it or nothing; how many prices. Raises RateError with the lines."""
    rates: dict[tuple[str, str], Rate] = {}
    problems: list[str] = []
    for number, row in _rows(content):
        rate, wrong = _read(*(row + [""] * 4)[:4])
        problems += [_("Line %(number)s: %(words)s", number=number, words=text) for text in wrong]
        if rate is not None:
            if (rate.country, rate.category) in rates:
                problems.append(
                    _(
                        "Line %(number)s: %(country)s %(category)s is there twice: keep one.",
                        number=number,
                        country=rate.country,
                        category=rate.category,
                    )
                )
            rates[rate.country, rate.category] = rate
    if not rates and not problems:
        problems = [_("There is no price in the file: put one in each line below the header.")]
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        shown = problems[:_MOST_PROBLEMS] + ([_("There are %(more)s more problems.", more=more)] if more > 0 else [])
        raise RateError("\n".join(shown))
    _keep(session, list(rates.values()))
    return len(rates)


def replace(session: Session, given: Sequence[Mapping[str, str]]) -> None:
    """Keep these prices and no others; raises RateError, with what is wrong at which place, from 0 on."""
    problems: list[str] = []
    rates: dict[tuple[str, str], Rate] = {}
    for place, each in enumerate(given):
        rate, wrong = _read(*(each.get(name, "") for name in HEADER))
        problems += [f"rates.{place}: {text}" for text in wrong]
        if rate is not None:
            if (rate.country, rate.category) in rates:
                problems.append(f"rates.{place}: {rate.country} {rate.category} is there twice: keep one.")
            rates[rate.country, rate.category] = rate
    if problems:
        raise RateError("\n".join(problems[:_MOST_PROBLEMS]))
    session.execute(delete(MessageRate))
    if rates:
        _keep(session, list(rates.values()))


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    if len(content) > LARGEST_FILE:
        raise RateError(
            _(
                "The file is larger than %(largest_file)s KiB: that is no list of rates.",
                largest_file=LARGEST_FILE // 1024,
            )
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RateError(_("The file is not UTF-8: save it as CSV UTF-8.")) from None
    lines = text.splitlines()
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text.replace("\0", "\ufffd")), delimiter=delimiter, strict=True))
    except csv.Error:
        raise RateError(_("The file cannot be read as CSV: a quotation mark is never closed.")) from None
    if not rows or tuple(cell.strip().lower() for cell in rows[0]) != HEADER:
        raise RateError(_("The first line must be %(header)s.", header=",".join(HEADER)))
    for number, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            yield number, [sheets.unguard(cell) for cell in row]


def _read(country: str, category: str, price: str, currency: str) -> tuple[Rate | None, list[str]]:
    country, category, currency = (each.strip().upper() for each in (country, category, currency))
    problems = []
    if country != EVERYWHERE and country not in phone.calling_codes():
        problems.append(
            _(
                "%(country)s is no country: write two letters such as EG, or * for all others.",
                country=country[:20] or _("Nothing"),
            )
        )
    if category not in CATEGORIES:
        problems.append(
            _(
                "%(category)s is no category: write one of %(categories)s.",
                category=category[:20] or _("Nothing"),
                categories=", ".join(CATEGORIES),
            )
        )
    if not _CURRENCY.fullmatch(currency):
        problems.append(
            _("%(currency)s is no currency: write three letters such as USD.", currency=currency[:20] or _("Nothing"))
        )
    amount = _amount(price)
    if amount is None:
        problems.append(_("A price is a number below 100,000 with a point and six decimals at most, such as 0.0455."))
    return (None, problems) if problems or amount is None else (Rate(country, category, amount, currency), [])


def _amount(price: str) -> Decimal | None:
    try:
        return Decimal(price.strip()) if _PRICE.fullmatch(price.strip()) and price.isascii() else None
    except InvalidOperation:
        return None


def _keep(session: Session, rates: Sequence[Rate]) -> None:
    """Those of another currency have to be replaced at once, or to go first: sums of two would say nothing."""
    told = {each.currency for each in rates}
    others = select(MessageRate).where(MessageRate.currency.not_in(told))
    kept = {(each.country, each.category) for each in rates}
    left = [each for each in session.scalars(others) if (each.country, each.category) not in kept]
    if len(told) > 1 or left:
        known = ", ".join(sorted(told | {each.currency for each in left}))
        raise RateError(
            _(
                "All rates are in one currency, and these would be in %(known)s: choose one of them for all.",
                known=known,
            )
        )
    rows = [
        {"country": each.country, "category": each.category, "price": each.price, "currency": each.currency}
        for each in rates
    ]
    made = insert(MessageRate).values(rows)
    changed = {"price": made.excluded.price, "currency": made.excluded.currency}
    session.execute(made.on_conflict_do_update(index_elements=["country", "category"], set_=changed))
