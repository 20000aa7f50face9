"""Goals as a team keeps them: made, changed and removed, each checked as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from bot import runtime
from bot.goals import conditions, watching
from bot.goals.conditions import FIELDS, ConditionError
from bot.language import _
from bot.models.goals import Behaviour, BehaviourKind, BehaviourRole, Goal
from bot.team import audit
from bot.team.audit import Action, By

MOST: Final = 100
"""Goals of an environment."""
MOST_ON_THE_WAY: Final = 20
LONGEST_NAME: Final = 100
LONGEST_DESCRIPTION: Final = 500
KNOWN: Final = ("name", "description", "looks_back", "start", "way", "completion")
_PARTS: Final = ("name", "kind", "condition")
_TRANSACTION = text("SELECT pg_current_xact_id()::text::bigint")


class GoalError(ValueError):
    """A goal cannot be kept as asked: a sentence for each place, as `way[1].condition.words`."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(next(iter(problems.values()), ""))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class _Wanted:
    role: BehaviourRole
    name: str
    kind: BehaviourKind
    condition: dict[str, Any]


def every(session: Session, environment: str) -> Sequence[Goal]:
    found = select(Goal).where(Goal.environment == environment).order_by(Goal.name)
    return session.scalars(found.options(selectinload(Goal.behaviours))).all()


def create(session: Session, environment: str, given: Mapping[str, Any], by: By) -> Goal:
    """Raises GoalError. What is stored already is looked through later; see bot/goals/looking_back.py."""
    name, description, looks_back, wanted = _read(session, environment, given)
    if len(every(session, environment)) >= MOST:
        raise GoalError({"name": _("There are %(most)s goals already, which is the most.", most=MOST)})
    goal = Goal(
        environment=environment,
        name=name,
        description=description,
        looks_back=looks_back,
        created_by_operator_id=by.operator_id,
        created_by_token_id=by.token_id,
    )
    session.add(goal)
    _flush(session, name)
    _place(session, goal, wanted)
    audit.note(session, by, Action.GOAL_MADE, f"goal {goal.id}", after=as_data(goal))
    return goal


def change(session: Session, goal: Goal, given: Mapping[str, Any], by: By) -> None:
    """Raises GoalError. A behaviour whose condition stays keeps what was counted of it."""
    session.refresh(goal, with_for_update=True)
    before = as_data(goal)
    goal.name, goal.description, goal.looks_back, wanted = _read(session, goal.environment, given)
    _flush(session, goal.name)
    _place(session, goal, wanted)
    goal.updated_at = func.now()
    session.flush()
    audit.note(session, by, Action.GOAL_CHANGED, f"goal {goal.id}", before=before, after=as_data(goal))


def remove(session: Session, goal: Goal, by: By) -> None:
    """With all that was counted of it."""
    audit.note(session, by, Action.GOAL_REMOVED, f"goal {goal.id}", before=as_data(goal))
    session.delete(goal)
    session.flush()
    watching.forget(session)


def as_data(goal: Goal) -> dict[str, Any]:
    """As `create` takes it: what a page's form and a program are given to change."""
    told: dict[str, Any] = {"name": goal.name, "description": goal.description, "looks_back": goal.looks_back}
    parts = [(each.role, _told(each)) for each in goal.behaviours]
    return told | {
        "start": next((part for role, part in parts if role == BehaviourRole.START), None),
        "way": [part for role, part in parts if role == BehaviourRole.WAY],
        "completion": next((part for role, part in parts if role == BehaviourRole.COMPLETION), None),
    }


def _told(behaviour: Behaviour) -> dict[str, Any]:
    kept = {
        name: behaviour.condition[name] for name in FIELDS[BehaviourKind(behaviour.kind)] if name in behaviour.condition
    }
    return {"name": behaviour.name, "kind": behaviour.kind, "condition": kept}


