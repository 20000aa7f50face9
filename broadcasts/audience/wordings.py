"""Who reads which wording: by their variant, and in the language of theirs that comes closest."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _
from bot.models.broadcast import Broadcast, BroadcastWording, Template
from broadcasts.broadcasts import BroadcastError
from broadcasts.templates.templates import frozen


@dataclass(frozen=True, slots=True)
class Wording:
    """One somebody may get: `id` is None for the broadcast's own."""

    id: int | None
    variant: int
    language: str
    is_fallback: bool
    """It is for whoever of its variant has none in their language."""


def freeze(session: Session, broadcast: Broadcast) -> None:
    """Keep the templates of all wordings as they stand; for the launch. Raises BroadcastError.

    Who wants no marketing is asked of a broadcast, not of a wording, so that all have to be of one category.
    """
    own = session.get_one(Template, broadcast.template_id).category
    for wording in _rows(session, broadcast):
        template = session.get_one(Template, wording.template_id, populate_existing=True)
        if template.category != own:
            raise BroadcastError(
                _(
                    "“%(name)s” (%(language)s) is %(category)s and the broadcast's own template %(own)s: all "
                    "wordings of a broadcast have to be of one category.",
                    name=template.name,
                    language=template.language,
                    category=template.category,
                    own=own,
                )
            )
        wording.frozen_template = frozen(template)
    session.flush()


def of(session: Session, broadcast: Broadcast) -> list[Wording]:
    """All of a broadcast, its own first; of a draft as they would be frozen now."""
    mine = broadcast.frozen_template or frozen(session.get_one(Template, broadcast.template_id))
    own = Wording(None, 0, _key(mine.get("language")), is_fallback=True)
    others = [
        Wording(
            each.id,
            each.variant,
            _key(each.language or (each.frozen_template or frozen(each.template)).get("language")),
            is_fallback=each.language is None,
        )
        for each in _rows(session, broadcast)
    ]
    return [own, *others]


def count_variants(session: Session, broadcast: Broadcast) -> int:
    return 1 + max((each.variant for each in _rows(session, broadcast)), default=0)


def choose(wordings: Sequence[Wording], variant: int, language: str | None) -> int | None:
    """The id of the one for somebody: in their language, in a near relative of it, else the variant's fallback.

    `pt` and `pt_PT` are met by `pt_BR` where there is neither; of equals the fallback goes first, then the oldest.
    """
    fitting = [each for each in wordings if each.variant == variant] or [wordings[0]]
    return min(fitting, key=lambda each: (_distance(_key(language), each), not each.is_fallback)).id


_SAME, _GENERAL, _RELATED, _FALLBACK, _FOREIGN = range(5)


def _distance(wanted: str, wording: Wording) -> int:
    if wanted and wording.language == wanted:
        return _SAME
    if wanted and wording.language == _base(wanted):
        return _GENERAL
    if wanted and _base(wording.language) == _base(wanted):
        return _RELATED
    return _FALLBACK if wording.is_fallback else _FOREIGN


def _key(language: str | None) -> str:
    return (language or "").replace("-", "_").lower()


def _base(key: str) -> str:
    return key.partition("_")[0]


def _rows(session: Session, broadcast: Broadcast) -> Sequence[BroadcastWording]:
    found = select(BroadcastWording).where(BroadcastWording.broadcast_id == broadcast.id)
    return session.scalars(found.order_by(BroadcastWording.variant, BroadcastWording.id)).all()
