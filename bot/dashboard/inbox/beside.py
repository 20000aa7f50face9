"""The list as it stands beside a thread, or alone: what dashboard/inbox.html asks for it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from bot import runtime
from bot.conversations import at_work
from bot.conversations.finding import Tab
from bot.dashboard import access, listing, simulators
from bot.dashboard.inbox import door, mentions, rows, work
from bot.dashboard.inbox.work import Team
from bot.language import later, spoken
from bot.models.inbox import Availability
from bot.models.words import Environment

TABS: Mapping[Tab, str] = {
    Tab.OPEN: later("Open"),
    Tab.UNANSWERED: later("Unanswered"),
    Tab.WAITING: later("Waiting longest"),
    Tab.ENDING: later("Closing soon"),
    Tab.MINE: later("Mine"),
    Tab.UNASSIGNED: later("Unassigned"),
    Tab.CLOSED: later("Closed"),
    Tab.ALL: later("All"),
}


def load(session: Session, environment: Environment) -> dict[str, object]:
    """Hand it on to the template, with `thread` (None where there is none) and `before`."""
    asked, me = door.asked(environment), access.operator().id
    at_work.tell(runtime.current().redis, me)
    team, current = work.team_of(session, environment), work.current()
    mentions.know_unseen(session)
    simulators.know_phone(session)
    return {
        "listing": listing.load(session, asked, door.place()),
        "row": rows.painter(),
        "state": asked.tab,
        "choices": team.offers,
        "coaches": [(coach.id, coach.name) for coach in team.coaches],
        "chosen": {name: door.number(name) for name in door.FILTERS},
        "away_since": _away_since(session, team, me),
        "after": door.place(),
        "undo": door.number("undo"),
        "is_alone": False,
        "work": work.load(session, current, lambda _: team) if current else None,
        "tabs": spoken(TABS),
        "has_numbers": bool(team.offers.numbers),
    }


def _away_since(session: Session, team: Team, operator_id: int) -> datetime | None:
    for coach in team.coaches:
        if coach.id == operator_id:
            return coach.away_since
    found = session.get(Availability, operator_id)  # of somebody who looks and does not answer
    return found.away_since if found else None
