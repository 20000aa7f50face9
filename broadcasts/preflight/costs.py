"""What a broadcast will cost at most, by the rates that the operators keep; what has no rate is said, and never 0."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from broadcasts.preflight import rates
from broadcasts.preflight.rates import EVERYWHERE

UNKNOWN = "??"
"""For people whose country their address does not tell."""


@dataclass(frozen=True, slots=True)
class Line:
    country: str
    people: int
    price: Decimal | None
    """None: nobody has said."""
    is_everywhere: bool
    """It is the price of everywhere else."""

    @property
    def amount(self) -> Decimal | None:
        return None if self.price is None else self.price * self.people


@dataclass(frozen=True, slots=True)
class Estimate:
    category: str
    currency: str | None
    lines: Sequence[Line]
    """The most people first."""

    @property
    def amount(self) -> Decimal:
        return sum((each.amount for each in self.lines if each.amount is not None), Decimal(0))

    @property
    def unpriced(self) -> int:
        """People for whom there is no rate, so that they are not in the sum."""
        return sum(each.people for each in self.lines if each.price is None)


def estimate(session: Session, category: str, people: Mapping[str, int]) -> Estimate:
    """`people` by country (ISO 3166 alpha-2, or UNKNOWN)."""
    kept = rates.every(session)
    prices = {each.country: each.price for each in kept if each.category == category}
    lines = [
        Line(country, count, prices.get(country, prices.get(EVERYWHERE)), country not in prices)
        for country, count in Counter(people).most_common()
    ]
    return Estimate(category, kept[0].currency if kept else None, lines)
