"""Which variant the others get: the one with the largest share, among those who accepted it, of what was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.words import WinnerMetric

FEW: Final = 100
"""With fewer of a variant the difference may well be chance, and is said to be."""

_FIGURES = text("""
    SELECT a.variant, count(*) AS accepted,
           count(*) FILTER (WHERE m.delivery_level >= 2) AS delivered,
           count(*) FILTER (WHERE m.delivery_level >= 3) AS read,
           count(r.replied_at) AS replied
      FROM message m
      JOIN audience_person a ON a.broadcast_id = m.broadcast_id AND a.person_id = m.person_id
      LEFT JOIN broadcast_response r ON r.broadcast_id = m.broadcast_id AND r.person_id = m.person_id
     WHERE m.broadcast_id = :id AND m.state = 'accepted'
     GROUP BY a.variant ORDER BY a.variant
""")


@dataclass(frozen=True, slots=True)
class Figure:
    variant: int
    accepted: int
    counted: int

    @property
    def share(self) -> Fraction:
        return Fraction(self.counted, self.accepted) if self.accepted else Fraction(0)

    def __str__(self) -> str:
        return f"{letter(self.variant)} {self.counted:,} of {self.accepted:,} ({float(self.share) * 100:.1f} %)"


def letter(variant: int) -> str:
    """0 is A."""
    return chr(ord("A") + variant)


def figures(session: Session, broadcast: Broadcast, variants: int) -> list[Figure]:
    """Of every variant, also of one nobody accepted."""
    metric = WinnerMetric(broadcast.winner_metric or WinnerMetric.READ)
    found = {row.variant: row for row in session.execute(_FIGURES, {"id": broadcast.id})}
    return [
        Figure(each, found[each].accepted, getattr(found[each], metric)) if each in found else Figure(each, 0, 0)
        for each in range(variants)
    ]


def choose(figures: Sequence[Figure]) -> Figure:
    """Of equals the first."""
    return max(figures, key=lambda each: (each.share, -each.variant))


def in_words(figures: Sequence[Figure], metric: str) -> str:
    won = choose(figures)
    told = f"{letter(won.variant)} goes to the others, by the share {metric}: {', '.join(map(str, figures))}."
    few = min(each.accepted for each in figures)
    return told if few >= FEW else f"{told} With {few:,} of a variant that may be chance."
