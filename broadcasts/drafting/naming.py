"""The numbers, templates, segments and topics that a description names, looked up: what it wants, as a draft is made."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from bot.connections import numbers
from bot.models.preference import Topic
from bot.models.segment import Segment
from bot.people import topics
from broadcasts.drafting.description import Asked, Reference, TemplateName
from broadcasts.drafting.drafts import DraftError
from broadcasts.drafting.wanted import Care, Problem, Schedule, Trial, Wanted, Wording
from broadcasts.segments import segments
from broadcasts.templates import templates

_PARTS: dict[str, Callable[[], Any]] = {"schedule": Schedule, "care": Care, "trial": Trial}
_NEEDED = {
    "name": "Give the broadcast a name.",
    "segments": "Name the segments it goes to.",
    "template": 'Name its template: {"name": "…", "language": "…"}.',
}


def find(session: Session, environment: str, asked: Asked, base: Wanted | None = None) -> Wanted:
    """What is asked for; with `base` that one, changed by what is said. Raises DraftError with all that is not known."""
    problems: list[Problem] = []

    def look_up(field: str, look: Callable[[], Any]) -> Any:  # noqa: ANN401 (whatever is looked up)
        try:
            return look()
        except ValueError as error:
            problems.append(Problem(field, str(error)))
            return None

    if base is None:
        problems += [Problem(name, text) for name, text in _NEEDED.items() if getattr(asked, name) in (None, [])]
    number_id = _number(session, environment, asked, base, look_up)
    found: dict[str, Any] = {"number_id": number_id}
    for field, name in (("segments", "segment_ids"), ("minus", "minus_ids")):
        if (said := getattr(asked, field)) is not None:
            found[name] = look_up(field, lambda said=said: _segments(session, environment, said))
    if asked.topic is not None:
        found["topic_id"] = look_up("topic", lambda: _topic(session, environment, asked.topic))
    if number_id:
        found |= _texts(session, number_id, asked, look_up)
    if problems:
        raise DraftError(problems)
    return _put_together(asked, found, base)


def _number(session: Session, environment: str, asked: Asked, base: Wanted | None, look_up: Any) -> int | None:  # noqa: ANN401
    if asked.number is None and base is not None and "number" not in asked.cleared:
        return base.number_id
    named = None if asked.number is None else str(asked.number)
    found = look_up("number", lambda: numbers.choose(session, environment, named).id)
    return found if isinstance(found, int) else None


def _texts(session: Session, number_id: int, asked: Asked, look_up: Any) -> dict[str, Any]:  # noqa: ANN401
    """Its own template, and its other wordings, of the number's account."""
    from_account = session.get_one(numbers.Number, number_id).connection_id
    found: dict[str, Any] = {}

    def template(named: TemplateName) -> int:
        return templates.named(session, from_account, named.name, named.language).id

    if asked.template is not None:
        own = asked.template
        found["template_id"] = look_up("template", lambda: template(own))
    if asked.wordings is not None:
        ids = [
            look_up(f"wordings.{index}.template", lambda each=each: template(each.template))
            for index, each in enumerate(asked.wordings)
        ]
        found["wordings"] = [
            Wording(variant=each.variant, language=each.language, template_id=id_ or 0, slots=each.slots)
            for each, id_ in zip(asked.wordings, ids, strict=True)
        ]
    return found


def _segments(session: Session, environment: str, said: Sequence[Reference]) -> list[int]:
    """Raises SegmentError."""
    found = []
    for each in said:
        if isinstance(each, str):
            found.append(segments.named(session, environment, each).id)
            continue
        segment = session.get(Segment, each)
        if segment is None or segment.environment != environment:
            raise segments.SegmentError(f"There is no segment {each} in {environment}.")
        found.append(segment.id)
    return found


def _topic(session: Session, environment: str, said: Reference | None) -> int:
    """Raises TopicError."""
    if isinstance(said, int):
        topic = session.get(Topic, said)
        if topic is None or topic.environment != environment:
            raise topics.TopicError(f"There is no topic {said} in {environment}.")
        return topic.id
    return topics.named(session, environment, str(said)).id


def _put_together(asked: Asked, found: dict[str, Any], base: Wanted | None) -> Wanted:
    if asked.name is not None:
        found["name"] = asked.name
    if asked.slots is not None:
        found["slots"] = asked.slots
    start = base or Wanted(name="", number_id=0, template_id=0, segment_ids=(), slots={})
    cleared: dict[str, Any] = {"minus": ("minus_ids", ()), "topic": ("topic_id", None), "wordings": ("wordings", ())}
    cleared |= {"slots": ("slots", {})} | {name: (name, part()) for name, part in _PARTS.items()}
    for name in asked.cleared & cleared.keys():
        found[cleared[name][0]] = cleared[name][1]
    for name in _PARTS:
        if said := getattr(asked, name):
            found[name] = replace(getattr(start, name), **said)
    return replace(start, **found)
