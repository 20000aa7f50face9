"""Everything that is known about a person and a message, or a broadcast that may have none for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastTransition, Template
from bot.models.connection import Number
from bot.models.imports import ImportChange, ImportRun, StoredFile
from bot.models.journey import Journey, Reminder
from bot.models.message import Message, StatusEvent
from bot.models.person import Address, ConsentEvent, Person
from bot.models.preference import Preference, Topic
from bot.models.segment import Segment, SegmentMember
from bot.models.team import ApiToken, Operator
from bot.models.words import AddressKind, BroadcastState, Channel, Direction
from bot.people import consent
from bot.people.values import load_values

_NAMED: Mapping[str, type[Any]] = {
    "journey_id": Journey,
    "operator_id": Operator,
    "reminder_id": Reminder,
    "token_id": ApiToken,
}
_REACHABLE = (AddressKind.PHONE.value, AddressKind.USER_ID.value)


@dataclass(frozen=True, slots=True)
class Joined:
    """How somebody came into a segment: when, and by which import, if it was one."""

    at: datetime
    import_id: int | None = None
    file: str | None = None


@dataclass(slots=True)
class Case:
    person: Person
    now: datetime
    message: Message | None = None
    statuses: Sequence[StatusEvent] = ()
    broadcast: Broadcast | None = None
    template: Mapping[str, Any] = field(default_factory=dict)
    """As frozen at launch; of a draft, as it stands."""
    template_now: Template | None = None
    number: Number | None = None
    segment: Segment | None = None
    joined: Joined | None = None
    is_listed: bool = False
    """Whether a rule's segment held them at the launch."""
    topic: Topic | None = None
    addresses: Sequence[Address] = ()
    words: Sequence[tuple[ConsentEvent, str | None]] = ()
    """What they said about marketing, the latest first, with the name of whoever wrote it down."""
    refusals: Sequence[tuple[Preference, str | None]] = ()
    """Their no to WhatsApp or to the broadcast's topic."""
    values: Mapping[str, str] = field(default_factory=dict)
    author: str | None = None
    """The name of the journey, coach, reminder or token that wrote the message."""
    heard: Message | None = None
    """What they wrote last before the message."""
    halted: BroadcastTransition | None = None
    """The last time somebody, or Backchat, paused or cancelled the broadcast."""
    halted_by: str | None = None

    @property
    def is_marketing(self) -> bool:
        return str(self.template.get("category", "")).upper() == "MARKETING"


def of_broadcast(session: Session, person: Person, broadcast: Broadcast) -> Case:
    key = f"b:{broadcast.id}:{person.id}"
    message = session.scalar(select(Message).where(Message.source_key == key))
    case = _of_person(session, person, message)
    template = session.get_one(Template, broadcast.template_id)
    case.broadcast, case.template_now = broadcast, template
    case.template = broadcast.frozen_template or _as_frozen(template)
    case.number = session.get_one(Number, broadcast.number_id)
    case.segment = session.get_one(Segment, broadcast.segment_id)
    case.joined = _joined(session, person, case.segment)
    case.is_listed = session.get(AudiencePerson, (broadcast.id, person.id)) is not None
    case.topic = session.get(Topic, broadcast.topic_id) if broadcast.topic_id else None
    case.refusals = _refusals(session, person, broadcast.topic_id)
    case.values = load_values(session, [person.id]).get(person.id, {})
    case.halted, case.halted_by = _halted(session, broadcast)
    return case


def of_message(session: Session, message: Message) -> Case:
    """Of an outbound message of any author."""
    person = session.get_one(Person, message.person_id)
    broadcast = session.get(Broadcast, message.broadcast_id) if message.broadcast_id else None
    if broadcast is not None and message.source_key == f"b:{broadcast.id}:{person.id}":
        return of_broadcast(session, person, broadcast)
    case = _of_person(session, person, message)
    case.broadcast, case.number = broadcast, session.get_one(Number, message.number_id)
    case.template_now = _template_of(session, message, case.number)
    case.template = _as_frozen(case.template_now) if case.template_now else {}
    case.heard, case.author = _heard(session, message), _author(session, message)
    return case


def _of_person(session: Session, person: Person, message: Message | None) -> Case:
    reports = select(StatusEvent).where(StatusEvent.message_id == (message.id if message else None))
    addresses = select(Address).where(Address.person_id == person.id, Address.kind.in_(_REACHABLE))
    return Case(
        person=person,
        now=session.scalars(select(func.now())).one(),
        message=message,
        statuses=session.scalars(reports.order_by(StatusEvent.occurred_at, StatusEvent.id)).all() if message else (),
        addresses=session.scalars(addresses.order_by(Address.kind, Address.id.desc())).all(),
        words=_words(session, person),
    )


def _words(session: Session, person: Person) -> Sequence[tuple[ConsentEvent, str | None]]:
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


def _refusals(session: Session, person: Person, topic_id: int | None) -> Sequence[tuple[Preference, str | None]]:
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


def _joined(session: Session, person: Person, segment: Segment) -> Joined | None:
    member = session.get(SegmentMember, (segment.id, person.id))
    if member is None:
        return None
    brought = session.execute(
        select(ImportRun.id, StoredFile.name)
        .join(ImportChange, ImportChange.import_id == ImportRun.id)
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
        .where(ImportChange.person_id == person.id, ImportChange.has_joined, ImportRun.segment_id == segment.id)
        .order_by(ImportRun.id.desc())
        .limit(1)
    ).one_or_none()
    return Joined(member.added_at, *(brought or ()))


def _halted(session: Session, broadcast: Broadcast) -> tuple[BroadcastTransition | None, str | None]:
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


def _author(session: Session, message: Message) -> str | None:
    for column, named in _NAMED.items():
        if (author_id := getattr(message, column)) is not None:
            return str(session.get_one(named, author_id).name)
    return None


def _heard(session: Session, message: Message) -> Message | None:
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


def _template_of(session: Session, message: Message, number: Number) -> Template | None:
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


def _as_frozen(template: Template) -> dict[str, Any]:
    return {
        name: getattr(template, name) for name in ("name", "language", "category", "parameter_format", "components")
    }
