"""What a broadcast says, in how many variants and languages; variant 0 is A."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from bot.language import _
from bot.messages.templates import PreviewText, preview_of
from bot.models.broadcast import Broadcast, BroadcastWording
from broadcasts.templates.templates import frozen

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


@dataclass(frozen=True, slots=True)
class Said:
    """What is sent in one wording, with the slots' texts in their places."""

    title: str
    """`Variant B · de`; empty where there is no other."""
    text: PreviewText
    slots: Mapping[str, str]


def letter(variant: int) -> str:
    return chr(ord("A") + variant) if variant < 26 else str(variant + 1)


def of(session: Session, broadcast: Broadcast) -> list[Wording]:
    """Its own first, then by variant and language."""
    own = Wording(None, 0, None, f"{broadcast.template.name} ({broadcast.template.language})")
    others = _others(session, broadcast)
    return [own, *(Wording(w.id, w.variant, w.language, f"{w.template.name} ({w.template.language})") for w in others)]


def said(session: Session, broadcast: Broadcast) -> list[Said]:
    """In the same order, as it stood at the launch."""
    others = _others(session, broadcast)
    has_variants = any(each.variant for each in others)
    own = broadcast.frozen_template or frozen(broadcast.template)
    found = [_said(0, own, broadcast.slots, has_variants=has_variants)]
    for each in others:
        text = each.frozen_template or frozen(each.template)
        found.append(_said(each.variant, text, each.slots, has_variants=has_variants))
    return found if others else [Said("", found[0].text, found[0].slots)]


def _said(variant: int, text: Mapping[str, Any], slots: Mapping[str, str], *, has_variants: bool) -> Said:
    title = (
        _("Variant %(letter)s · %(language)s", letter=letter(variant), language=text["language"])
        if has_variants
        else str(text["language"])
    )
    return Said(title, preview_of(text, slots), slots)


def _others(session: Session, broadcast: Broadcast) -> Sequence[BroadcastWording]:
    return session.scalars(
        select(BroadcastWording)
        .where(BroadcastWording.broadcast_id == broadcast.id)
        .options(joinedload(BroadcastWording.template))
        .order_by(BroadcastWording.variant, BroadcastWording.language.nulls_first())
    ).all()
