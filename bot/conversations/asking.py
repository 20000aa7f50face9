"""Asking somebody back with a template, once their 24-hour window has closed: which there are, and sending one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations import coach
from bot.conversations.coach import ReplyError
from bot.language import _, later, translated
from bot.messages import personalise, templates
from bot.messages.compose import ERASED, OPTED_OUT, Draft
from bot.messages.personalise import PlaceholderError
from bot.messages.templates import PreviewText, Slot
from bot.models.broadcast import Template
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.person import Person
from bot.people import preferences
from bot.people.values import load_values

MARKETING = "MARKETING"


@dataclass(frozen=True, slots=True)
class Choice:
    """A template that could be sent now, and where it takes words."""

    id: int
    name: str
    language: str
    category: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    template_id: int
    slots: Mapping[str, str]
    """By the slot's name; may hold `<<user.…>>`."""


def choices(session: Session, conversation: Conversation) -> Sequence[Choice]:
    """Approved ones of the number's account, by name; those this person wants not, or that need a file, are not there.

    A file in the header needs an address that the provider can fetch: such templates go out as broadcasts.
    """
    refused = _refusal(session, conversation, MARKETING)
    found = session.scalars(
        select(Template)
        .join(Number, Number.connection_id == Template.connection_id)
        .where(Number.id == conversation.number_id, Template.status == "APPROVED")
        .order_by(Template.name, Template.language)
    )
    made = [
        Choice(each.id, each.name, each.language, each.category.upper(), templates.slots_of(each.components))
        for each in found
        if not (refused and each.category.upper() == MARKETING) and each.category.upper() != "AUTHENTICATION"
    ]
    return [choice for choice in made if all(_is_text(slot) for slot in choice.slots)]


def preview(session: Session, conversation: Conversation, asked: Asked) -> tuple[PreviewText, Sequence[str]]:
    """What the person would read, and what is missing still, a sentence each. Raises ReplyError."""
    template = _template(session, conversation, asked.template_id)
    problems = templates.check_slots(template.components, asked.slots)
    values = load_values(session, [conversation.person_id])[conversation.person_id]
    texts = {}
    for name, written in asked.slots.items():
        try:
            texts[name] = personalise.render(written, values).text.strip()
        except PlaceholderError:  # one of the problems, as `check_slots` words them
            continue
    return templates.preview_of(_frozen(template), texts), problems


def ask(session: Session, conversation_id: int, operator_id: int, asked: Asked, client_key: str) -> int:
    """Send a template in the coach's name; the message's id. Ring "send" after the commit. Raises ReplyError."""
    conversation = coach.hold(session, conversation_id)
    key = coach.source_key(client_key, [asked.template_id, dict(asked.slots)])
    if (known := coach.sent_before(session, key)) is not None:
        return known
    coach.demand_open(conversation)
    template = _template(session, conversation, asked.template_id)
    if refusal := _refusal(session, conversation, template.category.upper()):
        raise ReplyError(_("This template cannot be sent: %(refusal)s.", refusal=translated(refusal)))
    filled = _filled(session, conversation, template, asked.slots)
    draft = Draft(conversation.person_id, "template", filled.content, filled.body, key)
    return coach.send(session, conversation, operator_id, draft)


def _filled(
    session: Session, conversation: Conversation, template: Template, slots: Mapping[str, str]
) -> templates.Filled:
    if problems := templates.check_slots(template.components, slots):
        raise ReplyError(" ".join(problems))
    values = load_values(session, [conversation.person_id])[conversation.person_id]
    try:
        filled = templates.fill(_frozen(template), slots, values)
    except PlaceholderError as error:
        raise ReplyError(str(error)) from error
    if missing := filled.missing or filled.empty:
        raise ReplyError(_("Nothing is known for %(missing)s: write the words instead.", missing=", ".join(missing)))
    return filled


def _template(session: Session, conversation: Conversation, template_id: int) -> Template:
    number = session.get_one(Number, conversation.number_id)
    found = session.get(Template, template_id)
    if found is None or found.connection_id != number.connection_id:
        raise ReplyError(_("This number's account has no such template: choose another."))
    if found.status != "APPROVED":
        raise ReplyError(
            _("WhatsApp does not take this template now (%(status)s): choose another.", status=found.status)
        )
    return found


def _refusal(session: Session, conversation: Conversation, category: str) -> str | None:
    person = session.get_one(Person, conversation.person_id)
    if person.answers_only:
        return ERASED
    if category == MARKETING and person.marketing_opted_out_at is not None:
        return OPTED_OUT
    if category == MARKETING and preferences.refusing_marketing(session, [person.id]):
        return later("this person wants nothing by WhatsApp but replies")
    return None


def _is_text(slot: Slot) -> bool:
    return not slot.required or not slot.name.startswith(("header.image", "header.video", "header.document"))


def _frozen(template: Template) -> dict[str, Any]:
    names = ("name", "language", "category", "parameter_format", "components")
    return {name: getattr(template, name) for name in names}
