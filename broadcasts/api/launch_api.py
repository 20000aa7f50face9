"""REST for programs: what is looked at before a launch, and the launch; a second operator's yes is no program's."""

from flask import Response, jsonify

from bot import runtime
from bot.api import answers, refusals
from bot.api.access import authenticate, by
from bot.messages import policy
from bot.models.words import BroadcastState
from bot.team import audit
from bot.team.audit import Action
from broadcasts.api import asking, preflight_shapes, shapes
from broadcasts.api.asking import found, refusing
from broadcasts.broadcasts import WrongStateError
from broadcasts.control import lifecycle
from broadcasts.drafting import fields
from broadcasts.preflight import rates
from broadcasts.transitions import Actor

_BEFORE = frozenset({BroadcastState.DRAFT, BroadcastState.APPROVAL})

api = refusals.blueprint("launch_api", __name__)


@api.get("/broadcasts/<int:broadcast_id>/preflight")
def preflight(broadcast_id: int) -> Response:
    """Of 100,000 people it takes seconds."""
    token = authenticate()
    with refusing(), runtime.current().transaction() as session:
        draft = found(session, token, broadcast_id)
        if draft.state not in _BEFORE:
            raise WrongStateError(f"“{draft.name}” is {draft.state}: its preflight is over.")
        return jsonify(preflight_shapes.of(session, draft))


@api.post("/broadcasts/<int:broadcast_id>/launch")
def launch(broadcast_id: int) -> Response:
    """`{"confirmed": 1204}`: how many they are, asked for above the policy's threshold; `preflight`, its version."""
    token, rt = authenticate(), runtime.current()
    asked = asking.read({"confirmed": fields.whole, "preflight": fields.text, "why": asking.why})
    with refusing(), rt.transaction() as session:
        draft = found(session, token, broadcast_id)

        def make() -> int:
            me, told = Actor(token_id=token.id), {"confirmed": asked["confirmed"], "seen": asked["preflight"]}
            lifecycle.launch(session, draft.id, me, asked["why"], **told)
            audit.note(session, by(token), Action.LAUNCHED, f"broadcast {draft.id}", after={"state": draft.state})
            return draft.id

        launched = asking.once(session, token, asked, make)
        told = shapes.whole(session, found(session, token, launched))
    rt.ring("bulk")
    return answers.made(told, f"broadcasts/{launched}", 202)


@api.get("/broadcasts/policy")
def show_policy() -> Response:
    """What the environment's broadcasts keep to; admins change it on its page, programs do not."""
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify(preflight_shapes.policy(policy.of(session, token.environment)))


@api.get("/broadcasts/rates")
def show_rates() -> Response:
    """What the estimate goes by."""
    authenticate()
    with runtime.current().transaction() as session:
        return jsonify({"rates": [preflight_shapes.rate(each) for each in rates.every(session)]})
