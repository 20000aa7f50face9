"""Errors that say what no webhook of preferences told us: that somebody stopped our messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.connection import Connection, Number
from bot.people import consent
from bot.people.consent import Word
from bot.providers.registry import PROVIDERS

CODES = frozenset(code for provider in PROVIDERS.values() for code in provider.opt_outs)
"""Those of any provider; what one means on a number is its own provider's to say."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody whom a message of a number did not reach, with the provider's code, one of CODES."""

    number_id: int
    person_id: int
    code: int
    at: datetime


def remember(session: Session, refused: Sequence[Refused]) -> None:
    """Tell the ledger of consent of each whose number's provider means an opt-out by the code."""
    if not refused:
        return
    found = session.execute(
        select(Number.id, Connection.provider)
        .join(Connection, Connection.id == Number.connection_id)
        .where(Number.id.in_({one.number_id for one in refused}))
    )
    meanings = {number_id: PROVIDERS[provider].opt_outs for number_id, provider in found}
    consent.tell(
        session,
        [_word(one, meanings[one.number_id][one.code]) for one in refused if one.code in meanings[one.number_id]],
    )


def _word(one: Refused, meaning: str) -> Word:
    return Word(one.person_id, consent.MARKETING, consent.STOP, "error", one.at, f"{meaning} (error {one.code})")
