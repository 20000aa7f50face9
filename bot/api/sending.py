"""One message asked for by a program: once per Idempotency-Key, whatever the network does."""

import functools
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.api import idempotency
from bot.api.refusals import RefusalError
from bot.api.requests import MessageRequest, TemplateRequest
from bot.connections import numbers
from bot.conversations import window
from bot.messages import templates
from bot.messages.compose import ERASED, Author, Draft, compose, text_content
from bot.messages.personalise import PlaceholderError
from bot.models.broadcast import Template
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.message import Message
from bot.models.person import Address, Person
from bot.models.team import ApiRequest, ApiToken
from bot.models.words import AddressKind, AuthorKind
from bot.people import identify, keys, preferences, suppressions
from bot.providers.events import Sender


def send(session: Session, token: ApiToken, asked: MessageRequest, key: str | None, now: datetime) -> Message:
    """The message asked for, or with a key used before the one it made then; RefusalError otherwise."""
    make = functools.partial(_make, session, token, asked, key, now)
    message_id = idempotency.once(session, token, key, asked.fingerprint, ApiRequest.message_id, make)
    return session.get_one(Message, message_id)


def _make(session: Session, token: ApiToken, asked: MessageRequest, key: str | None, now: datetime) -> int:
    number = _number(session, token, asked.number)
    person = _person(session, token, asked)
    draft = _draft(session, number, person, asked, now)
    source_key = None if key is None else f"api:{token.id}:{key}"
    author = Author(AuthorKind.API, token.id)
    [message_id] = compose(session, number, author, [Draft(person.id, *draft, source_key=source_key)])
    return message_id


def _number(session: Session, token: ApiToken, asked: str | None) -> Number:
    try:
        return numbers.choose(session, token.environment, asked)
    except numbers.NumberError as error:
        raise RefusalError(422, "unknown_number", str(error), "number") from error


def _person(session: Session, token: ApiToken, asked: MessageRequest) -> Person:
    """Whoever has the phone number, made if nobody has; or whoever is called that, with an address to write to."""
    if asked.phone is not None:
        person = session.get_one(Person, _by_phone(session, token.environment, asked.phone))
    else:
        person = _by_distinct_id(session, token.environment, asked.distinct_id)
    if not person.enabled:
        raise RefusalError(
            409, "person_disabled", "Messages to this person are switched off; their profile can switch them on.", "to"
        )
    return person


def _by_phone(session: Session, environment: str, phone: str) -> int:
    try:
        e164 = phones.parse(phone, None).e164
    except phones.PhoneError as error:
        raise RefusalError(422, "bad_phone", f"This phone number cannot be used because {error}.", "to") from error
    sender = Sender(phone=e164.removeprefix("+"))
    erased = suppressions.suppressed(session, environment, keys.to_try(sender))
    if erased and identify.find(session, environment, [sender]) == [None]:
        raise RefusalError(409, "erased", f"Nothing is sent to this number: {suppressions.REASON}.", "to")
    return identify.find_or_create(session, environment, [sender])[0]


def _by_distinct_id(session: Session, environment: str, distinct_id: str | None) -> Person:
    person = session.scalar(select(Person).where(Person.environment == environment, Person.distinct_id == distinct_id))
    if person is None:
        raise RefusalError(422, "unknown_person", f"Nobody in {environment} has this distinct id.", "to.distinct_id")
    reachable = select(Address.id).where(
        Address.person_id == person.id, Address.kind.in_([AddressKind.PHONE, AddressKind.USER_ID])
    )
    if session.scalar(reachable.limit(1)) is None:
        raise RefusalError(
            422, "no_address", "No WhatsApp address is known for this person: give their phone number.", "to"
        )
    return person


def _draft(
    session: Session, number: Number, person: Person, asked: MessageRequest, now: datetime
) -> tuple[str, dict[str, object], str]:
    """Kind, content and what a person reads."""
    if asked.template is not None:
        template = _template(session, number, person, asked.template)
        filled = _fill(template, asked.template)
        return "template", filled.content, filled.body
    thread = session.scalar(
        select(Conversation).where(Conversation.person_id == person.id, Conversation.number_id == number.id)
    )
    if thread is None or not window.is_open(thread, now):
        raise RefusalError(
            409,
            "window_closed",
            "This person has not written to the number within 24 hours, so WhatsApp takes no free text: "
            "send an approved template.",
            "text",
        )
    text = asked.text or ""
    return "text", text_content(text), text


def _template(session: Session, number: Number, person: Person, asked: TemplateRequest) -> Template:
    template = session.scalar(
        select(Template).where(
            Template.connection_id == number.connection_id,
            Template.name == asked.name,
            Template.language == asked.language,
        )
    )
    if template is None:
        raise RefusalError(
            422,
            "unknown_template",
            "This number's account has no template of that name and language: `backchat template list` shows all.",
            "template",
        )
    if template.status != "APPROVED":
        raise RefusalError(
            409, "template_not_approved", f"WhatsApp has not approved this template ({template.status}).", "template"
        )
    if person.answers_only:
        raise RefusalError(409, "erased", f"No template goes to this person: {ERASED}.", "to")
    if template.category.upper() == "MARKETING" and person.marketing_opted_out_at is not None:
        raise RefusalError(409, "opted_out", "This person wants no marketing messages, which this template is.", "to")
    if template.category.upper() == "MARKETING" and preferences.refusing_marketing(session, [person.id]):
        raise RefusalError(409, "opted_out", "This person wants nothing by WhatsApp but replies.", "to")
    return template


def _fill(template: Template, asked: TemplateRequest) -> templates.Filled:
    frozen = {
        name: getattr(template, name) for name in ("name", "language", "category", "parameter_format", "components")
    }
    # A program's texts are final: what looks like a placeholder goes in as a value, and values are never compiled.
    values = {f"slot{index}": text for index, text in enumerate(asked.slots.values())}
    slots = {
        name: f"<<user.slot{index}>>" if "<<" in text or "{{" in text else text
        for index, (name, text) in enumerate(asked.slots.items())
    }
    problems = templates.check_slots(template.components, slots)
    if problems:
        raise RefusalError(422, "bad_slots", " ".join(problems), "template.slots")
    try:
        return templates.fill(frozen, slots, values)
    except PlaceholderError as error:
        raise RefusalError(422, "bad_slots", str(error), "template.slots") from error
