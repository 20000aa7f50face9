"""The team: who may sign in, as what, and with which password."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlalchemy.orm import Session

from bot import live
from bot import phone as phones
from bot.language import LANGUAGES, _
from bot.models.team import Invitation, Operator, PasswordReset, PermissionSet
from bot.models.words import Role
from bot.phone import PhoneError
from bot.team import passwords, rights, sign_ins
from bot.team.rights import Permission

FIRST_ADMIN = "admin@localhost"
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,253}")
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('backchat.team'))"


class OperatorError(Exception):
    """A change to the team that cannot be made; the text says why and what would do."""


def add(session: Session, *, email: str, name: str, role: str, password: str) -> Operator:
    """Add a team member; OperatorError if the e-mail is taken or unreadable, PasswordError if the password is."""
    address, called = readable_email(email), _name(name)
    passwords.check(password)
    lock(session)
    if find(session, address) is not None:
        raise OperatorError(
            _("Somebody already signs in as %(address)s: change that one, or use another e-mail.", address=address)
        )
    operator = Operator(
        email=address,
        name=called,
        **part(session, role),
        password_hash=passwords.hash_password(password),
        active=True,
    )
    session.add(operator)
    session.flush()  # the caller wants the id
    return operator


def lock(session: Session) -> None:
    """One change to who is on the team at a time, so that two admins cannot deactivate each other."""
    session.execute(text(_LOCK))


def ensure_first_admin(session: Session) -> str | None:
    """On an empty team add admin@localhost and return its random password, to be shown once; otherwise None."""
    lock(session)
    if session.scalar(select(func.count()).select_from(Operator)):
        return None
    password = passwords.generate()
    add(session, email=FIRST_ADMIN, name="Admin", role=Role.ADMIN, password=password)
    return password


def authenticate(session: Session, email: str, password: str) -> Operator | None:
    """The active operator with this e-mail and password; None takes as long whatever the reason."""
    operator = find(session, email.strip().lower()) if len(password) <= passwords.LENGTH.stop else None
    fits = passwords.verify(operator.password_hash if operator else None, password[: passwords.LENGTH.stop])
    if operator is None or not fits or not operator.active:
        return None
    if passwords.is_outdated(operator.password_hash):
        operator.password_hash = passwords.hash_password(password)
    return operator


def set_password(session: Session, operator_id: int, password: str) -> None:
    """Give a new password and end every session of that operator."""
    passwords.check(password)
    operator = get(session, operator_id)
    operator.password_hash = passwords.hash_password(password)
    end_links(session, PasswordReset.operator_id == operator.id)
    sign_ins.end_all(session, operator.id)


def change_own_password(session: Session, operator_id: int, current: str, new: str) -> None:
    """As set_password, for somebody who proves to know the present one."""
    if not passwords.verify(get(session, operator_id).password_hash, current):
        raise OperatorError(_("That is not your present password."))
    set_password(session, operator_id, new)


def speak(session: Session, operator_id: int, language: str) -> None:
    """Choose the language of their pages; an empty one leaves it to their browser."""
    if language and language not in LANGUAGES:
        raise OperatorError(_("There are pages in %(languages)s only.", languages=", ".join(LANGUAGES.values())))
    get(session, operator_id).language = language or None


def give_phone(session: Session, operator_id: int, typed: str) -> None:
    """Their own number, with its country code in whatever spelling, or none."""
    try:
        found = phones.parse(typed, None).e164 if typed.strip() else None
    except PhoneError as error:
        raise OperatorError(_("That is no phone number, because %(why)s.", why=error)) from error
    get(session, operator_id).phone = found


def set_role(session: Session, operator_id: int, role: str) -> None:
    """`role` is one that is built in, or the name of a set of the team's own."""
    lock(session)
    operator, chosen = get(session, operator_id), part(session, role)
    if chosen["role"] != Role.ADMIN:
        _keep_an_admin(session, operator)
        if Permission.TEAM_MANAGE in rights.of(operator):
            end_links(session)
    operator.role, operator.permission_set_id = chosen["role"], chosen["permission_set_id"]
    session.flush()
    session.refresh(operator, ["permission_set"])
    live.tell(session, live.operator(operator_id))


