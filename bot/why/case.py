"""Everything that is known about a person and a message, or a broadcast that may have none for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastTransition, Template
from bot.models.connection import Number
from bot.models.message import Message, StatusEvent
from bot.models.person import Address, ConsentEvent, Person
from bot.models.preference import Preference, Topic
from bot.models.segment import Segment
from bot.models.words import AddressKind
from bot.people.values import load_values
from bot.why import facts
from bot.why.facts import Joined

_REACHABLE = (AddressKind.PHONE.value, AddressKind.USER_ID.value)


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
    """Of the segments the broadcast goes to, one that holds them, or else the first."""
    joined: Joined | None = None
    left_out_by: Segment | None = None
    """A segment whose people the broadcast leaves out, and that holds them now."""
    listed: AudiencePerson | None = None
    """How they were written down as its audience at the launch."""
    is_unmade: bool = False
    """Whether they were, and their message is not made yet."""
    slots: Mapping[str, str] = field(default_factory=dict)
    """Of the wording they get."""
    fits: bool | None = None
    """Whether they fit the rule of the segment now; None where there is no rule, or it cannot be asked."""
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
    wording = facts.wording_of(session, broadcast, message)
    template = session.get_one(Template, wording.template_id)
    case.broadcast, case.template_now, case.slots = broadcast, template, wording.slots
    case.template = wording.frozen_template or facts.as_frozen(template)
    case.number = session.get_one(Number, broadcast.number_id)
    case.segment, case.joined = facts.segment_of(session, person, broadcast)
    case.left_out_by = facts.left_out_by(session, person, broadcast)
    case.listed = listed = session.get(AudiencePerson, (broadcast.id, person.id))
    case.is_unmade = listed is not None and (listed.wave, person.id) > (broadcast.wave, broadcast.cursor)
    case.fits = facts.fits_rule(session, person, case.segment) if case.segment else None
    case.topic = session.get(Topic, broadcast.topic_id) if broadcast.topic_id else None
    case.refusals = facts.refusals(session, person, broadcast.topic_id)
    case.values = load_values(session, [person.id]).get(person.id, {})
    case.halted, case.halted_by = facts.halted(session, broadcast)
    return case


def of_message(session: Session, message: Message) -> Case:
    """Of an outbound message of any author."""
    person = session.get_one(Person, message.person_id)
    broadcast = session.get(Broadcast, message.broadcast_id) if message.broadcast_id else None
    if broadcast is not None and message.source_key == f"b:{broadcast.id}:{person.id}":
        return of_broadcast(session, person, broadcast)
    case = _of_person(session, person, message)
    case.broadcast, case.number = broadcast, session.get_one(Number, message.number_id)
    case.template_now = facts.template_of(session, message, case.number)
    case.template = facts.as_frozen(case.template_now) if case.template_now else {}
    case.heard, case.author = facts.heard(session, message), facts.author(session, message)
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
        words=facts.words_of(session, person),
    )
