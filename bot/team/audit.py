"""The audit log: who did what to what, and from where. It is written in the transaction of what it tells of."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session

from bot.language import later
from bot.models.team import ApiToken, AuditEntry, Operator

PAGE = 100


class Action(StrEnum):
    """What is written down, in these words; a page says them in its reader's language."""

    INVITED = later("invited")
    INVITATION_RENEWED = later("invitation renewed")
    INVITATION_REVOKED = later("invitation revoked")
    JOINED = later("joined")
    SIGNED_IN = later("signed in")
    ADDED = later("added")
    ROLE_CHANGED = later("role changed")
    DEACTIVATED = later("deactivated")
    ACTIVATED = later("activated")
    PASSWORD_LINK_MADE = later("password link made")
    PASSWORD_CHANGED = later("password changed")
    EMAIL_CHANGED = later("e-mail changed")
    PROVIDER_FORGOTTEN = later("account of the provider forgotten")
    FACTOR_ADDED = later("second factor added")
    FACTOR_REMOVED = later("second factor removed")
    CODES_RENEWED = later("recovery codes renewed")
    SESSIONS_ENDED = later("sessions ended")
    TEAM_POLICY_CHANGED = later("team policy changed")
    SET_MADE = later("permission set made")
    SET_CHANGED = later("permission set changed")
    SET_REMOVED = later("permission set removed")
    TOKEN_MADE = later("token made")
    TOKEN_CHANGED = later("token changed")
    TOKEN_ROTATED = later("token rotated")
    TOKEN_REVOKED = later("token revoked")
    POLICY_CHANGED = later("sending policy changed")
    INBOX_CHANGED = later("inbox settings changed")
    GOAL_MADE = later("goal made")
    GOAL_CHANGED = later("goal changed")
    GOAL_REMOVED = later("goal removed")
    LINK_MADE = later("link made")
    LINK_CHANGED = later("link changed")
    SUMMARY_MADE = later("summary made")
    SUMMARY_STOPPED = later("summary stopped")
    SUMMARY_RESUMED = later("summary resumed")
    SUMMARY_DELETED = later("summary deleted")
    LAUNCHED = later("broadcast launched")
    APPROVED = later("broadcast approved")
    EXPORTED = later("exported")
    EXPORT_ASKED = later("export asked for")
    ERASED = later("person erased")
    CONTACT_SHOWN = later("contact shown")
    SECRET_SHOWN = later("secret shown")


@dataclass(frozen=True, slots=True)
class By:
    """Whose doing it is: an operator's, a token's; with neither, a stranger's from an address or the command line's."""

    operator_id: int | None = None
    token_id: int | None = None
    address: str | None = None


COMMAND = By()


@dataclass(frozen=True, slots=True)
class Wanted:
    action: str | None = None
    operator_id: int | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Entries older than this one."""


def note(
    session: Session,
    by: By,
    action: Action,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """`subject` is a kind and an id, as `person 12`. Of people and messages neither names nor texts: ids say enough."""
    session.add(
        AuditEntry(
            operator_id=by.operator_id,
            token_id=by.token_id,
            address=by.address,
            action=action,
            subject=subject,
            before=None if before is None else dict(before),
            after=None if after is None else dict(after),
        )
    )
    session.flush()


def search(session: Session, wanted: Wanted) -> tuple[list[Row[AuditEntry, str, str]], int | None]:
    """A page of (entry, operator's name, token's name), newest first, and `before` of the next page if there is one."""
    rows = list(session.execute(_query(wanted).limit(PAGE + 1)))
    return rows[:PAGE], rows[PAGE - 1][0].id if len(rows) > PAGE else None


def every(
    transaction: Callable[[], AbstractContextManager[Session]], wanted: Wanted
) -> Iterator[Row[AuditEntry, str, str]]:
    """All that fits, a page a transaction, so that a slow download holds none open."""
    following: int | None = wanted.before
    while True:
        with transaction() as session:
            rows, following = search(session, replace(wanted, before=following))
        yield from rows
        if following is None:
            return


def _query(wanted: Wanted) -> Select[AuditEntry, str, str]:
    query = (
        select(AuditEntry, Operator.name.label("operator"), ApiToken.name.label("token"))
        .join(Operator, Operator.id == AuditEntry.operator_id, isouter=True)
        .join(ApiToken, ApiToken.id == AuditEntry.token_id, isouter=True)
        .order_by(AuditEntry.id.desc())
    )
    asked: Mapping[str, Callable[[Any], ColumnElement[bool]]] = {
        "action": AuditEntry.action.__eq__,
        "operator_id": AuditEntry.operator_id.__eq__,
        "subject": partial(func.starts_with, AuditEntry.subject),
        "since": AuditEntry.at.__ge__,
        "until": AuditEntry.at.__lt__,
        "before": AuditEntry.id.__lt__,
    }
    given = ((clause, getattr(wanted, name)) for name, clause in asked.items())
    return query.where(*(clause(value) for clause, value in given if value is not None))
