"""The rows behind a case: one question each, and None where there is nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, func, select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, BroadcastSegment, BroadcastTransition, BroadcastWording, Template
from bot.models.connection import Number
from bot.models.imports import ImportChange, ImportRun, StoredFile
from bot.models.journey import Journey, Reminder
from bot.models.message import Message
from bot.models.person import ConsentEvent, Person
from bot.models.preference import Preference
from bot.models.segment import Segment, SegmentMember
from bot.models.team import ApiToken, Operator
from bot.models.words import BroadcastState, Channel, Direction, SegmentRole
from bot.people import consent, segments
from bot.people.rules.schema import RuleError

_NAMED: Mapping[str, type[Any]] = {
    "journey_id": Journey,
    "operator_id": Operator,
    "reminder_id": Reminder,
    "token_id": ApiToken,
}


@dataclass(frozen=True, slots=True)
class Joined:
    """How somebody came into a segment: when, and by which import, if it was one."""

    at: datetime
    import_id: int | None = None
    file: str | None = None


def words_of(session: Session, person: Person) -> Sequence[tuple[ConsentEvent, str | None]]:
    found = session.execute(
        select(ConsentEvent, func.coalesce(Operator.name, ApiToken.name))
        .join(Operator, Operator.id == ConsentEvent.operator_id, isouter=True)
        .join(ApiToken, ApiToken.id == ConsentEvent.token_id, isouter=True)
        .where(
            ConsentEvent.person_id == person.id,
            ConsentEvent.category == consent.MARKETING,
            ConsentEvent.value.in_((consent.STOP, consent.RESUME)),
        )
        .order_by(ConsentEvent.occurred_at.desc(), (ConsentEvent.value == consent.STOP).desc())
    )
    return [(event, by) for event, by in found]


def refusals(session: Session, person: Person, topic_id: int | None) -> Sequence[tuple[Preference, str | None]]:
    found = session.execute(
        select(Preference, func.coalesce(Operator.name, ApiToken.name))
        .join(Operator, Operator.id == Preference.operator_id, isouter=True)
        .join(ApiToken, ApiToken.id == Preference.token_id, isouter=True)
        .where(
            Preference.person_id == person.id,
            Preference.channel == Channel.WHATSAPP,
            ~Preference.wants,
            Preference.topic_id.is_(None) | (Preference.topic_id == topic_id),
        )
        .order_by(Preference.topic_id.asc().nulls_first())
    )
    return [(preference, by) for preference, by in found]


def segment_of(session: Session, person: Person, broadcast: Broadcast) -> tuple[Segment | None, Joined | None]:
    """Of the segments a broadcast goes to the one that says most of a person, and how they came into it."""
    found = _segments(session, broadcast, SegmentRole.TO)
    for segment in found:
        if member := joined(session, person, segment):
            return segment, member
    fitting = (segment for segment in found if fits_rule(session, person, segment))
    return next(fitting, found[0] if found else None), None


def left_out_by(session: Session, person: Person, broadcast: Broadcast) -> Segment | None:
    found = _segments(session, broadcast, SegmentRole.MINUS)
    holding = (each for each in found if joined(session, person, each) or fits_rule(session, person, each))
    return next(holding, None)


def wording_of(session: Session, broadcast: Broadcast, message: Message | None) -> Broadcast | BroadcastWording:
    """What the message was made of; the broadcast itself has the wording of whoever has no other."""
    wording = session.get(BroadcastWording, message.wording_id) if message and message.wording_id else None
    return wording or broadcast


def _segments(session: Session, broadcast: Broadcast, role: SegmentRole) -> Sequence[Segment]:
    mine = select(Segment).join(BroadcastSegment, BroadcastSegment.segment_id == Segment.id)
    found = mine.where(BroadcastSegment.broadcast_id == broadcast.id, BroadcastSegment.role == role)
    return session.scalars(found.order_by(Segment.id)).all()


def joined(session: Session, person: Person, segment: Segment) -> Joined | None:
    member = session.get(SegmentMember, (segment.id, person.id))
    if member is None:
        return None
    brought = session.execute(
        select(ImportRun.id, StoredFile.name)
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
        .where(ImportRun.segment_id == segment.id, ImportRun.id.in_(_joined_by(person)))
        .order_by(ImportRun.id.desc())
        .limit(1)
    ).one_or_none()
    return Joined(member.added_at, *(brought or ()))


def _joined_by(person: Person) -> CompoundSelect[Any]:
    """Ids of the imports that made them, or made them a member."""
    changed = select(ImportChange.import_id).where(ImportChange.person_id == person.id, ImportChange.has_joined)
    return changed.union_all(select(Person.import_id).where(Person.id == person.id, Person.import_id.is_not(None)))


def halted(session: Session, broadcast: Broadcast) -> tuple[BroadcastTransition | None, str | None]:
    found = session.execute(
        select(BroadcastTransition, func.coalesce(Operator.name, ApiToken.name))
        .join(Operator, Operator.id == BroadcastTransition.operator_id, isouter=True)
        .join(ApiToken, ApiToken.id == BroadcastTransition.token_id, isouter=True)
        .where(
            BroadcastTransition.broadcast_id == broadcast.id,
            BroadcastTransition.to_state.in_((BroadcastState.PAUSED, BroadcastState.CANCELLED)),
        )
        .order_by(BroadcastTransition.id.desc())
        .limit(1)
    ).one_or_none()
    return (found[0], found[1]) if found else (None, None)


def author(session: Session, message: Message) -> str | None:
    for column, named in _NAMED.items():
        if (author_id := getattr(message, column)) is not None:
            return str(session.get_one(named, author_id).name)
    return None


def heard(session: Session, message: Message) -> Message | None:
    return session.scalar(
        select(Message)
        .where(
            Message.person_id == message.person_id,
            Message.number_id == message.number_id,
            Message.direction == Direction.IN,
            Message.occurred_at <= message.occurred_at,
        )
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(1)
    )


def fits_rule(session: Session, person: Person, segment: Segment) -> bool | None:
    if segment.rule is None or segment.environment != person.environment:
        return None
    try:
        asked = select(Person.id).where(Person.id == person.id, segments.belongs(session, segment))
        return session.scalar(asked) is not None
    except RuleError:
        return None


def template_of(session: Session, message: Message, number: Number) -> Template | None:
    told = (message.content or {}).get("template")
    if not isinstance(told, dict):
        return None
    language = told.get("language")
    return session.scalar(
        select(Template).where(
            Template.connection_id == number.connection_id,
            Template.name == str(told.get("name")),
            Template.language == str(language.get("code") if isinstance(language, dict) else language),
        )
    )


def as_frozen(template: Template) -> dict[str, Any]:
    return {
        name: getattr(template, name) for name in ("name", "language", "category", "parameter_format", "components")
    }
