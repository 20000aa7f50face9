"""Test sends: what a draft says goes to a few chosen people at once, as a child of it that goes the usual way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.language import _, translated
from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Address, Person
from bot.models.words import AddressKind, BroadcastOrigin, BroadcastState, Environment
from bot.people import identify
from bot.providers.events import Sender
from broadcasts.audience import waves
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting import drafts, reading
from broadcasts.drafting.checks import LONGEST_NAME
from broadcasts.drafting.reading import Version
from broadcasts.templates.templates import APPROVED, frozen
from broadcasts.transitions import Actor, record

MOST = 10
"""People of one test send."""
SHOWN = 20
_WATCHED = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one test message; without a message it is being prepared."""

    child: Broadcast
    person: Person
    message: Message | None

    @property
    def is_watched(self) -> bool:
        return self.child.created_at > datetime.now(UTC) - _WATCHED


@dataclass(frozen=True, slots=True)
class _Recipient:
    person_id: int
    number: Number


def send(session: Session, draft: Broadcast, to: Sequence[str], which: Sequence[int], actor: Actor) -> list[str]:
    """Send the versions (places in `reading.versions`) to whom `to` names; ring "bulk" after the commit.

    Returns what the operator should know: who is new. Raises BroadcastError with every problem, a line each.
    """
    named = list(dict.fromkeys(each.strip() for each in to if each.strip()))
    known = reading.versions(session, drafts.wanted_of(session, draft))
    chosen = [known[at] for at in dict.fromkeys(which) if 0 <= at < len(known)]
    problems = _problems(draft, named, chosen)
    recipients: list[_Recipient] = []
    notes: list[str] = []
    for each in [] if problems else named:
        try:
            recipients.append(_recipient(session, draft, each, notes, is_token=actor.token_id is not None))
        except BroadcastError as error:
            problems.append(str(error))
    if problems:
        raise BroadcastError("\n".join(problems))
    for number in {each.number.id: each.number for each in recipients}.values():
        people = {each.person_id for each in recipients if each.number.id == number.id}
        for version in chosen:
            _make(session, draft, version, number, people, actor)
    return notes


def sent(session: Session, draft_id: int) -> list[Sent]:
    """The latest test messages of a draft, the newest first."""
    found = session.execute(
        select(Broadcast, Person, Message)
        .join(AudiencePerson, AudiencePerson.broadcast_id == Broadcast.id)
        .join(Person, Person.id == AudiencePerson.person_id)
        .outerjoin(Message, and_(Message.broadcast_id == Broadcast.id, Message.person_id == Person.id))
        .where(Broadcast.parent_id == draft_id, Broadcast.origin == BroadcastOrigin.TEST)
        .order_by(Broadcast.id.desc(), Person.id)
        .limit(SHOWN)
    )
    return [Sent(child, person, message) for child, person, message in found]


def last_to(session: Session, operator_id: int, environment: str) -> list[str]:
    """Whom this operator sent a test to the last time, as they may be named again."""
    mine = (
        select(Broadcast.id)
        .where(
            Broadcast.launched_by_operator_id == operator_id,
            Broadcast.origin == BroadcastOrigin.TEST,
            Broadcast.environment == environment,
        )
        .order_by(Broadcast.id.desc())
        .limit(1)
    )
    phone = select(Address.value).where(Address.person_id == Person.id, Address.kind == AddressKind.PHONE)
    found = (
        select(func.coalesce(phone.order_by(Address.id.desc()).limit(1).scalar_subquery(), Person.distinct_id))
        .join(AudiencePerson, AudiencePerson.person_id == Person.id)
        .where(AudiencePerson.broadcast_id == mine.scalar_subquery())
    )
    return list(session.scalars(found))


