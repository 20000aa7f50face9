"""Everything on one person, as their page shows it, apart from their messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, aliased

from bot.dashboard import people
from bot.language import later
from bot.models.connection import Number
from bot.models.conversation import Conversation, Episode
from bot.models.person import Address, ConsentEvent, Person, PersonMerge
from bot.models.preference import Topic
from bot.models.segment import Segment, SegmentMember
from bot.models.team import ApiToken, Operator
from bot.models.words import AddressKind, Channel, PropertyType, SegmentKind
from bot.people import attributes, preferences, properties, topics
from bot.people.preferences import Told
from bot.people.rules import compiling, schema

KINDS: Mapping[str, str] = {
    AddressKind.PHONE: later("WhatsApp"),
    AddressKind.USER_ID: later("WhatsApp user ID"),
    AddressKind.PARENT_USER_ID: later("WhatsApp parent ID"),
    **{kind: properties.BY_NAME[kind].label for kind in AddressKind if kind in properties.BY_NAME and kind != "phone"},
}
CHANNELS: Mapping[Channel, str] = {
    channel: properties.BY_NAME["phone" if channel is Channel.WHATSAPP else channel].label for channel in Channel
}
SOURCES: Mapping[str, str] = {
    "webhook": later("They told WhatsApp"),
    "error": later("A refused message"),
    "word": later("They wrote a stop word"),
    "coach": later("Told to a coach"),
    "api": later("A program"),
    "command": later("The command line"),
    "import": later("A list"),
}
_WHATSAPP = (AddressKind.PHONE, AddressKind.USER_ID)
_EPISODES = 20
_RULES = 100
"""Segments by rule that are asked, one by one."""


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    type: PropertyType
    text: str
    """As its editor shows it, and as `attributes.read` takes it back."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A line of the preferences: a topic, or everything, with what is wanted by each channel."""

    topic: Topic | None
    by: Mapping[Channel, bool]
    told: Mapping[Channel, Told]


@dataclass(frozen=True, slots=True)
class Profile:
    person: Person
    name: str
    addresses: Sequence[Address]
    in_use: int | None
    """Id of the address that WhatsApp messages go to."""
    attributes: Sequence[Attribute]
    wishes: Sequence[Wish]
    consent: Sequence[Row[ConsentEvent, str]]
    segments: Sequence[Segment]
    episodes: Sequence[Row[Episode, str, str, str]]
    merges: Sequence[PersonMerge]
    last_heard: datetime | None


def load(session: Session, person: Person) -> Profile:
    addresses = session.scalars(select(Address).where(Address.person_id == person.id).order_by(Address.id)).all()
    heard = select(func.max(Conversation.last_inbound_at)).where(Conversation.person_id == person.id)
    merged = select(PersonMerge).where(PersonMerge.person_id == person.id).order_by(PersonMerge.id.desc())
    return Profile(
        person=person,
        name=session.scalars(select(people.name()).where(Person.id == person.id)).one(),
        addresses=sorted(addresses, key=lambda each: (list(AddressKind).index(AddressKind(each.kind)), each.id)),
        in_use=_in_use(addresses),
        attributes=_attributes(session, person),
        wishes=_wishes(session, person),
        consent=_consent(session, person),
        segments=_segments(session, person),
        episodes=_episodes(session, person),
        merges=session.scalars(merged).all(),
        last_heard=session.scalar(heard),
    )


def _in_use(addresses: Sequence[Address]) -> int | None:
    """As bot.messages.compose chooses it."""
    reach = [each for each in addresses if each.kind in _WHATSAPP]
    return min(reach, key=lambda each: (_WHATSAPP.index(AddressKind(each.kind)), -each.id)).id if reach else None


def _attributes(session: Session, person: Person) -> list[Attribute]:
    types = properties.custom(session, person.environment)
    kinds = {name: types.get(name, PropertyType.TEXT) for name in person.attributes}
    return [
        Attribute(name, kind, attributes.write(kind, person.attributes[name]))
        for name, kind in sorted(kinds.items(), key=lambda each: each[0].casefold())
        if person.attributes[name] is not None
    ]


def _wishes(session: Session, person: Person) -> list[Wish]:
    told: dict[int | None, dict[Channel, Told]] = {}
    for each in preferences.of_person(session, person.id):
        told.setdefault(each.choice.topic_id, {})[each.choice.channel] = each
    shown = [each for each in topics.every(session, person.environment) if not each.archived_at or each.id in told]
    return [_wish(topic, told.get(None if topic is None else topic.id, {})) for topic in (None, *shown)]


def _wish(topic: Topic | None, told: Mapping[Channel, Told]) -> Wish:
    by = {channel: told[channel].choice.wants if channel in told else True for channel in Channel}
    return Wish(topic, by, told)


def _consent(session: Session, person: Person) -> Sequence[Row[ConsentEvent, str]]:
    return session.execute(
        select(ConsentEvent, func.coalesce(Operator.name, ApiToken.name).label("by"))
        .join(Operator, Operator.id == ConsentEvent.operator_id, isouter=True)
        .join(ApiToken, ApiToken.id == ConsentEvent.token_id, isouter=True)
        .where(ConsentEvent.person_id == person.id)
        .order_by(ConsentEvent.occurred_at.desc(), ConsentEvent.id.desc())
        .limit(100)
    ).all()


def _segments(session: Session, person: Person) -> Sequence[Segment]:
    """The static ones they were put in, and the rules that hold for them now."""
    mine = select(SegmentMember.segment_id).where(SegmentMember.person_id == person.id)
    found = session.scalars(select(Segment).where(Segment.id.in_(mine))).all()
    ruled = select(Segment).where(Segment.environment == person.environment, Segment.kind == SegmentKind.RULE)
    matching = [
        each for each in session.scalars(ruled.order_by(Segment.id).limit(_RULES)) if _fits(session, person, each)
    ]
    return sorted([*found, *matching], key=lambda each: each.name.casefold())


def _fits(session: Session, person: Person, segment: Segment) -> bool:
    """A rule that can no longer be read holds for nobody."""
    try:
        rule = schema.load(segment.rule or {})
        asked = compiling.matching(session, person.environment, rule, Person)
    except (schema.RuleError, LookupError, ValueError):
        return False
    return session.scalar(select(Person.id).where(Person.id == person.id, asked)) is not None


def _episodes(session: Session, person: Person) -> Sequence[Row[Episode, str, str, str]]:
    opener, closer = aliased(Operator), aliased(Operator)
    return session.execute(
        select(Episode, Number.name.label("number"), opener.name.label("opener"), closer.name.label("closer"))
        .join(Conversation, Conversation.id == Episode.conversation_id)
        .join(Number, Number.id == Conversation.number_id)
        .join(opener, opener.id == Episode.opened_by_operator_id, isouter=True)
        .join(closer, closer.id == Episode.closed_by_operator_id, isouter=True)
        .where(Conversation.person_id == person.id)
        .order_by(Episode.opened_at.desc(), Episode.id.desc())
        .limit(_EPISODES)
    ).all()
