"""Page: where somebody was called by name in a note; and how often one has not looked yet, for the navigation."""

from typing import cast

from flask import g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.conversations import notes
from bot.conversations.notes import Mention
from bot.dashboard import access, people, pushing
from bot.dashboard.inbox import door
from bot.dashboard.inbox.door import pages
from bot.models.person import Person
from bot.team import permissions

Shown = tuple[tuple[tuple[Mention, str], ...], int | None]
"""Each with the person's name, and the note that the next page is before."""


@pages.get("/inbox/mentions")
def mentions() -> ResponseReturnValue:
    """One's own; with `everybody` the whole team's."""
    return render_template("dashboard/mentions.html", **_told(_look(access.environment(), _whose(), _before())))


@pages.get("/inbox/mentions/rows")
def mention_rows() -> ResponseReturnValue:
    facts = _look(access.environment(), _whose(), None)
    return door.unless_known(facts, "dashboard/_mentions.html", **_told(facts))


@pages.get("/inbox/mentions/listen")
def listen_mentions() -> ResponseReturnValue:
    """One's own as server-sent events."""
    environment, me = access.environment(), access.operator().id

    def render(facts: object) -> str:
        return render_template("dashboard/_mentions.html", **_told(cast("Shown", facts)))

    topic = f"{notes.mentions_of(me)}?{environment}"
    return pushing.push(topic, lambda: _look(environment, me, None), render)


@pages.get("/inbox/mentions/count")
def count_mentions() -> ResponseReturnValue:
    return jsonify(count=unseen_mentions() or 0)


@pages.app_template_global()
def unseen_mentions() -> int | None:
    """None for who does not get to the inbox."""
    me = access.signed_in()
    if me is None or not permissions.may(me.role, "inbox.mentions"):
        return None
    if "unseen_mentions" not in g:  # a page says it in three places
        with runtime.current().transaction() as tx:
            know_unseen(tx)
    found: int = g.unseen_mentions
    return found


def know_unseen(session: Session) -> None:
    """For a page that is looking at the database anyway."""
    g.unseen_mentions = notes.unseen(session, access.environment().value, access.operator().id)


def _look(environment: str, operator_id: int | None, before: int | None) -> Shown:
    """Runs in a thread of the process that pushes too, without a request."""
    with runtime.current().transaction() as tx:
        found, more = notes.mentions(tx, environment, operator_id, before)
        names = _names(tx, [each.person_id for each in found])
    return tuple((each, names[each.person_id]) for each in found), more


def _names(session: Session, ids: list[int]) -> dict[int, str]:
    found = session.execute(select(Person.id, people.name()).where(Person.id.in_(ids)))
    return {id_: name for id_, name in found}  # noqa: C416 (rows are no pairs)


def _told(shown: Shown) -> dict[str, object]:
    found, more = shown
    return {"mentions": found, "more": more, "is_mine": _whose() is not None, "before": _before()}


def _whose() -> int | None:
    return None if "everybody" in request.args else access.operator().id


def _before() -> int | None:
    return door.number("before")
