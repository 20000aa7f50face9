"""What stands in the way of a draft or of its launch: sentences, each with its remedy; an empty list is a yes."""

from collections.abc import Mapping, Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot.messages.templates import check_slots
from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Number
from bot.models.preference import Topic
from bot.models.segment import Segment
from bot.models.words import Environment, SegmentRole
from bot.people.rules.schema import RuleError
from broadcasts import membership
from broadcasts.templates.templates import APPROVED

LONGEST_NAME = 120


def of_draft(
    environment: str,
    name: str,
    number: Number,
    template: Template,
    segments: Sequence[Segment],
    slots: Mapping[str, str],
) -> list[str]:
    found = _of_name(name)
    if environment not in set(Environment):
        found.append(f"There is no environment {environment!r}: choose live or test.")
    if number.environment != environment:
        found.append(f"The number {number.phone} belongs to {number.environment}: choose one of {environment}.")
    found += [
        f"The segment {segment.name} belongs to {segment.environment}: choose one of {environment}."
        for segment in segments
        if segment.environment != environment
    ]
    if template.connection_id != number.connection_id:
        found.append(f"The template {template.name} belongs to another connection than {number.phone}: choose another.")
    return found + check_slots(template.components, slots)


def of_topic(environment: str, topic: Topic | None) -> list[str]:
    if topic is None or topic.environment != environment:
        return [f"There is no such topic in {environment}: choose one of its own, or none."]
    if topic.archived_at is not None:
        return [f"The topic {topic.name} is archived: choose another, or bring it back under People, Topics."]
    return []


def of_launch(session: Session, broadcast: Broadcast, template: Template) -> list[str]:
    found = check_slots(template.components, broadcast.slots)
    if template.status.upper() != APPROVED:
        found.append(f"The template {template.name} is {template.status}, not {APPROVED}: choose another one.")
    if broadcast.topic_id is not None:
        found += of_topic(broadcast.environment, session.get(Topic, broadcast.topic_id))
    found += _of_audience(session, broadcast)
    return found


def _of_audience(session: Session, broadcast: Broadcast) -> list[str]:
    segments = membership.of(session, broadcast)
    names = " and ".join(segment.name for segment in segments)
    try:
        if session.scalar(select(exists().where(membership.belongs(session, broadcast)))):
            return []
    except RuleError as error:
        return [f"The rule of {names} cannot be asked. {error}"]
    if membership.of(session, broadcast, SegmentRole.MINUS):
        return [f"Of {names} nobody is left without those of the segments left out: choose others."]
    if any(segment.rule is None for segment in segments):
        return ["There is nobody in the segment: import a list into it first."]
    return [f"The rule of {names} matches nobody: change it, or choose another segment."]


def _of_name(name: str) -> list[str]:
    if 0 < len(name) <= LONGEST_NAME and name.isprintable():
        return []
    return [f"Give the broadcast a name of 1 to {LONGEST_NAME} characters."]
