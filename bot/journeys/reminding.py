"""What a reminder says to one person: its text or its template with their values, or why it says nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.messages import templates
from bot.messages.compose import OPTED_OUT, Draft, text_content
from bot.messages.personalise import PlaceholderError, render
from bot.models.broadcast import Template
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.journey import Reminder
from bot.models.person import Person
from bot.people import preferences
from bot.people.values import load_values

WINDOW: Final = timedelta(hours=24)
"""From the person's last message, by its event time (Cloud API, customer service window)."""
WINDOW_CLOSED: Final = "the 24-hour window is closed: only a template could be sent"

Addressed = tuple[Reminder, int]
"""A reminder and one person it is for."""


def drafts(session: Session, number: Number, addressed: Sequence[Addressed]) -> list[Draft]:
    """One draft for each, in their order; what may not be sent carries its refusal."""
    people = [person_id for _, person_id in addressed]
    values = load_values(session, people)
    within = _within_window(session, number, people)
    unwilling = _unwilling(session, people)
    known = _templates(session, {reminder.template_id for reminder, _ in addressed if reminder.template_id})
    made = []
    for reminder, person_id in addressed:
        mine = values.get(person_id, {})
        template = known.get(reminder.template_id or 0)
        draft = _text(reminder, person_id, mine) if template is None else _filled(reminder, person_id, template, mine)
        if template is None and person_id not in within:
            draft = replace(draft, refusal=WINDOW_CLOSED)
        if template is not None and template["category"] == "MARKETING" and person_id in unwilling:
            draft = replace(draft, refusal=unwilling[person_id])
        made.append(draft)
    return made


def frozen(template: Template) -> dict[str, Any]:
    """A template as bot.messages.templates fills it."""
    return {
        "name": template.name,
        "language": template.language,
        "category": template.category.upper(),
        "parameter_format": template.parameter_format,
        "components": template.components,
    }


def _text(reminder: Reminder, person_id: int, values: Mapping[str, str]) -> Draft:
    refusal = None
    try:
        rendered = render(reminder.text, values)
        said = rendered.text.strip()
        refusal = _unknown(rendered.empty)
    except PlaceholderError as error:
        said, refusal = "", str(error)
    return Draft(person_id, "text", text_content(said), said, _key(reminder, person_id), refusal=refusal)


def _filled(reminder: Reminder, person_id: int, template: Mapping[str, Any], values: Mapping[str, str]) -> Draft:
    key = _key(reminder, person_id)
    try:
        done = templates.fill(template, orjson.loads(reminder.text), values)
    except PlaceholderError as error:
        return Draft(person_id, "template", {}, None, key, refusal=str(error))
    return Draft(person_id, "template", done.content, done.body, key, refusal=_unknown(done.missing or done.empty))


def _unknown(names: Sequence[str]) -> str | None:
    """A scheduled message with a hole in it is worse than none: nobody is waiting for it."""
    return f"nothing known for {', '.join(names)}" if names else None


def _key(reminder: Reminder, person_id: int) -> str:
    return f"r:{reminder.id}:{person_id}"


def _within_window(session: Session, number: Number, people: Sequence[int]) -> set[int]:
    wrote = select(Conversation.person_id).where(
        Conversation.number_id == number.id,
        Conversation.person_id.in_(people),
        Conversation.last_inbound_at > func.now() - WINDOW,
    )
    return set(session.scalars(wrote))


def _unwilling(session: Session, people: Sequence[int]) -> dict[int, str]:
    """Who may get no marketing, and why."""
    opted_out = select(Person.id).where(Person.id.in_(people), Person.marketing_opted_out_at.is_not(None))
    refused = dict.fromkeys(preferences.refusing_marketing(session, people), preferences.NO_CHANNEL)
    return refused | dict.fromkeys(session.scalars(opted_out), OPTED_OUT)


def _templates(session: Session, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    found = select(Template).where(Template.id.in_(list(ids)))
    return {template.id: frozen(template) for template in session.scalars(found)}
