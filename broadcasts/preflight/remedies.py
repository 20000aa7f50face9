"""What a draft can be changed to on its preflight page, so that a problem is one no more."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from bot.language import _
from broadcasts import broadcasts
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting import drafts
from broadcasts.drafting.drafts import Wanted

LONGEST_DEFAULT: Final = 60
_BARE: Final = re.compile(r"<<\s*user\.([^<>|{}\s]+)\s*>>|\{\{\s*user\.([^<>|{}\s]+)\s*\}\}")
"""A placeholder by itself, in either way of writing it."""
_UNQUOTABLE: Final = re.compile(r"['\"\\\\<>{}|\x00-\x1f]")


def skip_gaps(session: Session, broadcast_id: int) -> None:
    """Whoever a text lacks a value of is left out; raises WrongStateError unless it is a draft."""
    wanted = _wanted(session, broadcast_id)
    drafts.change(session, broadcast_id, replace(wanted, care=replace(wanted.care, skips_gaps=True)))


def give_default(session: Session, broadcast_id: int, name: str, words: str) -> None:
    """Wherever the attribute stands alone in a text, these words stand for it where it is not known."""
    words = words.strip()
    if not words or len(words) > LONGEST_DEFAULT or _UNQUOTABLE.search(words):
        raise BroadcastError(
            _(
                "A default is 1 to %(longest_default)s characters without quotes, braces, brackets, bars and "
                "backslashes.",
                longest_default=LONGEST_DEFAULT,
            )
        )
    wanted = _wanted(session, broadcast_id)
    wordings = tuple(replace(each, slots=_defaulted(each.slots, name, words)) for each in wanted.wordings)
    changed = replace(wanted, slots=_defaulted(wanted.slots, name, words), wordings=wordings)
    if changed == wanted:
        raise BroadcastError(_("No text has %(name)s without a default and by itself: change the text.", name=name))
    drafts.change(session, broadcast_id, changed)


def allow_tier(session: Session, broadcast_id: int, percent: int) -> None:
    """How much of the number's daily tier it may use."""
    wanted = _wanted(session, broadcast_id)
    drafts.change(session, broadcast_id, replace(wanted, care=replace(wanted.care, tier_percent=percent)))


def _wanted(session: Session, broadcast_id: int) -> Wanted:
    return drafts.wanted_of(session, broadcasts.get(session, broadcast_id))


def _defaulted(slots: Mapping[str, str], name: str, words: str) -> dict[str, str]:
    def put_in(found: re.Match[str]) -> str:
        return f"<<user.{name}|default('{words}')>>" if name in (found[1], found[2]) else found[0]

    return {slot: _BARE.sub(put_in, text) for slot, text in slots.items()}
