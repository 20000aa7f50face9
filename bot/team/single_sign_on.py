"""Who may enter by the identity provider: whoever is on the team, was invited, or comes from the team's own domain."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _, later, translated
from bot.models.team import Operator, TeamPolicy
from bot.settings import Settings
from bot.team import invitations, operators, passwords
from bot.team.issuer import Identity
from bot.team.operators import OperatorError

UNKNOWN = later("Nobody invited this e-mail address to Backchat: ask an admin for an invitation, then come again.")
_LONGEST_NAME = 80


def is_on(settings: Settings) -> bool:
    return settings.oidc_issuer is not None


def takes_passwords(session: Session, settings: Settings) -> bool:
    """Always where no provider is configured: whoever takes its settings away lets passwords in again."""
    return not is_on(settings) or not session.scalar(select(TeamPolicy.refuses_passwords))


def refuse_passwords(session: Session, settings: Settings, *, refused: bool, is_proved: bool) -> None:
    """`is_proved`: whoever asks came in by the provider themselves, or has the command line to come back by."""
    if refused and not is_proved:
        raise OperatorError(_("Sign in by the provider first: so it is sure that nobody is locked out."))
    if refused and not is_on(settings):
        raise OperatorError(_("There is no identity provider: set BACKCHAT_OIDC_ISSUER first."))
    session.merge(TeamPolicy(id=1, refuses_passwords=refused))
    session.flush()


def enter(session: Session, settings: Settings, identity: Identity) -> tuple[Operator, bool]:
    """The member, and whether they joined just now; OperatorError for whoever may not enter.

    Who was deactivated stays out, whatever the provider and the domain say.
    """
    invited = invitations.of_email(session, identity.email)
    operators.lock(session)  # after the invitation, as its link does: one that waits for the other, never both
    known = operators.find(session, identity.email)
    if known is not None:
        if not known.active:
            raise OperatorError(_("Your account here is deactivated: an admin can activate it under Team."))
        return known, False
    if invited is not None:
        role = invitations.role_of(invited)
        invited.accepted_at = datetime.now(UTC)
    elif settings.oidc_domain and identity.email.endswith(f"@{settings.oidc_domain}"):
        role = settings.oidc_domain_role
    else:
        raise OperatorError(translated(UNKNOWN))
    return _add(session, identity, role), True


def _add(session: Session, identity: Identity, role: str) -> Operator:
    """With a password that nobody knows: who wants one asks an admin for a link."""
    name = " ".join("".join(letter for letter in identity.name if letter.isprintable()).split())[:_LONGEST_NAME].strip()
    called = name or identity.email.partition("@")[0]
    return operators.add(session, email=identity.email, name=called, role=role, password=passwords.generate())
