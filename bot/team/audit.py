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

from bot.models.team import ApiToken, AuditEntry, Operator

PAGE = 100


class Action(StrEnum):
    """What is written down; a page shows the words as they stand here."""

    INVITED = "invited"
    INVITATION_RENEWED = "invitation renewed"
    INVITATION_REVOKED = "invitation revoked"
    JOINED = "joined"
    SIGNED_IN = "signed in"
    ADDED = "added"
    ROLE_CHANGED = "role changed"
    DEACTIVATED = "deactivated"
    ACTIVATED = "activated"
    PASSWORD_LINK_MADE = "password link made"  # noqa: S105 (words of a page)
    PASSWORD_CHANGED = "password changed"  # noqa: S105 (words of a page)
    EMAIL_CHANGED = "e-mail changed"
    PROVIDER_FORGOTTEN = "account of the provider forgotten"
    FACTOR_ADDED = "second factor added"
    FACTOR_REMOVED = "second factor removed"
    CODES_RENEWED = "recovery codes renewed"
    SESSIONS_ENDED = "sessions ended"
    TEAM_POLICY_CHANGED = "team policy changed"
    SET_MADE = "permission set made"
    SET_CHANGED = "permission set changed"
    SET_REMOVED = "permission set removed"
    TOKEN_MADE = "token made"  # noqa: S105 (words of a page)
    TOKEN_CHANGED = "token changed"  # noqa: S105 (words of a page)
    TOKEN_ROTATED = "token rotated"  # noqa: S105 (words of a page)
    TOKEN_REVOKED = "token revoked"  # noqa: S105 (words of a page)
    POLICY_CHANGED = "sending policy changed"
    INBOX_CHANGED = "inbox settings changed"
    GOAL_MADE = "goal made"
    GOAL_CHANGED = "goal changed"
    GOAL_REMOVED = "goal removed"
    LINK_MADE = "link made"
    LINK_CHANGED = "link changed"
    SUMMARY_MADE = "summary made"
    SUMMARY_DELETED = "summary deleted"
    LAUNCHED = "broadcast launched"
    APPROVED = "broadcast approved"
    EXPORTED = "exported"
    EXPORT_ASKED = "export asked for"
    ERASED = "person erased"
    CONTACT_SHOWN = "contact shown"
    SECRET_SHOWN = "secret shown"  # noqa: S105 (words of a page)


@dataclass(frozen=True, slots=True)
class By:
    """Whose doing it is: an operator's, a token's, or with neither the command line's."""

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
