"""What the audit log holds, for tests that are about something else than signing in."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.team import AuditEntry
from bot.team.audit import Action


def entries(session: Session) -> list[AuditEntry]:
    """The oldest first, without the sign-ins that each story begins with."""
    beside = AuditEntry.action != Action.SIGNED_IN
    return list(session.scalars(select(AuditEntry).where(beside).order_by(AuditEntry.id)))
