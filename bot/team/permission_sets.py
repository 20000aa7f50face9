"""Sets of permissions that a team makes itself, for members whom no built-in role fits."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import live
from bot.language import _
from bot.models.team import Invitation, Operator, PermissionSet
from bot.models.words import Role
from bot.team.rights import Permission

MOST = 50
_LONGEST = 40


class PermissionSetError(Exception):
    """A set cannot be as it was asked for; the text says why and what would do."""


def every(session: Session) -> Sequence[PermissionSet]:
    return session.scalars(select(PermissionSet).order_by(PermissionSet.name)).all()


def add(session: Session, name: str, permissions: Iterable[str]) -> PermissionSet:
    if len(every(session)) >= MOST:
        raise PermissionSetError(_("There are %(most)s sets already: remove one that nobody has.", most=MOST))
    made = PermissionSet(name=_free(session, name), permissions=_known(permissions))
    session.add(made)
    session.flush()
    return made


def change(session: Session, found: PermissionSet, name: str, permissions: Iterable[str]) -> None:
    """Takes hold at the next click of whoever has it."""
    found.name, found.permissions = _free(session, name, found.id), _known(permissions)
    session.flush()
    for operator_id in session.scalars(select(Operator.id).where(Operator.permission_set_id == found.id)):
        live.tell(session, live.operator(operator_id))


def remove(session: Session, found: PermissionSet) -> None:
    has = session.scalars(select(Operator.name).where(Operator.permission_set_id == found.id).limit(3)).all()
    if has:
        raise PermissionSetError(
            _("%(has)s would be left without a role: give them another one first.", has=", ".join(has))
        )
    if session.scalar(select(Invitation.id).where(Invitation.permission_set_id == found.id).limit(1)):
        raise PermissionSetError(
            _("Somebody was invited as %(name)s: it stays, so that the invitation can be read.", name=found.name)
        )
    session.delete(found)
    session.flush()


def _free(session: Session, wanted: str, own_id: int | None = None) -> str:
    name = " ".join(wanted.split())
    if not 1 <= len(name) <= _LONGEST or not name.isprintable():
        raise PermissionSetError(_("The name must have 1 to %(longest)s printable characters.", longest=_LONGEST))
    if name.casefold() in set(Role):
        raise PermissionSetError(_("%(name)s is a role that is built in: choose another name.", name=name))
    taken = session.scalar(select(PermissionSet.id).where(PermissionSet.name == name))
    if taken not in {None, own_id}:
        raise PermissionSetError(_("There is already a set %(name)s: choose another name.", name=name))
    return name


def _known(permissions: Iterable[str]) -> list[str]:
    asked = set(permissions)
    if unknown := asked - set(Permission):
        raise PermissionSetError(
            _("There is no permission %(unknown)s: tick those of the list.", unknown=repr(min(unknown)[:40]))
        )
    if not asked:
        raise PermissionSetError(_("The set is empty: tick what its members may do."))
    return [permission.value for permission in Permission if permission in asked]
