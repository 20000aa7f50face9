"""Page of a draft: what it says, to whom and when, as real people would read it, and test sends of it."""

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, deliveries, times
from bot.language import _
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.preference import Topic
from bot.models.words import BroadcastState, SegmentRole
from bot.people.rules.counting import Count
from bot.people.rules.schema import RuleError
from bot.team import operators
from broadcasts import calls, transitions
from broadcasts.audience import membership
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting import description, drafts, reading, tryouts, whom
from broadcasts.drafting.wanted import LETTERS, Wanted
from broadcasts.finding import find
from broadcasts.transitions import Actor

pages = Blueprint("drafts", __name__)


def page(tx: Session, draft: Broadcast, problems: Sequence[str]) -> str:
    """`?who=` shows it as somebody by name, phone or id, `?person=…&do=next` as whoever comes after."""
    wanted, asked = drafts.wanted_of(tx, draft), request.args
    who, person, go = asked.get("who", ""), asked.get("person", 0, int), asked.get("do", "")
    who = "" if go == "next" else who
    try:
        count, count_problem = whom.count(tx, draft.environment, wanted), None
    except RuleError as error:
        count, count_problem = None, _("A segment's rule cannot be asked. %(error)s", error=error)
    return render_template(
        "broadcasts/draft.html",
        broadcast=draft,
        wanted=wanted,
        number=tx.get_one(Number, draft.number_id),
        segments=membership.of(tx, draft),
        minus=membership.of(tx, draft, SegmentRole.MINUS),
        count=count,
        count_problem=count_problem,
        topic=tx.get(Topic, draft.topic_id) if draft.topic_id else None,
        versions=reading.versions(tx, wanted),
        letters=LETTERS,
        look=reading.look(tx, draft.environment, wanted, who=who, person=person, go=go),
        who=who,
        zone=times.zone().key,
        own_phone=operators.get(tx, access.operator().id).phone,
        tried=request.form.get("to", ", ".join(tryouts.last_to(tx, access.operator().id, draft.environment))),
        problems=problems,
        calls=_calls(tx, draft, wanted, count),
        **_tests(tx, draft.id),
    )


@pages.post("/broadcasts/<int:broadcast_id>/test")
def test(broadcast_id: int) -> ResponseReturnValue:
    """Send it to a few chosen people now."""
    to = re.split(r"[,;\n]+", request.form.get("to", ""))
    which = [int(each) for each in request.form.getlist("version") if re.fullmatch(r"[0-9]{1,3}", each)]
    rt, me = runtime.current(), access.operator().id
    try:
        with rt.transaction() as tx:
            if request.form.get("me"):
                to.append(operators.get(tx, me).phone or "")
            notes = tryouts.send(tx, find(tx, broadcast_id), to, which, Actor(operator_id=me))
    except BroadcastError as error:
        with rt.transaction() as tx:
            return page(tx, find(tx, broadcast_id), str(error).splitlines()), 422
    rt.ring("bulk")
    flash(" ".join([_("The test is on its way."), *notes]))
    return redirect(url_for("broadcasts.show", broadcast_id=broadcast_id), 303)


@pages.get("/broadcasts/<int:broadcast_id>/tests")
def tests(broadcast_id: int) -> ResponseReturnValue:
    """What became of the test sends, for the page's script."""
    with runtime.current().transaction() as tx:
        return render_template("broadcasts/_tests.html", **_tests(tx, find(tx, broadcast_id).id))


def _calls(tx: Session, draft: Broadcast, wanted: Wanted, count: Count | None) -> list[tuple[str, str]]:
    if draft.state == BroadcastState.DRAFT:
        people = count.value if count is not None and count.is_exact else None
        phone = operators.get(tx, access.operator().id).phone
        mark = f"{drafts.version_of(wanted)}.{len(transitions.timeline(tx, draft.id))}"
        found = calls.of_draft(draft.id, mark, description.write(tx, wanted), people, phone)
    else:
        pace = draft.pace_per_s or tx.get_one(Number, draft.number_id).pace_per_s
        found = calls.of_launched(draft.id, draft.state, pace)
    return calls.shown(found, runtime.current().settings.base_url)


def _tests(tx: Session, draft_id: int) -> dict[str, Any]:
    sent = tryouts.sent(tx, draft_id)
    return {
        "tests": [(each, deliveries.of(each.message) if each.message else None) for each in sent],
        "is_watched": any(each.is_watched for each in sent),
    }