def _read(
    session: Session, environment: str, given: Mapping[str, Any]
) -> tuple[str, str | None, bool, Sequence[_Wanted]]:
    problems: dict[str, str] = {}
    for name in given.keys() - set(KNOWN):
        problems[name[:64]] = _("There is no such field here: use %(known)s.", known=", ".join(KNOWN))
    called = _name(given.get("name"), "name", problems)
    description = given.get("description")
    if description is not None and (not isinstance(description, str) or len(description) > LONGEST_DESCRIPTION):
        longest = LONGEST_DESCRIPTION
        problems["description"] = _("A description has %(longest)s characters at most.", longest=longest)
    looks_back = given.get("looks_back", True)
    if not isinstance(looks_back, bool):
        problems["looks_back"] = _("This is either true or false.")
    wanted = list(_behaviours(session, environment, given, problems))
    if problems:
        raise GoalError(problems)
    return called, (str(description).strip() or None) if description else None, looks_back, wanted


def _behaviours(
    session: Session, environment: str, given: Mapping[str, Any], problems: dict[str, str]
) -> Iterator[_Wanted]:
    way = given.get("way") or []
    if not isinstance(way, list) or len(way) > MOST_ON_THE_WAY:
        problems["way"] = _("On the way are %(most)s behaviours at most, in a list.", most=MOST_ON_THE_WAY)
        way = []
    placed = [
        (BehaviourRole.START, "start", given.get("start")),
        *((BehaviourRole.WAY, f"way[{place}]", each) for place, each in enumerate(way)),
        (BehaviourRole.COMPLETION, "completion", given.get("completion")),
    ]
    for role, path, each in placed:
        found = _behaviour(session, environment, role, path, each, problems)
        if found is not None:
            yield found


def _behaviour(
    session: Session, environment: str, role: BehaviourRole, path: str, given: object, problems: dict[str, str]
) -> _Wanted | None:
    if not isinstance(given, dict) or given.keys() - set(_PARTS):
        problems[path] = _("Say what people do: a name, a kind and a condition, and nothing beside them.")
        return None
    name = _name(given.get("name"), f"{path}.name", problems)
    kind, condition = given.get("kind"), given.get("condition")
    if not isinstance(kind, str) or kind not in FIELDS:
        problems[f"{path}.kind"] = _("Choose a kind: %(kinds)s.", kinds=", ".join(FIELDS))
        return None
    if not isinstance(condition, dict):
        problems[f"{path}.condition"] = _(
            "Say what it is recognised by: %(fields)s.", fields=", ".join(FIELDS[BehaviourKind(kind)])
        )
        return None
    try:
        checked = conditions.check(session, environment, BehaviourKind(kind), condition)
    except ConditionError as error:
        problems[f"{path}.condition.{error.field}"] = str(error)
        return None
    return _Wanted(role, name, BehaviourKind(kind), checked)


def _name(given: object, path: str, problems: dict[str, str]) -> str:
    name = " ".join(given.split()) if isinstance(given, str) else ""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        problems[path] = _("Give it a name of 1 to %(longest)s characters.", longest=LONGEST_NAME)
    return name


def _flush(session: Session, name: str) -> None:
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise GoalError({"name": _("There is a goal %(name)s already: take another name.", name=name)}) from error


def _place(session: Session, goal: Goal, wanted: Sequence[_Wanted]) -> None:
    left = list(goal.behaviours)
    placed: list[Behaviour] = []
    for each in wanted:
        same = next((one for one in left if (one.kind, one.condition) == (each.kind, each.condition)), None)
        if same is None:
            same = _made(session, goal, each)
        else:
            left.remove(same)
        same.role, same.name, same.position = each.role, each.name, len(placed)
        placed.append(same)
    goal.behaviours = placed
    session.flush()
    watching.forget(session)


def _made(session: Session, goal: Goal, wanted: _Wanted) -> Behaviour:
    """Of an attribute those who have it already are looked for in any case, so as not to be counted later."""
    is_to_look = goal.looks_back or wanted.kind is BehaviourKind.ATTRIBUTE
    return Behaviour(
        goal_id=goal.id,
        environment=goal.environment,
        kind=wanted.kind,
        condition=wanted.condition,
        time_zone=runtime.current().settings.time_zone,
        since=None if is_to_look else func.now(),
        made_in=session.scalar(_TRANSACTION),
        looked_at=None if is_to_look else func.now(),
    )