def deactivate(session: Session, operator_id: int) -> None:
    """Stop somebody from signing in, at once; what they wrote stays theirs."""
    lock(session)
    operator = get(session, operator_id)
    _keep_an_admin(session, operator)
    operator.active = False
    end_links(session)
    _take_back_invitations(session, operator.id)
    sign_ins.end_all(session, operator.id)


def _take_back_invitations(session: Session, operator_id: int) -> None:
    open_ = Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None)
    theirs = update(Invitation).where(Invitation.invited_by_operator_id == operator_id, *open_)
    session.execute(theirs.values(revoked_at=func.now()))


def end_links(session: Session, whose: ColumnElement[bool] | None = None) -> None:
    """Links for new passwords: of one person, or all, as somebody who leaves or may do less may have made any."""
    open_ = PasswordReset.used_at.is_(None) if whose is None else and_(whose, PasswordReset.used_at.is_(None))
    session.execute(update(PasswordReset).where(open_).values(used_at=func.now()))


def activate(session: Session, operator_id: int) -> None:
    get(session, operator_id).active = True


def get(session: Session, operator_id: int) -> Operator:
    operator = session.get(Operator, operator_id)
    if operator is None:
        raise OperatorError(_("There is no team member %(operator_id)s.", operator_id=operator_id))
    return operator


def by_email(session: Session, email: str) -> Operator:
    operator = find(session, readable_email(email))
    if operator is None:
        raise OperatorError(_("Nobody signs in as %(email)s: `backchat operator list` shows who does.", email=email))
    return operator


def everyone(session: Session) -> Sequence[Operator]:
    return session.scalars(select(Operator).order_by(Operator.active.desc(), Operator.name, Operator.id)).all()


def _keep_an_admin(session: Session, leaving: Operator) -> None:
    others = select(Operator.id).where(Operator.role == Role.ADMIN, Operator.active, Operator.id != leaving.id)
    if leaving.role == Role.ADMIN and leaving.active and session.scalar(others.limit(1)) is None:
        raise OperatorError(
            _("%(name)s is the only active admin: make somebody else an admin first.", name=leaving.name)
        )


def find(session: Session, address: str) -> Operator | None:
    """By the e-mail as it is kept, active or not."""
    return session.scalar(select(Operator).where(Operator.email == address))


def move(session: Session, operator: Operator, address: str) -> str | None:
    """Sign in as another e-mail from now on, if it can be read and is nobody else's; the one before, if it changed."""
    if not _EMAIL.fullmatch(address) or find(session, address) is not None:
        return None
    former, operator.email = operator.email, address
    return former


def readable_email(value: str) -> str:
    """As it is kept: in lower case; OperatorError if it is none."""
    address = value.strip().lower()
    if not _EMAIL.fullmatch(address):
        raise OperatorError(_("The e-mail must look like name@example.com."))
    return address


def _name(value: str) -> str:
    name = " ".join(value.split())
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise OperatorError(_("The name must have 1 to 80 printable characters."))
    return name


def part(session: Session, role: str) -> dict[str, Any]:
    """The two columns that say what somebody may do: a role that is built in, or the id of a set by its name."""
    if role in set(Role):
        return {"role": Role(role), "permission_set_id": None}
    found = session.scalar(select(PermissionSet.id).where(PermissionSet.name == role))
    if found is None:
        sets = session.scalars(select(PermissionSet.name).order_by(PermissionSet.name))
        raise OperatorError(_("The role must be one of: %(sets)s.", sets=", ".join([*Role, *sets])))
    return {"role": None, "permission_set_id": found}
