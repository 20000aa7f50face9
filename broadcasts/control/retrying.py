"""Sending once more to those of a broadcast's failed whose error may be over by now, as a broadcast of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson
from sqlalchemy import func, text
from sqlalchemy.orm import Session

from bot.language import _, figure, later, translated
from bot.messages import policy
from bot.models.broadcast import Broadcast, Template
from bot.models.words import BroadcastOrigin, BroadcastState
from broadcasts.broadcasts import BroadcastError, WrongStateError
from broadcasts.control import copying
from broadcasts.control.retriable import Failure, why_not
from broadcasts.preflight import gate
from broadcasts.transitions import Actor, record

RETRIED: Final = later("retried already, by another broadcast")

_STATES: Final = frozenset({BroadcastState.PAUSED, BroadcastState.FINISHED, BroadcastState.CANCELLED})

# Everybody who failed, by what decides whether it is worth another try; whoever was retried before is apart.
_FAILED: Final = """
    WITH failed AS (
        SELECT m.person_id, m.error_code AS code,
               CASE WHEN m.error_code IS NULL THEN coalesce(m.error_text, '') ELSE '' END AS reason,
               coalesce(m.failed_at > now() - interval '1 day', true) AS is_fresh,
               EXISTS (SELECT FROM broadcast b JOIN audience_person a ON a.broadcast_id = b.id
                        WHERE b.parent_id = m.broadcast_id AND b.origin = 'retry' AND b.state <> 'cancelled'
                          AND a.person_id = m.person_id) AS is_retried
          FROM message m WHERE m.broadcast_id = :id AND m.state = 'failed')
"""
_GROUPS = text(f"""{_FAILED}
    SELECT code, reason, is_fresh, is_retried, count(*) AS people FROM failed GROUP BY 1, 2, 3, 4
""")  # noqa: S608 (a constant)
_GIVE = text(f"""{_FAILED}
    INSERT INTO audience_person (broadcast_id, person_id, environment, wave, variant)
    SELECT :child_id, f.person_id, a.environment, 2, a.variant
      FROM failed f
      JOIN audience_person a ON a.broadcast_id = :id AND a.person_id = f.person_id
      JOIN jsonb_to_recordset(CAST(:worth AS jsonb)) AS w(code bigint, reason text, is_fresh boolean)
        ON w.code IS NOT DISTINCT FROM f.code AND w.reason = f.reason AND w.is_fresh = f.is_fresh
     WHERE NOT f.is_retried
""")  # noqa: S608 (a constant)


@dataclass(frozen=True, slots=True)
class LeftOut:
    why: str
    people: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Of so many who failed, so many are worth another try; `left_out` are the others, the most first."""

    failed: int
    people: int
    left_out: Sequence[LeftOut]
    worth: Sequence[Failure]

    def __str__(self) -> str:
        return f"{self.people:,} of the {self.failed:,} who failed"


def plan(session: Session, broadcast: Broadcast) -> Plan:
    worth: dict[Failure, int] = {}
    left_out: dict[str, int] = {}
    for row in session.execute(_GROUPS, {"id": broadcast.id}):
        failure = Failure(row.code, row.reason, row.is_fresh)
        why = RETRIED if row.is_retried else why_not(failure)
        if why is None:
            worth[failure] = row.people
        else:
            left_out[why] = left_out.get(why, 0) + row.people
    told = sorted((LeftOut(why, people) for why, people in left_out.items()), key=lambda each: -each.people)
    people = sum(worth.values())
    return Plan(people + sum(left_out.values()), people, told, list(worth))


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
    if parent.state not in _STATES:
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
