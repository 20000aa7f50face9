"""What stands in the way of a draft or of its launch: sentences, each with its remedy; an empty list is a yes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot.language import _, translated
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
        return [
            _("There is no such topic in %(environment)s: choose one of its own, or none.", environment=environment)
        ]
    if topic.archived_at is not None:
        return [
            _("The topic %(name)s is archived: choose another, or bring it back under People, Topics.", name=topic.name)
        ]
    return []


def of_launch(session: Session, broadcast: Broadcast, template: Template) -> list[str]:
    found = _of_sending(template, broadcast.slots)
    mine = select(BroadcastWording).where(BroadcastWording.broadcast_id == broadcast.id).order_by(BroadcastWording.id)
    for each in session.scalars(mine):
        found += _of_sending(each.template, each.slots)
    if broadcast.topic_id is not None:
        found += of_topic(broadcast.environment, session.get(Topic, broadcast.topic_id))
    found += _of_audience(session, broadcast)
    return list(dict.fromkeys(found))  # what is wrong with a template of several wordings is said once


def _of_sending(template: Template, slots: Mapping[str, str]) -> list[str]:
    found = check_slots(template.components, slots)
    if template.status.upper() != APPROVED:
        found.append(
            _(
                "The template %(name)s is %(status)s, not %(approved)s: choose another one.",
                name=template.name,
                status=template.status,
                approved=APPROVED,
            )
        )
    return found


def _of_audience(session: Session, broadcast: Broadcast) -> list[str]:
    segments = membership.of(session, broadcast)
    names = " and ".join(segment.name for segment in segments)
    try:
        if session.scalar(select(exists().where(membership.belongs(session, broadcast)))):
            return []
    except RuleError as error:
        return [_("The rule of %(names)s cannot be asked. %(error)s", names=names, error=error)]
    if membership.of(session, broadcast, SegmentRole.MINUS):
        return [_("Of %(names)s nobody is left without those of the segments left out: choose others.", names=names)]
    if any(segment.rule is None for segment in segments):
        return [_("There is nobody in the segment: import a list into it first.")]
    return [_("The rule of %(names)s matches nobody: change it, or choose another segment.", names=names)]


def _of_name(name: str) -> Iterator[Problem]:
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        yield Problem(
            "name", _("Give the broadcast a name of 1 to %(longest_name)s characters.", longest_name=LONGEST_NAME)
        )


def _of_number(environment: str, number: Number | None) -> Iterator[Problem]:
    if environment not in set(Environment):
        yield Problem(
            "environment",
            _("There is no environment %(environment)s: choose live or test.", environment=repr(environment)),
        )
    if number is None:
        yield Problem("number", _("Choose a number of %(environment)s.", environment=environment))
    elif number.environment != environment:
        text = _(
            "The number %(phone)s belongs to %(environment)s: choose one of %(ours)s.",
            phone=number.phone,
            environment=number.environment,
            ours=environment,
        )
        yield Problem("number", text)


def _of_segments(session: Session, environment: str, wanted: Wanted) -> Iterator[Problem]:
    if not wanted.segment_ids:
        yield Problem("segments", _("Choose the segment it goes to."))
    asked = {*wanted.segment_ids, *wanted.minus_ids}
    known = {each.id: each for each in session.scalars(select(Segment).where(Segment.id.in_(asked)))}
    for field, ids in (("segments", wanted.segment_ids), ("minus", wanted.minus_ids)):
        for id_ in dict.fromkeys(ids):
            segment = known.get(id_)
            if segment is None:
                yield Problem(
                    field,
                    _("A segment does not exist any more: choose one of %(environment)s.", environment=environment),
                )
            elif segment.environment != environment:
                text = _(
                    "The segment %(name)s belongs to %(environment)s: choose one of %(ours)s.",
                    name=segment.name,
                    environment=segment.environment,
                    ours=environment,
                )
                yield Problem(field, text)
            elif field == "minus" and id_ in wanted.segment_ids:
                yield Problem(
                    field, _("The segment %(name)s is both written to and left out: choose one.", name=segment.name)
                )


def _of_template(number: Number | None, template: Template | None, field: str) -> Iterator[Problem]:
    if template is None:
        yield Problem(field, _("Choose a template that exists."))
    elif number is not None and template.connection_id != number.connection_id:
        text = _(
            "The template %(name)s belongs to another connection than %(phone)s: choose another.",
            name=template.name,
            phone=number.phone,
        )
        yield Problem(field, text)


def _of_wording(
    session: Session, number: Number | None, own: Template | None, wording: Wording, at: str
) -> Iterator[Problem]:
    who, template = name_of(wording), session.get(Template, wording.template_id)
    if wording.language is not None and not _LANGUAGE.fullmatch(wording.language):
        text = _("%(language)s is not a language code: write it like en or pt_BR.", language=wording.language[:40])
        yield Problem(f"{at}language", text)
    for problem in _of_template(number, template, f"{at}template"):
        yield Problem(problem.field, f"{who}: {problem.text}")
    if template is None:
        return
    if own is not None and template.category != own.category:
        text = _(
            "%(who)s: the template %(name)s is %(category)s and %(own_name)s is %(own_category)s: all "
            "wordings of a broadcast are of one category.",
            who=who,
            name=template.name,
            category=translated(template.category.lower()),
            own_name=own.name,
            own_category=translated(own.category.lower()),
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
