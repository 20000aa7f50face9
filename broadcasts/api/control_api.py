"""REST for programs: what can be done with a broadcast on its way and afterwards, as the buttons of its page."""

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify
from sqlalchemy.orm import Session

from bot import runtime
from bot.api import answers, refusals
from bot.api.access import authenticate
from bot.models.broadcast import Broadcast
from bot.models.team import ApiToken
from bot.runtime import Runtime
from broadcasts.api import asking, shapes
from broadcasts.api.asking import found, refusing
from broadcasts.control import copying, lifecycle, pace, retrying, stopping
from broadcasts.drafting import fields
from broadcasts.results.ledger import Counts
from broadcasts.transitions import Actor

api = refusals.blueprint("control_api", __name__)

Stop = Callable[[Runtime, int, Actor, str | None], Counts]
Change = Callable[[Session, int, Actor, str | None], None]


@api.post("/broadcasts/<int:broadcast_id>/pause")
def pause(broadcast_id: int) -> Response:
    """Answers when nothing is on its way any more, with exact numbers."""
    return _stop(stopping.pause, broadcast_id)


@api.post("/broadcasts/<int:broadcast_id>/cancel")
def cancel(broadcast_id: int) -> Response:
    return _stop(stopping.cancel, broadcast_id)


@api.post("/broadcasts/<int:broadcast_id>/resume")
def resume(broadcast_id: int) -> Response:
    return _change(lifecycle.resume, broadcast_id)


@api.post("/broadcasts/<int:broadcast_id>/unschedule")
def unschedule(broadcast_id: int) -> Response:
    """A draft again."""
    return _change(lifecycle.unschedule, broadcast_id)


@api.post("/broadcasts/<int:broadcast_id>/pace")
def change_pace(broadcast_id: int) -> Response:
    """`{"pace_per_s": 20}`; null is as fast as its number may."""
    token = authenticate()
    asked = asking.read({"pace_per_s": fields.whole, "why": asking.why})
    if "pace_per_s" not in asking.body():
        raise refusals.invalid("pace_per_s", "Say how many a second, or null.")

    def change(session: Session, id_: int, actor: Actor, why: str | None) -> None:
        pace.change(session, id_, asked["pace_per_s"], actor, why)

    return _changed(token, change, broadcast_id, asked["why"])


@api.post("/broadcasts/<int:broadcast_id>/retry")
def retry(broadcast_id: int) -> Response:
    """Once more to whom it failed for a reason that may be over, by another broadcast; `confirmed` as at a launch."""
    return _make(retrying.retry, broadcast_id, confirmed=fields.whole)


@api.post("/broadcasts/<int:broadcast_id>/duplicate")
def duplicate(broadcast_id: int) -> Response:
    return _make(copying.duplicate, broadcast_id)


def _stop(stop: Stop, broadcast_id: int) -> Response:
    token, rt = authenticate(), runtime.current()
    asked = asking.read({"why": asking.why})
    with rt.transaction() as session:
        found(session, token, broadcast_id)
    with refusing():
        stop(rt, broadcast_id, Actor(token_id=token.id), asked["why"])
    return jsonify(_told(token, broadcast_id))


def _change(change: Change, broadcast_id: int) -> Response:
    token = authenticate()
    return _changed(token, change, broadcast_id, asking.read({"why": asking.why})["why"])


def _changed(token: ApiToken, change: Change, broadcast_id: int, why: str | None) -> Response:
    rt = runtime.current()
    with refusing(), rt.transaction() as session:
        change(session, found(session, token, broadcast_id).id, Actor(token_id=token.id), why)
    rt.ring("bulk")
    rt.ring("send")
    return jsonify(_told(token, broadcast_id))


def _make(make: Callable[..., Broadcast], broadcast_id: int, **more: Callable[[object, str], Any]) -> Response:
    """Answers with what was made; `more` are members of the body besides the reason, each by what reads it."""
    token, rt = authenticate(), runtime.current()
    asked = asking.read({"why": asking.why} | more)
    with refusing(), rt.transaction() as session:
        id_, actor = found(session, token, broadcast_id).id, Actor(token_id=token.id)
        made = asking.once(session, token, asked, lambda: make(session, id_, actor, **asked).id)
    rt.ring("bulk")
    return answers.made(_told(token, made), f"broadcasts/{made}")


def _told(token: ApiToken, broadcast_id: int) -> dict[str, Any]:
    with runtime.current().transaction() as session:
        return shapes.whole(session, found(session, token, broadcast_id))
