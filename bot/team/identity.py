"""Whom the team's identity provider vouches for, or why it is not believed; without its library, which loads slowly."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.language import later, translated

_CLOCK = later("The provider's answer is of a time to come: the clock there or here is wrong, tell an admin.")
_SAID: Mapping[str, str] = {
    "away": later("%(issuer)s does not answer as it should: try again in a minute, or tell an admin."),
    "issuer": later("The provider calls itself by another name than BACKCHAT_OIDC_ISSUER: tell an admin."),
    "discovery": later("The provider's discovery document has no usable %(name)s: tell an admin."),
    "code": later("The provider did not take the answer back (%(error)s): start again."),
    "exp": later("The provider's answer had run out: try again, and if it stays, set the clocks."),
    "iat": _CLOCK,
    "nbf": _CLOCK,
    "email": later("The provider told no e-mail address: an admin has to let Backchat ask for `email` there."),
    "email_verified": later("The provider has not verified your e-mail address: have it verified there first."),
}
_UNBELIEVED = later("The provider's answer cannot be believed (%(part)s): start again, or tell an admin.")


class IssuerError(Exception):
    """The provider could not be asked, or its answer cannot be believed; the text says why and what would do."""

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(translated(_SAID.get(reason, _UNBELIEVED)) % {"part": reason[:20], **values})
        self.reason = reason
        """For the log, in a word."""


@dataclass(frozen=True, slots=True)
class Identity:
    issuer: str
    subject: str
    """`sub`: who it is at this issuer for good, whatever their address is by now."""
    email: str | None
    """Verified, in lower case."""
    doubt: str
    """Why there is no address, if there is none."""
    name: str

    def proved_email(self) -> str:
        """IssuerError without one: whoever comes for the first time is known by nothing else."""
        if self.email is None:
            raise IssuerError(self.doubt)
        return self.email
