"""Links by which a team member who lost the password chooses a new one, once; an admin makes and hands them over."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _, later
from bot.models.team import Operator, PasswordReset
from bot.team import operators
from bot.team.operators import OperatorError

LASTS = timedelta(hours=24)
GONE = later("This link was used or replaced, or it is older than a day: ask an admin for a new one.")


def offer(session: Session, operator_id: int) -> str:
    """The secret of a new link, in place of any before; the present password keeps working until it is used."""
    operator, secret = operators.get(session, operator_id), secrets.token_urlsafe(32)
    if not operator.active:
        raise OperatorError(_("%(name)s is deactivated: activate them first.", name=operator.name))
    operators.end_links(session, PasswordReset.operator_id == operator_id)
    session.add(PasswordReset(secret_hash=_hash(secret), operator_id=operator_id, expires_at=datetime.now(UTC) + LASTS))
    session.flush()
    return secret


def find(session: Session, secret: str) -> Operator | None:
    """Whose password the link changes, if it still changes any."""
    found = session.scalar(
        select(PasswordReset)
        .where(PasswordReset.secret_hash == _hash(secret))
        .where(PasswordReset.used_at.is_(None), PasswordReset.expires_at > datetime.now(UTC))
        .with_for_update()
    )
    operator = session.get(Operator, found.operator_id) if found is not None else None
    return operator if operator is not None and operator.active else None


def use(session: Session, secret: str, password: str) -> Operator:
    """Set the password and end every session; OperatorError and PasswordError leave the link as it was."""
    operator = find(session, secret)
    if operator is None:
        raise OperatorError(GONE)
    operators.set_password(session, operator.id, password)
    return operator


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
