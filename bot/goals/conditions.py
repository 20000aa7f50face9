"""What a behaviour may be recognised by: a table of kinds, each with the check that makes its one normal form."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.goals import folding
from bot.language import _
from bot.models.goals import BehaviourKind, TrackedLink
from bot.models.journey import Journey
from bot.people.rules import checking
from bot.people.rules.schema import Condition, Group, RuleError, as_data

MOST_WORDS: Final = 50
LONGEST_WORDS: Final = 100
LONGEST_EVENT: Final = 80
_MOVING: Final = frozenset({"in_last_days", "in_next_days"})

FIELDS: Final[Mapping[BehaviourKind, tuple[str, ...]]] = {
    BehaviourKind.ATTRIBUTE: ("of", "operator", "value"),
    BehaviourKind.STEP: ("journey", "step"),
    BehaviourKind.KEYWORD: ("words",),
    BehaviourKind.EVENT: ("event",),
    BehaviourKind.LINK: ("link",),
}


class ConditionError(ValueError):
    """`field` is where in the condition; the text says what would be right."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def check(session: Session, environment: str, kind: BehaviourKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """The condition as it is kept, the same for two that mean the same; raises ConditionError."""
    for name in given:
        if name not in FIELDS[kind]:
            known = ", ".join(FIELDS[kind])
            raise ConditionError(name[:64], _("There is no such field here: use %(known)s.", known=known))
    return _CHECKS[kind](session, environment, given)


def event_name(given: object) -> str:
    """Raises ConditionError."""
    name = " ".join(given.split()) if isinstance(given, str) else ""
    if not name or len(name) > LONGEST_EVENT or not name.isprintable():
        longest = LONGEST_EVENT
        raise ConditionError("event", _("Give the event a name of 1 to %(longest)s characters.", longest=longest))
    return name


def _attribute(session: Session, environment: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """In the form that rules are kept in."""
    if given.get("operator") in _MOVING:
        text = _("It would come true by itself as days go by, and nobody would have done anything: take another.")
        raise ConditionError("operator", text)
    try:
        rule = checking.check(session, environment, {"version": 1, "all": [{"what": "attribute", **given}]})
    except RuleError as error:
        first = error.problems[0]
        raise ConditionError(first.path.rpartition("]")[2].lstrip(".") or "of", first.text) from error
    [condition] = rule.nodes if isinstance(rule, Group) else ()
    if not isinstance(condition, Condition):
        raise ConditionError("of", _("Name one attribute, how it compares, and with what."))
    [kept] = as_data(rule)["all"]
    return dict(kept)


def _step(session: Session, environment: str, given: Mapping[str, Any]) -> dict[str, Any]:
    name, step = given.get("journey"), given.get("step")
    active = select(Journey.spec["steps"]).where(Journey.environment == environment, Journey.active)
    steps = session.scalar(active.where(Journey.name == name)) if isinstance(name, str) else None
    if steps is None:
        raise ConditionError("journey", _("There is no such journey: take the name of an active one."))
    if not isinstance(step, int) or isinstance(step, bool) or not 0 < step <= len(steps):
        raise ConditionError("step", _("Its steps are 1 to %(last)s: take the number of one.", last=len(steps)))
    return {"journey": name, "step": step}


def _keyword(_session: Session, _environment: str, given: Mapping[str, Any]) -> dict[str, Any]:
    words = given.get("words")
    if not isinstance(words, list) or not 0 < len(words) <= MOST_WORDS:
        raise ConditionError("words", _("Give 1 to %(most)s words or phrases, one a line.", most=MOST_WORDS))
    kept = [folding.fold(each) if isinstance(each, str) and len(each) <= LONGEST_WORDS else "" for each in words]
    if not all(kept):
        longest = LONGEST_WORDS
        raise ConditionError("words", _("Each is a word or a few, of at most %(longest)s characters.", longest=longest))
    return {"words": sorted(set(kept))}


def _event(_session: Session, _environment: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"event": event_name(given.get("event"))}


def _link(session: Session, environment: str, given: Mapping[str, Any]) -> dict[str, Any]:
    name = given.get("link")
    of = select(TrackedLink.id).where(TrackedLink.environment == environment, TrackedLink.name == name)
    if not isinstance(name, str) or session.scalar(of) is None:
        raise ConditionError("link", _("There is no such link: make it under Goals, Links."))
    return {"link": name}


_CHECKS: Final[Mapping[BehaviourKind, Callable[[Session, str, Mapping[str, Any]], dict[str, Any]]]] = {
    BehaviourKind.ATTRIBUTE: _attribute,
    BehaviourKind.STEP: _step,
    BehaviourKind.KEYWORD: _keyword,
    BehaviourKind.EVENT: _event,
    BehaviourKind.LINK: _link,
}
