"""What a failure is called: by its code in our words, whoever told it; the provider's own name it differently."""

from typing import Final

from sqlalchemy import ColumnElement, func, or_

from bot.language import later
from bot.models.message import Message
from bot.providers.cloud_codes import MEANINGS

NO_REASON: Final = later("no reason was given")
_LEAST: Final = 100_000
"""WhatsApp's own codes, which every provider passes on, have six digits; below are those of a provider's API."""
_WORDS: Final = {code: words for code, words in MEANINGS.items() if code >= _LEAST}


def words(text: str, code: int | None) -> str:
    """One for all who have the same code, be it an answer or a report that said so."""
    return text if code is None else _WORDS.get(code, text)


def having(reason: str) -> ColumnElement[bool]:
    """Of messages that failed or were skipped: whether `words` says this of them."""
    codes = [code for code, said in _WORDS.items() if said == reason]
    said = func.coalesce(Message.error_text, NO_REASON) == reason
    return or_(Message.error_code.in_(codes), said) if codes else said
