"""Days, and whose they are, as pages of figures let them be chosen; they stay from page to page in each link."""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.dashboard import access, times
from bot.insights import choosing
from bot.insights.asking import InsightError
from bot.insights.choosing import Choice
from bot.language import _
from bot.models.connection import Number
from bot.models.segment import Segment
from bot.team.rights import Permission


def keep(pages: Blueprint) -> None:
    """Let each link of these pages to one another hand on what was chosen."""

    @pages.url_defaults
    def hand_on(_endpoint: str, values: dict[str, object]) -> None:
        if request and request.blueprint == pages.name:
            for word in choosing.WORDS:
                if request.args.get(word):
                    values.setdefault(word, request.args[word])


def read(usual: str) -> Choice:
    """What the address says; `usual` is the period of one that says nothing of days. Raises InsightError."""
    me = access.operator()
    has_days = any(request.args.get(word) for word in ("period", "since", "until"))
    given = request.args if has_days else request.args.to_dict() | {"period": usual}
    as_coach = None if Permission.TEAM_MANAGE in me.role else me.id
    choice = choosing.read(given, access.environment().value, datetime.now(times.zone()).date(), as_coach)
    if choice.which.segment_id and Permission.SEGMENTS_READ not in me.role:
        raise InsightError(_("Your role does not look at segments: leave the segment out."), "segment")
    return choice


def at_first(usual: str) -> Choice:
    """What stands in the place of a choice that cannot be."""
    return choosing.read({"period": usual}, access.environment().value, datetime.now(times.zone()).date())


def offered(session: Session) -> dict[str, object]:
    """What the form of choices is drawn from, and what was given."""
    may_segment = Permission.SEGMENTS_READ in access.operator().role
    return {
        "periods": [(word, label) for word, (label, _made) in choosing.PERIODS.items()],
        "against": [(word, label) for word, (label, _made) in choosing.AGAINST.items()],
        "numbers": _named(session, Number),
        "segments": _named(session, Segment) if may_segment else [],
        "given": request.args,
        "zone": times.zone().key,
    }


def _named(session: Session, of: type[Number | Segment]) -> Sequence[tuple[int, str]]:
    query = select(of.id, of.name).where(of.environment == access.environment().value).order_by(of.name)
    return [(id_, name) for id_, name in session.execute(query)]
