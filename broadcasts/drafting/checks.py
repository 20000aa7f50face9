"""What stands in the way of a draft or of its launch: sentences, each with its remedy; an empty list is a yes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot.messages.templates import check_slots
from bot.models.broadcast import Broadcast, BroadcastWording, Template
from bot.models.connection import Number
from bot.models.preference import Topic
from bot.models.segment import Segment
from bot.models.words import Environment, SegmentRole
from bot.people.rules.schema import RuleError
from broadcasts.audience import membership
from broadcasts.drafting import limits
from broadcasts.drafting.wanted import Problem, Wanted, Wording, name_of
from broadcasts.templates.templates import APPROVED

LONGEST_NAME = 120
_SLOT = re.compile(r"([a-z]+\.[\w.]+)(?: \(.*\))?: ")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8})*")


def of_wanted(session: Session, environment: str, wanted: Wanted) -> list[Problem]:
    """Everything that keeps it from being a draft, in the order of a form."""
    number, template = session.get(Number, wanted.number_id), session.get(Template, wanted.template_id)
    found = [*_of_name(wanted.name), *_of_number(environment, number), *_of_segments(session, environment, wanted)]
    if wanted.topic_id is not None:
        topic = session.get(Topic, wanted.topic_id)
        found += [Problem("topic", text) for text in of_topic(environment, topic)]
    found += _of_template(number, template, "template")
    if template is not None:
        found += _of_slots(template, wanted.slots, "")
    found += limits.of_variants(wanted.wordings)
    for index, wording in enumerate(wanted.wordings):
        found += _of_wording(session, number, template, wording, f"wordings.{index}.")
    found += limits.of_schedule(wanted.schedule, datetime.now(UTC))
    found += limits.of_numbers(wanted.care, wanted.trial, wanted.wordings)
    return found


def of_topic(environment: str, topic: Topic | None) -> list[str]:
    if topic is None or topic.environment != environment:
        return [f"There is no such topic in {environment}: choose one of its own, or none."]
    if topic.archived_at is not None:
        return [f"The topic {topic.name} is archived: choose another, or bring it back under People, Topics."]
    return []


def of_launch(session: Session, broadcast: Broadcast, template: Template) -> list[str]:
    found = _of_sending(template, broadcast.slots)
    mine = select(BroadcastWording).where(BroadcastWording.broadcast_id == broadcast.id).order_by(BroadcastWording.id)
    for each in session.scalars(mine):
        found += _of_sending(each.template, each.slots)
    if broadcast.topic_id is not None:
        found += of_topic(broadcast.environment, session.get(Topic, broadcast.topic_id))
    found += _of_audience(session, broadcast)
    return found


def _of_sending(template: Template, slots: Mapping[str, str]) -> list[str]:
    found = check_slots(template.components, slots)
    if template.status.upper() != APPROVED:
        found.append(f"The template {template.name} is {template.status}, not {APPROVED}: choose another one.")
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


def _of_name(name: str) -> Iterator[Problem]:
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        yield Problem("name", f"Give the broadcast a name of 1 to {LONGEST_NAME} characters.")


def _of_number(environment: str, number: Number | None) -> Iterator[Problem]:
    if environment not in set(Environment):
        yield Problem("environment", f"There is no environment {environment!r}: choose live or test.")
    if number is None:
        yield Problem("number", f"Choose a number of {environment}.")
    elif number.environment != environment:
        text = f"The number {number.phone} belongs to {number.environment}: choose one of {environment}."
        yield Problem("number", text)


def _of_segments(session: Session, environment: str, wanted: Wanted) -> Iterator[Problem]:
    if not wanted.segment_ids:
        yield Problem("segments", "Choose the segment it goes to.")
    asked = {*wanted.segment_ids, *wanted.minus_ids}
    known = {each.id: each for each in session.scalars(select(Segment).where(Segment.id.in_(asked)))}
    for field, ids in (("segments", wanted.segment_ids), ("minus", wanted.minus_ids)):
        for id_ in dict.fromkeys(ids):
            segment = known.get(id_)
            if segment is None:
                yield Problem(field, f"A segment does not exist any more: choose one of {environment}.")
            elif segment.environment != environment:
                text = f"The segment {segment.name} belongs to {segment.environment}: choose one of {environment}."
                yield Problem(field, text)
            elif field == "minus" and id_ in wanted.segment_ids:
                yield Problem(field, f"The segment {segment.name} is both written to and left out: choose one.")


def _of_template(number: Number | None, template: Template | None, field: str) -> Iterator[Problem]:
    if template is None:
        yield Problem(field, "Choose a template that exists.")
    elif number is not None and template.connection_id != number.connection_id:
        text = f"The template {template.name} belongs to another connection than {number.phone}: choose another."
        yield Problem(field, text)


def _of_wording(
    session: Session, number: Number | None, own: Template | None, wording: Wording, at: str
) -> Iterator[Problem]:
    who, template = name_of(wording), session.get(Template, wording.template_id)
    if wording.language is not None and not _LANGUAGE.fullmatch(wording.language):
        text = f"{wording.language[:40]} is not a language code: write it like en or pt_BR."
        yield Problem(f"{at}language", text)
    for problem in _of_template(number, template, f"{at}template"):
        yield Problem(problem.field, f"{who}: {problem.text}")
    if template is None:
        return
    if own is not None and template.category != own.category:
        text = (
            f"{who}: the template {template.name} is {template.category.lower()} and {own.name} is"
            f" {own.category.lower()}: all wordings of a broadcast are of one category."
        )
        yield Problem(f"{at}template", text)
    for problem in _of_slots(template, wording.slots, at):
        yield Problem(problem.field, f"{who}: {problem.text}")


def _of_slots(template: Template, slots: Mapping[str, str], at: str) -> Iterator[Problem]:
    for text in check_slots(template.components, slots):
        slot = _SLOT.match(text)
        yield Problem(f"{at}slots.{slot[1]}" if slot else f"{at}template", text)


def tell(problems: Sequence[Problem]) -> str:
    """One a line."""
    return "\n".join(problem.text for problem in problems)
