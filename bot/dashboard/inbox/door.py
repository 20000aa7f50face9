"""The inbox's blueprint, and what its list and its threads both ask of a request."""

import hashlib
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.conversations.finding import Asked, Place, Tab
from bot.dashboard import access
from bot.models.conversation import Conversation

pages = Blueprint("inbox", __name__)

FILTERS = ("number", "label", "segment", "coach")
"""What narrows the list, by the id that the address names."""
_KEPT = ("state", *FILTERS)
"""What an address says about the list: each link inside the inbox hands it on unless it says otherwise."""


@pages.url_defaults
def _keep(_endpoint: str, values: dict[str, Any]) -> None:
    if request and request.blueprint == pages.name:
        for name, given in request.args.items():
            if given and name in _KEPT:
                values.setdefault(name, given)


def state() -> Tab:
    """The tab that is looked at; one that does not exist is the first."""
    asked = request.args.get("state", "")
    return Tab(asked) if asked in list(Tab) else Tab.OPEN


def asked(environment: str) -> Asked:
    """The list that the address asks for, as whoever is signed in sees it."""
    return Asked(
        environment=environment,
        tab=state(),
        operator_id=access.operator().id if state() is Tab.MINE else 0,
        number_id=number("number"),
        label_id=number("label"),
        segment_id=number("segment"),
        assigned_to_id=number("coach"),
    )


def place() -> Place | None:
    """Where the list's page before this one ended."""
    return Place.read(request.args.get("after", ""))


def number(name: str) -> int | None:
    """An id from the address; one that the database cannot hold is as good as none."""
    given = request.args.get(name, type=int)
    return given if given is not None and 0 < given < 2**63 else None


def find(session: Session, conversation_id: int) -> Conversation:
    return session.get(Conversation, conversation_id) or abort(404)


def unless_known(shown: object, template: str, **values: object) -> ResponseReturnValue:
    """304 before anything is rendered, if the browser has exactly this."""
    etag = hashlib.blake2b(repr(shown).encode(), digest_size=16).hexdigest()
    if request.if_none_match.contains(etag):
        answer = make_response("", 304)
    else:
        answer = make_response(render_template(template, **values))
    answer.set_etag(etag)
    return answer


def back(conversation_id: int) -> ResponseReturnValue:
    return redirect(url_for("inbox.thread", conversation_id=conversation_id), 303)
