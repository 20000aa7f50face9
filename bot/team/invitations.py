"""Links by which somebody joins the team: made by an admin, handed over by any way they trust, used once."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from bot.language import _, later
from bot.models.team import Invitation, Operator
from bot.team import operators, rights
from bot.team.operators import OperatorError
from bot.team.rights import Permission

LASTS = timedelta(days=7)
GONE = later(
    "This link was used, taken back or replaced, or it is older than a week: ask whoever sent it for a new one."
)


def invite(session: Session, email: str, role: str, invited_by: int) -> tuple[Invitation, str]:
    """The invitation and the secret of its link, of which only the SHA-256 is kept."""
    address = operators.readable_email(email)
    operators.lock(session)
    if session.scalar(select(Operator.id).where(Operator.email == address)) is not None:
        raise OperatorError(
            _("Somebody already signs in as %(address)s: change that one, or use another e-mail.", address=address)
        )
    for old in session.scalars(_open().where(Invitation.email == address)):
        if old.expires_at > datetime.now(UTC):
            raise OperatorError(
                _("%(address)s was invited already: make a new link of that invitation instead.", address=address)
            )
        old.revoked_at = datetime.now(UTC)
    session.flush()
    secret, chosen = secrets.token_urlsafe(32), operators.part(session, role)
    made = Invitation(
        email=address, **chosen, invited_by_operator_id=invited_by, secret_hash=_hash(secret), expires_at=_until()
    )
    session.add(made)
    session.flush()
    return made, secret


def renew(session: Session, invitation_id: int, renewed_by: int) -> tuple[Invitation, str]:
    """Another link for another week, by whoever renews it; the one before it opens nothing any more."""
    found, secret = get(session, invitation_id), secrets.token_urlsafe(32)
    found.invited_by_operator_id = renewed_by
    found.secret_hash, found.expires_at = _hash(secret), _until()
    session.flush()
    return found, secret


def revoke(session: Session, invitation_id: int) -> Invitation:
    found = get(session, invitation_id)
    found.revoked_at = datetime.now(UTC)
    session.flush()
    return found


def get(session: Session, invitation_id: int) -> Invitation:
    """One that was neither used nor taken back; OperatorError."""
    found = session.scalar(_open().where(Invitation.id == invitation_id).with_for_update(of=Invitation))
    if found is None:
        raise OperatorError(_("That invitation was used or taken back meanwhile: look at the list again."))
    return found


def waiting(session: Session) -> Sequence[Invitation]:
    return session.scalars(_open().order_by(Invitation.email)).all()


def find(session: Session, secret: str) -> Invitation | None:
    """What the link leads to, if it still leads anywhere."""
    return _good(session, Invitation.secret_hash == _hash(secret))


def of_email(session: Session, email: str) -> Invitation | None:
    """The one that somebody proves to be meant by without its link."""
    return _good(session, Invitation.email == email)


def role_of(invitation: Invitation) -> str:
    return invitation.permission_set.name if invitation.permission_set else invitation.role or ""


def accept(session: Session, secret: str, name: str, password: str) -> Operator:
    """Make the member of it; OperatorError and PasswordError leave the link good for another try."""
    found = find(session, secret)
    if found is None:
        raise OperatorError(GONE)
    joined = operators.add(session, email=found.email, name=name, role=role_of(found), password=password)
    found.accepted_at = datetime.now(UTC)
    session.flush()
    return joined


def _good(session: Session, which: ColumnElement[bool]) -> Invitation | None:
    """One that whoever made it could still make: what somebody prepared ends with them, or with their role."""
    fitting = _open().where(which, Invitation.expires_at > datetime.now(UTC))
    found = session.scalar(fitting.with_for_update(of=Invitation))
    maker = session.get(Operator, found.invited_by_operator_id) if found is not None else None
    if found is None or maker is None or not maker.active:
        return None
    may = rights.of(maker).permissions
    return found if Permission.TEAM_MANAGE in may and rights.of(found).permissions <= may else None


def _open() -> Select[Invitation]:
    return select(Invitation).where(Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))


def _until() -> datetime:
    return datetime.now(UTC) + LASTS


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
