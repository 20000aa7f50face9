"""What a broadcast says, in how many variants and languages; variant 0 is A."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from bot.models.broadcast import Broadcast, BroadcastWording

OTHERS: Final = "others"
"""In place of a language: whoever of a variant has no wording in theirs."""


@dataclass(frozen=True, slots=True)
class Wording:
    """`id` is None for the broadcast's own."""

    id: int | None
    variant: int
    language: str | None
    """Whose wording it is; None for everybody of the variant without one of their own."""
    template: str
    """Its name and language."""


def letter(variant: int) -> str:
    return chr(ord("A") + variant) if variant < 26 else str(variant + 1)


def of(session: Session, broadcast: Broadcast) -> list[Wording]:
    """Its own first, then by variant and language."""
    own = Wording(None, 0, None, f"{broadcast.template.name} ({broadcast.template.language})")
    others = session.scalars(
        select(BroadcastWording)
        .where(BroadcastWording.broadcast_id == broadcast.id)
        .options(joinedload(BroadcastWording.template))
        .order_by(BroadcastWording.variant, BroadcastWording.language.nulls_first())
    )
    return [own, *(Wording(w.id, w.variant, w.language, f"{w.template.name} ({w.template.language})") for w in others)]
