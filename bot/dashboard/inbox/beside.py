"""The list as it stands beside a thread, or alone: what dashboard/inbox.html asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.conversations import at_work, labels
from bot.conversations.finding import Tab
from bot.dashboard import access, listing
from bot.dashboard.inbox import door, rows, work
from bot.dashboard.inbox.work import Team
from bot.language import later, spoken
from bot.models.connection import Number
from bot.models.inbox import Availability
from bot.models.segment import Segment
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

Options = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the list can be narrowed by."""

    numbers: Options
    labels: Options
    segments: Options
    coaches: Options


def load(session: Session, environment: Environment) -> dict[str, object]:
    """Hand it on to the template, with `thread` (None where there is none) and `before`."""
    asked = door.asked(environment)
    at_work.tell(runtime.current().redis, access.operator().id)
    team = Team(at_work.coaches(session), labels.every(session, environment))
    return {
        "listing": listing.load(session, asked, door.place()),
        "row": rows.painter(),
        "state": asked.tab,
        "choices": _choices(session, environment, team),
        "chosen": {name: door.number(name) for name in door.FILTERS},
        "away_since": _away_since(session),
        "after": door.place(),
        "undo": door.number("undo"),
        "is_alone": False,
        "work": work.of_request(session, team),
        "tabs": spoken(TABS),
        "has_numbers": True,
    }


def _choices(session: Session, environment: Environment, team: Team) -> Choices:
    numbers = select(Number.id, Number.name).where(Number.environment == environment).order_by(Number.name)
    kept = select(Segment.id, Segment.name).where(Segment.environment == environment).order_by(Segment.name)
    return Choices(
        numbers=[(id_, name) for id_, name in session.execute(numbers)],
        labels=[(label.id, label.name) for label in team.labels],
        segments=[(id_, name) for id_, name in session.execute(kept)],
        coaches=[(coach.id, coach.name) for coach in team.coaches],
    )


def _away_since(session: Session) -> datetime | None:
    found = session.get(Availability, access.operator().id)
    return found.away_since if found else None
