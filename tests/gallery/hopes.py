"""What the school hopes for: a goal over what its people have said and were asked."""

from sqlalchemy.orm import Session

from bot.goals import goals, links
from bot.runtime import Runtime
from bot.team.audit import COMMAND
from tests.gallery.school import School
from tests.goals.aims import attribute, event, keyword, look_back, step

_GIVEN = {
    "name": "Somebody enrols",
    "description": "From the first question to the first lesson that is paid.",
    "start": keyword("hello", "hi", "hallo", "course", "lesson", "yes", "i"),
    "way": [step("welcome", 1), attribute("level", "is_not_empty")],
    "completion": event("lesson paid"),
}


def hope(rt: Runtime, made: School) -> None:
    with rt.transaction() as session:
        made.ids["goal_id"] = _made(session)


def _made(session: Session) -> int:
    goal = goals.create(session, "live", _GIVEN, COMMAND)
    links.create(session, "live", "placement", "https://lingua.example/placement", COMMAND)
    look_back(session, 10_000)
    return goal.id
