"""Why a summary did not arrive: kept as a word and what it is about, said in its reader's language."""

from collections.abc import Mapping
from typing import Final

from bot.language import _, later, translated

SENTENCES: Final[Mapping[str, str]] = {
    "mail_refused": later("The mail server refused the address with %(what)s."),
    "mail_answered": later("The mail server answered with %(what)s."),
    "mail_unreached": later("The mail server could not be reached (%(what)s)."),
    "mail_open": later("The mail server offers no encryption, and the password would be read on the way."),
    "chat_forbidden": later("The chat's address leads to a place that Backchat does not write to."),
    "chat_answered": later("The chat answered with %(what)s."),
    "chat_unreached": later("The chat could not be reached (%(what)s)."),
    "not_counted": later("What was said until now is being counted for the first time: look again in a while."),
    "sealed": later(
        "Its address was sealed with another BACKCHAT_SECRET_KEY: set that one again, or delete the summary and make it"
        " anew."
    ),
}


def problem(code: str, what: str | int = "") -> str:
    """As it is kept: `mail_refused 550`."""
    return f"{code} {what}".rstrip()


def sentence(kept: str) -> str:
    """What is kept from before there were words for it is a sentence already."""
    code, _space, what = kept.partition(" ")
    return translated(SENTENCES[code]) % {"what": what} if code in SENTENCES else kept


def alert(kept: str) -> str:
    return _("A summary of Insights was not delivered. %(why)s", why=sentence(kept))
