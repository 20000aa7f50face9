"""Days, and whose they are, as pages of figures let them be chosen; they stay from page to page in each link."""

from collections.abc import Mapping, Sequence
from typing import Final

from flask import Blueprint, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.dashboard import access, times
from bot.dashboard.insights import wording
from bot.insights import choosing
from bot.insights.asking import InsightError
from bot.insights.choosing import Choice
from bot.language import _, later, translated
from bot.models.connection import Number
from bot.models.segment import Segment
from bot.team.rights import Permission

_PLACES: Final[Mapping[str, str]] = {
    "period": later("Period"),
    "since": later("First day"),
    "until": later("Last day"),
    "against": later("Compared with"),
    "against_since": later("First day compared with"),
    "against_until": later("Last day compared with"),
    "number": later("Number"),
    "segment": later("Segment"),
}
"""Words of an address as the form calls them."""


USUAL: Final[Mapping[str, str]] = {"insights": "7d", "goals": "28d"}
"""Pages whose links hand on to one another what was chosen, and the period of those that say nothing of days."""


def keep(pages: Blueprint) -> None:
    """Let links to these pages hand on what was chosen, so that a number is the same behind its link."""

    @pages.url_defaults
    def hand_on(endpoint: str, values: dict[str, object]) -> None:
        here = (request.blueprint if request else None) or ""
        if here not in USUAL:
            return
        if here != pages.name and endpoint != f"{pages.name}.index" and not _has_days():
            values.setdefault("period", USUAL[here])
        for word in choosing.WORDS:
            if request.args.get(word):
                values.setdefault(word, request.args[word])


def read() -> Choice:
    """What the address says; raises InsightError."""
    me = access.operator()
    given = request.args if _has_days() else request.args.to_dict() | {"period": _usual()}
    as_coach = None if Permission.TEAM_MANAGE in me.role else me.id
    choice = choosing.read(given, access.environment().value, wording.today(), as_coach)
    if choice.which.segment_id and Permission.SEGMENTS_READ not in me.role:
        raise InsightError(_("Your role does not look at segments: leave the segment out."), "segment")
    return choice


def _has_days() -> bool:
    return any(request.args.get(word) for word in ("period", "since", "until"))


def _usual() -> str:
    return USUAL[request.blueprint or ""]


def said(error: InsightError) -> str:
    """With the place's name on the form before it."""
    return f"{translated(_PLACES[error.about])}: {error}"


def at_first() -> Choice:
    """What stands in the place of a choice that cannot be."""
    return choosing.read({"period": _usual()}, access.environment().value, wording.today())


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
        "wording": wording,
    }


def _named(session: Session, of: type[Number | Segment]) -> Sequence[tuple[int, str]]:
    query = select(of.id, of.name).where(of.environment == access.environment().value).order_by(of.name)
    return [(id_, name) for id_, name in session.execute(query)]
