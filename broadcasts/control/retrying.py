"""Sending once more to those of a broadcast's failed whose error may be over by now, as a broadcast of its own."""

from datetime import UTC, datetime

import orjson
from sqlalchemy import func, text
from sqlalchemy.orm import Session

from bot.language import _, figure, translated
from bot.messages import policy
from bot.models.broadcast import Broadcast, Template
from bot.models.words import BroadcastOrigin, BroadcastState
from broadcasts.broadcasts import BroadcastError, WrongStateError
from broadcasts.control import copying
from broadcasts.preflight import gate
from broadcasts.results.worth import FAILED, STATES, Plan
from broadcasts.results.worth import plan as plan
from broadcasts.transitions import Actor, record

_GIVE = text(f"""{FAILED}
    INSERT INTO audience_person (broadcast_id, person_id, environment, wave, variant)
    SELECT :child_id, f.person_id, a.environment, 2, a.variant
      FROM failed f
      JOIN audience_person a ON a.broadcast_id = :id AND a.person_id = f.person_id
      JOIN jsonb_to_recordset(CAST(:worth AS jsonb)) AS w(code bigint, reason text, is_fresh boolean)
        ON w.code IS NOT DISTINCT FROM f.code AND w.reason = f.reason AND w.is_fresh = f.is_fresh
     WHERE NOT f.is_retried
""")  # noqa: S608 (a constant)


def retry(
    session: Session, broadcast_id: int, actor: Actor, why: str | None = None, *, confirmed: int | None = None
) -> Broadcast:
    """The child, launched with the words its parent was launched with (ring "bulk" after the commit).

    `confirmed` is how many they are, as somebody typed it. Raises WrongStateError while the parent is on its way,
    gate.CountError, and BroadcastError where there is nobody to try again.
    """
    parent = session.get_one(Broadcast, broadcast_id, with_for_update=True, populate_existing=True)
    _check(session, parent)
    planned = plan(session, parent)
    if not planned.people:
        raise BroadcastError(_nobody(planned))
    begun = _begun(parent, actor) | {"confirmed_people": confirmed}
    child = copying.copy(session, parent, f"{parent.name} (again)", BroadcastOrigin.RETRY, **begun)
    gate.check_count(child, planned.people, policy.of(session, parent.environment), confirmed)
    worth = [{"code": each.code, "reason": each.reason, "is_fresh": each.is_fresh} for each in planned.worth]
    session.execute(_GIVE, {"id": parent.id, "child_id": child.id, "worth": orjson.dumps(worth).decode()})
    told = f"Once more to {planned} in “{parent.name}”." + (f" {why}" if why else "")
    record(session, child.id, BroadcastState.DRAFT, BroadcastState.MATERIALISING, actor, told)
    record(session, parent.id, parent.state, parent.state, actor, f"“{child.name}” goes once more to {planned}.")
    return child


def _begun(parent: Broadcast, actor: Actor) -> dict[str, object]:
    """Who gets it is decided: nothing is drawn, tried or left out once more."""
    return {
        "state": BroadcastState.MATERIALISING,
        "frozen_template": parent.frozen_template,
        "launched_at": func.clock_timestamp(),
        "audience_frozen_at": func.clock_timestamp(),
        "launched_by_operator_id": actor.operator_id,
        "launched_by_token_id": actor.token_id,
        "not_after": parent.not_after,
        "wave": 2,
        "canary_percent": 0,
        "holdout_percent": 0,
        "trial_percent": 0,
        "winner_metric": None,
        "winner_minutes": None,
    }


def _check(session: Session, parent: Broadcast) -> None:
    if parent.state not in STATES:
        raise WrongStateError(
            _(
                "“%(name)s” is %(state)s: who failed is tried again once it is paused, finished or cancelled.",
                name=parent.name,
                state=translated(parent.state),
            )
        )
    if parent.not_after is not None and parent.not_after <= datetime.now(UTC):
        raise BroadcastError(
            _("“%(name)s” was not to be sent any more by now: duplicate it, with a later end.", name=parent.name)
        )
    templates = [session.get_one(Template, parent.template_id), *copying.templates_of(session, parent)]
    for template in templates:
        if template.status != "APPROVED":
            raise BroadcastError(
                _(
                    "The template %(name)s is %(status)s, so it cannot be sent again.",
                    name=template.name,
                    status=template.status,
                )
            )


def _nobody(planned: Plan) -> str:
    if not planned.failed:
        return _("Nobody failed: there is nobody to try again.")
    reasons = "; ".join(f"{figure(each.people)}: {translated(each.why)}" for each in planned.left_out)
    return _(
        "Nobody of the %(failed)s who failed is worth another try. %(reasons)s.",
        failed=figure(planned.failed),
        reasons=reasons,
    )
