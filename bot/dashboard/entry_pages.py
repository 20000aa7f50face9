"""Page part: whether the team signs in by password too, or by its identity provider alone."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from bot.language import _
from bot.team import audit, single_sign_on
from bot.team.audit import Action
from bot.team.operators import OperatorError

pages = Blueprint("entry", __name__)


@pages.post("/team/passwords")
def change() -> ResponseReturnValue:
    """Switched off only by somebody whom the provider let in just now, as they see that it works."""
    rt, refused = runtime.current(), request.form.get("refused") == "yes"
    try:
        with rt.transaction() as tx:
            before = not single_sign_on.takes_passwords(tx, rt.settings)
            single_sign_on.refuse_passwords(tx, rt.settings, refused=refused, is_proved=access.operator().vouched)
            told = {"refuses_passwords": before}, {"refuses_passwords": refused}
            audit.note(tx, access.by(), Action.TEAM_POLICY_CHANGED, "team", before=told[0], after=told[1])
    except OperatorError as error:
        flash(str(error), "danger")
        return redirect(url_for("team.index"), 303)
    flash(_("Everybody signs in by the provider now.") if refused else _("Passwords let people in again."))
    return redirect(url_for("team.index"), 303)
