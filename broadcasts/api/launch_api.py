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
from broadcasts.drafting.fields import FieldError
from broadcasts.preflight import rates
from broadcasts.preflight.rates import RateError
from broadcasts.transitions import Actor

_BEFORE = frozenset({BroadcastState.DRAFT, BroadcastState.APPROVAL})

_MOST_RATES = 1000

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


@api.put("/broadcasts/rates")
def replace_rates() -> Response:
    """`{"rates": [{"country", "category", "price", "currency"}]}`: these and no others; with the list as it is now."""
    authenticate()
    asked = asking.read({"rates": _prices})
    if asked["rates"] is None:
        raise refusals.invalid("rates", "rates must be there: a list of prices, or an empty one for none.")
    with runtime.current().transaction() as session:
        try:
            rates.replace(session, asked["rates"])
        except RateError as error:
            raise refusals.invalid("rates", str(error)) from error
        return jsonify({"rates": [preflight_shapes.rate(each) for each in rates.every(session)]})


def _prices(value: object, field: str) -> list[dict[str, str]]:
    """Each an object of texts; a price is a text too, as a number of JSON may lose its last digits."""
    if not isinstance(value, list) or len(value) > _MOST_RATES:
        raise FieldError(field, f"{field} must be a list of {_MOST_RATES:,} prices at most.")
    for place, each in enumerate(value):
        if not isinstance(each, dict) or set(each) - set(rates.HEADER) or not all(map(_is_text, each.values())):
            raise FieldError(
                f"{field}.{place}",
                f'{field}.{place} must be like {{"country": "EG", "category": "MARKETING", "price": "0.07",'
                ' "currency": "USD"}}, each a text.',
            )
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str)
