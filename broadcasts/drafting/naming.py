"""Numbers, templates, segments and topics that a description names, looked up: what it wants, as a draft is made."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session

from bot.connections import numbers
from bot.models.connection import Number
from bot.models.preference import Topic
from bot.models.segment import Segment
from bot.people import topics
from broadcasts.drafting.description import Asked, Reference, TemplateName
from broadcasts.drafting.drafts import DraftError
from broadcasts.drafting.wanted import Care, Problem, Schedule, Trial, Wanted, Wording
from broadcasts.segments import segments
from broadcasts.templates import templates

_NEEDED: Final = {
    "name": "Give the broadcast a name.",
    "segments": "Name the segments it goes to.",
    "template": 'Name its template: {"name": "…", "language": "…"}.',
}
_NOTHING: Final = Wanted(name="", number_id=0, template_id=0, segment_ids=(), slots={})
_PARTS: Final = ("schedule", "care", "trial")
_CLEARED: Final[Mapping[str, Mapping[str, Any]]] = {
    "minus": {"minus_ids": ()},
    "topic": {"topic_id": None},
    "slots": {"slots": {}},
    "wordings": {"wordings": ()},
    "schedule": {"schedule": Schedule()},
    "care": {"care": Care()},
    "trial": {"trial": Trial()},
}
"""What becomes of a member that is null."""

Found = TypeVar("Found")


def find(session: Session, environment: str, asked: Asked, base: Wanted | None = None) -> Wanted:
    """What is asked for; with `base` that one, changed by what is said. Raises DraftError with all that is unknown."""
    looking = _Looking(session, environment)
    for name, text in _NEEDED.items():
        if getattr(asked, name) is None and (base is None or name in asked.cleared):
            looking.problems.append(Problem(name, text))
    found: dict[str, Any] = {}
    for name in asked.cleared & _CLEARED.keys():
        found |= _CLEARED[name]
    found |= looking.look_up(asked, base)
    if looking.problems:
        raise DraftError(looking.problems)
    start = replace(base or _NOTHING, **found)
    return replace(start, **{name: replace(getattr(start, name), **getattr(asked, name)) for name in _PARTS})


class _Looking:
    """Goes on where something is not found, so that all of it can be told."""

    def __init__(self, session: Session, environment: str) -> None:
        self.session, self.environment = session, environment
        self.problems: list[Problem] = []

    def look_up(self, asked: Asked, base: Wanted | None) -> dict[str, Any]:
        """Attributes of Wanted."""
        plain = {"name": asked.name, "slots": asked.slots}
        found: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
        for name, said, ids in (("segments", asked.segments, "segment_ids"), ("minus", asked.minus, "minus_ids")):
            if said is not None:
                looks = (partial(self._segment, each) for each in said)
                found[ids] = [self._try(f"{name}.{index}", look) for index, look in enumerate(looks)]
        if asked.topic is not None:
            found["topic_id"] = self._try("topic", partial(self._topic, asked.topic))
        number_id = None if base is None or asked.number is not None or "number" in asked.cleared else base.number_id
        found["number_id"] = number_id or self._try("number", partial(self._number, asked.number))
        if found["number_id"] is not None:
            found |= self._texts(asked, self.session.get_one(Number, found["number_id"]).connection_id)
        return found

    def _texts(self, asked: Asked, connection_id: int) -> dict[str, Any]:
        """Its own template, and its other wordings, of the number's account."""
        found: dict[str, Any] = {}
        look = partial(self._template, connection_id)
        if asked.template is not None:
            found["template_id"] = self._try("template", partial(look, asked.template))
        if asked.wordings is not None:
            found["wordings"] = [
                Wording(
                    variant=each.variant,
                    language=each.language,
                    template_id=self._try(f"wordings.{index}.template", partial(look, each.template)) or 0,
                    slots=each.slots,
                )
                for index, each in enumerate(asked.wordings)
            ]
        return found

    def _try(self, field: str, look: Callable[[], Found]) -> Found | None:
        try:
            return look()
        except (numbers.NumberError, segments.SegmentError, templates.TemplateError, topics.TopicError) as error:
            self.problems.append(Problem(field, str(error)))
            return None

    def _number(self, said: Reference | None) -> int:
        return numbers.choose(self.session, self.environment, None if said is None else str(said)).id

    def _template(self, connection_id: int, said: TemplateName) -> int:
        return templates.named(self.session, connection_id, said.name, said.language).id

    def _segment(self, said: Reference) -> int:
        if isinstance(said, str):
            return segments.named(self.session, self.environment, said).id
        found = self.session.get(Segment, said)
        if found is None or found.environment != self.environment:
            raise segments.SegmentError(f"There is no segment {said} in {self.environment}.")
        return found.id

    def _topic(self, said: Reference) -> int:
        if isinstance(said, str):
            return topics.named(self.session, self.environment, said).id
        found = self.session.get(Topic, said)
        if found is None or found.environment != self.environment:
            raise topics.TopicError(f"There is no topic {said} in {self.environment}.")
        return found.id
