"""Who may enter by the identity provider: whoever is on the team, was invited, or comes from the team's own domain.

An e-mail address, once verified, proves who comes for the first time. From then on the provider's `sub` does: an
address may change there, and be given to somebody else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _, later, translated
from bot.models.team import Operator, TeamPolicy
from bot.settings import Settings
from bot.team import invitations, operators, passwords, sign_ins
from bot.team.identity import Identity
from bot.team.operators import OperatorError

UNKNOWN = later("Nobody invited this e-mail address to Backchat: ask an admin for an invitation, then come again.")
ANOTHERS = later(
    "Here this e-mail address is somebody's who has another account at the provider: if that was you, ask an admin to "
    "forget it on your page under Team."
)
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Entry:
    operator: Operator
    joined: bool
    """Just now."""
    former_email: str | None
    """If it has changed at the provider."""


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


def enter(session: Session, settings: Settings, identity: Identity) -> Entry:
    """The member; OperatorError or IssuerError for whoever may not enter.

    Who was deactivated stays out, whatever the provider and the domain say.
    """
    invited = invitations.of_email(session, identity.email) if identity.email else None
    operators.lock(session)  # after the invitation, as its link does: one that waits for the other, never both
    known = _bound(session, identity) or _first_time(session, identity)
    if known is not None:
        if not known.active:
            raise OperatorError(_("Your account here is deactivated: an admin can activate it under Team."))
        former = operators.move(session, known, identity.email) if identity.email else None
        return Entry(_bind(known, identity), joined=False, former_email=former)
    email = identity.proved_email()
    if invited is not None:
        role = invitations.role_of(invited)
        invited.accepted_at = datetime.now(UTC)
    elif settings.oidc_domain and email.endswith(f"@{settings.oidc_domain}"):
        role = settings.oidc_domain_role
    else:
        raise OperatorError(translated(UNKNOWN))
    return Entry(_bind(_add(session, email, identity.name, role), identity), joined=True, former_email=None)


def forget(session: Session, operator: Operator) -> None:
    """Whoever next proves to have their e-mail address is them, as after an account was made anew at the provider."""
    if operator.oidc_subject is None:
        raise OperatorError(_("No account of the provider is kept for %(name)s.", name=operator.name))
    operator.oidc_issuer = operator.oidc_subject = None
    sign_ins.end_all(session, operator.id)


def _bound(session: Session, identity: Identity) -> Operator | None:
    same = Operator.oidc_issuer == identity.issuer, Operator.oidc_subject == identity.subject
    return session.scalar(select(Operator).where(*same))


def _first_time(session: Session, identity: Identity) -> Operator | None:
    """By the e-mail address; a team that moved to another provider comes there for the first time, too."""
    found = operators.find(session, identity.proved_email())
    if found is not None and found.oidc_issuer == identity.issuer:
        raise OperatorError(translated(ANOTHERS))
    return found


def _bind(operator: Operator, identity: Identity) -> Operator:
    operator.oidc_issuer, operator.oidc_subject = identity.issuer, identity.subject
    return operator


def _add(session: Session, email: str, told: str, role: str) -> Operator:
    """With a password that nobody knows: who wants one asks an admin for a link."""
    name = " ".join("".join(letter for letter in told if letter.isprintable()).split())[:_LONGEST_NAME].strip()
    called = name or email.partition("@")[0]
    return operators.add(session, email=email, name=called, role=role, password=passwords.generate())
