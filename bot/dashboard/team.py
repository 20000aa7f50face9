"""Pages: the team, for whoever manages it: who is on it, who is invited, and what is asked of all."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _, later, spoken
from bot.models.team import Invitation
from bot.models.words import Role
from bot.team import audit, factor, invitations, operators, permission_sets, rights, single_sign_on
from bot.team.audit import Action
from bot.team.operators import OperatorError

pages = Blueprint("team", __name__)

DUTIES: Mapping[str, str] = {
    Role.COACH: later("Coach: the inbox and reminders"),
    Role.MARKETER: later("Marketer: imports, segments, broadcasts and reminders"),
    Role.VIEWER: later("Viewer: looks at everything of the above, changes nothing, sees no phone number in full"),
    Role.ADMIN: later("Admin: everything, and the team"),
}


@pages.get("/team")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/team/invitations")
def invite() -> ResponseReturnValue:
    """The answer shows the link this once; it is stored nowhere but as a hash."""
    role = request.form.get("role", "")
    try:
        with runtime.current().transaction() as tx:
            may_give(tx, role)
            made, secret = invitations.invite(tx, request.form.get("email", ""), role, access.operator().id)
            note(tx, Action.INVITED, made, role)
            email = made.email
    except OperatorError as error:
        return _page(refused=str(error)), 422
    return _page(given=(email, _link("joining.show", secret)))


@pages.post("/team/invitations/<int:invitation_id>/renew")
def renew(invitation_id: int) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            found, secret = invitations.renew(tx, invitation_id, access.operator().id)
            may_give(tx, invitations.role_of(found))
            note(tx, Action.INVITATION_RENEWED, found, invitations.role_of(found))
            email = found.email
    except OperatorError as error:
        return _page(refused=str(error)), 409
    return _page(given=(email, _link("joining.show", secret)))


@pages.post("/team/invitations/<int:invitation_id>/revoke")
def revoke(invitation_id: int) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            found = invitations.revoke(tx, invitation_id)
            note(tx, Action.INVITATION_REVOKED, found, invitations.role_of(found))
    except OperatorError as error:
        return _page(refused=str(error)), 409
    flash(_("The invitation is taken back: its link opens nothing any more."))
    return redirect(url_for("team.index"), 303)


@pages.post("/team/policy")
def require_factor() -> ResponseReturnValue:
    required = request.form.get("required") == "yes"
    with runtime.current().transaction() as tx:
        before = factor.is_required(tx)
        factor.require(tx, required=required)
        told = {"requires_factor": before}, {"requires_factor": required}
        audit.note(tx, access.by(), Action.TEAM_POLICY_CHANGED, "team", before=told[0], after=told[1])
    flash(
        _("Everybody needs a second factor now.") if required else _("The second factor is everybody's own choice now.")
    )
    return redirect(url_for("team.index"), 303)


def may_give(session: Session, role: str) -> None:
    """Nobody hands out more than they have, or a set with the team in it would be a way to everything."""
    chosen = operators.part(session, role)
    sets = {each.id: rights.known(each.permissions) for each in permission_sets.every(session)}
    given = rights.ROLES[chosen["role"]] if chosen["role"] else sets[chosen["permission_set_id"]]
    if not given <= access.operator().role.permissions:
        raise OperatorError(
            _("You cannot make somebody %(role)s: it includes what you may not do yourself.", role=role)
        )


def roles(session: Session) -> dict[str, str]:
    """What somebody can be, with what that means."""
    return {
        **spoken(DUTIES),
        **{each.name: _("%(name)s: a set of your own", name=each.name) for each in permission_sets.every(session)},
    }


def note(session: Session, action: Action, invitation: Invitation, role: str) -> None:
    told = {"email": invitation.email, "role": role}
    audit.note(session, access.by(), action, f"invitation {invitation.id}", after=told)


def _link(endpoint: str, secret: str) -> str:
    """Of the configured address: what a request calls itself could be an attacker's."""
    return runtime.current().settings.base_url + url_for(endpoint, secret=secret)


def _page(*, refused: str | None = None, given: tuple[str, str] | None = None) -> str:
    with runtime.current().transaction() as tx:
        everyone = operators.everyone(tx)
        return render_template(
            "dashboard/team.html",
            everyone=[(each, rights.of(each)) for each in everyone],
            invited=[(each, invitations.role_of(each)) for each in invitations.waiting(tx)],
            requires_factor=factor.is_required(tx),
            provider=single_sign_on.is_on(runtime.current().settings),
            takes_passwords=single_sign_on.takes_passwords(tx, runtime.current().settings),
            me=access.operator(),
            roles=roles(tx),
            form=request.form if refused else {},
            refused=refused,
            given=given,
        )