def _problems(draft: Broadcast, named: Sequence[str], chosen: Sequence[Version]) -> list[str]:
    found = []
    if draft.state != BroadcastState.DRAFT:
        found.append(
            _(
                "“%(name)s” is %(state)s: only a draft is tried out. Duplicate it for that.",
                name=draft.name,
                state=translated(draft.state),
            )
        )
    if not named:
        found.append(_("Say who gets the test: phone numbers or ids."))
    if len(named) > MOST:
        found.append(
            _(
                "A test goes to %(most)s people at most, and these are %(count)s: leave some out.",
                most=MOST,
                count=len(named),
            )
        )
    if not chosen:
        found.append(_("Choose which wording is to be tried out."))
    found += [
        _(
            "The template %(name)s (%(language)s) is %(status)s, not %(approved)s.",
            name=each.template.name,
            language=each.template.language,
            status=each.template.status,
            approved=APPROVED,
        )
        for each in chosen
        if each.template.status.upper() != APPROVED
    ]
    return found


def _recipient(session: Session, draft: Broadcast, named: str, notes: list[str], *, is_token: bool) -> _Recipient:
    """Somebody of the draft's environment, else, but not for a token, of Test; a phone nobody has makes somebody."""
    number = session.get_one(Number, draft.number_id)
    sender = _sender(named)
    if (person_id := _find(session, draft.environment, named, sender)) is not None:
        return _Recipient(person_id, number)
    if draft.environment == Environment.LIVE and not is_token:
        tester = _find(session, Environment.TEST, named, sender)
        if tester is not None and (number_of_test := _test_number(session, number)) is not None:
            return _Recipient(tester, number_of_test)
        if tester is not None and sender is None:
            raise BroadcastError(
                _(
                    "%(named)s is a person of Test, and the connection %(slug)s has no number of Test: add one, "
                    "or give a phone number.",
                    named=named,
                    slug=number.connection.slug,
                )
            )
    if sender is None:
        raise BroadcastError(
            _("%(named)s is neither a phone number with + and country code nor the id of anybody.", named=named[:60])
        )
    notes.append(
        _(
            "Nobody had %(named)s: it is now a new person of %(environment)s.",
            named=named,
            environment=draft.environment.title(),
        )
    )
    return _Recipient(identify.find_or_create(session, draft.environment, [sender])[0], number)


def _sender(named: str) -> Sender | None:
    try:
        return Sender(phone=phones.parse(named, None).e164.removeprefix("+"))
    except phones.PhoneError:
        return None


def _find(session: Session, environment: str, named: str, sender: Sender | None) -> int | None:
    own = select(Person.id).where(Person.environment == environment, Person.distinct_id == named)
    found = session.scalar(own.where(Person.erased_at.is_(None)))
    if found is None and sender is not None:
        found = identify.find(session, environment, [sender])[0]
    return found


def _test_number(session: Session, number: Number) -> Number | None:
    same = select(Number).where(Number.connection_id == number.connection_id, Number.environment == Environment.TEST)
    return session.scalar(same.order_by(Number.id).limit(1))


def _make(session: Session, draft: Broadcast, version: Version, number: Number, people: set[int], actor: Actor) -> None:
    """Nothing that spares people holds it back: whoever is chosen by name gets it now, if they want messages at all."""
    now = datetime.now(UTC)
    child = Broadcast(
        environment=number.environment,
        name=f"Test of {draft.name}"[:LONGEST_NAME],
        number_id=number.id,
        template_id=version.template.id,
        slots=dict(version.slots),
        frozen_template=frozen(version.template),
        state=BroadcastState.MATERIALISING,
        origin=BroadcastOrigin.TEST,
        parent_id=draft.id,
        heeds_quiet_hours=False,
        heeds_frequency=False,
        skips_gaps=True,
        wave=waves.REST,
        launched_at=now,
        audience_frozen_at=now,
        launched_by_operator_id=actor.operator_id,
        launched_by_token_id=actor.token_id,
    )
    session.add(child)
    session.flush()
    session.add_all(
        AudiencePerson(broadcast_id=child.id, person_id=each, environment=number.environment, wave=waves.REST)
        for each in sorted(people)
    )
    record(session, child.id, BroadcastState.DRAFT, BroadcastState.MATERIALISING, actor, "A test send.")
