"""Message templates as rows: taken in from a file of the Graph API's shape, listed, found by name and language."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.messages.templates import check_slots, slots_of
from bot.models.broadcast import Template
from bot.models.connection import Connection

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
FORMATS = ("POSITIONAL", "NAMED")

_NAME = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z][A-Za-z]{1,3})?")


class TemplateError(ValueError):
    """A template cannot be taken in or found; the text says why and what would be right."""


def add(session: Session, connection: Connection, document: Mapping[str, Any]) -> Template:
    """Take in one template, or bring the one of the same name and language up to date.

    `document` is {"name", "language", "category", "components"} and, if wanted, "status" and "parameter_format", as
    GET /<account id>/message_templates of the Graph API lists them. Raises TemplateError: a problem a line.
    """
    values = {
        "category": str(document.get("category", "")).upper(),
        "status": str(document.get("status", "APPROVED")).upper(),
        "parameter_format": str(document.get("parameter_format", "POSITIONAL")).upper(),
        "components": document.get("components"),
    }
    name, language = str(document.get("name", "")), str(document.get("language", ""))
    if found := _problems(name, language, values):
        raise TemplateError("\n".join(found))
    statement = insert(Template).values(connection_id=connection.id, name=name, language=language, **values)
    statement = statement.on_conflict_do_update(
        index_elements=["connection_id", "name", "language"],
        set_={**values, "updated_at": statement.excluded.updated_at},
    )
    template = session.scalars(statement.returning(Template), execution_options={"populate_existing": True})
    return template.one()


def documents_of(content: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 (JSON of any shape)
    """One template, a list of them, or a whole answer of the Graph API ({"data": […]}); raises TemplateError."""
    listed = content.get("data", content) if isinstance(content, dict) else content
    listed = listed if isinstance(listed, list) else [listed]
    if not listed or not all(isinstance(each, dict) for each in listed):
        raise TemplateError('The file holds no template: it must be {"name": …, "language": …, "components": […]}.')
    return listed


def every(session: Session, connection_id: int | None = None) -> Sequence[Template]:
    found = select(Template).order_by(Template.name, Template.language)
    if connection_id is not None:
        found = found.where(Template.connection_id == connection_id)
    return session.scalars(found).all()


def named(session: Session, connection_id: int, name: str, language: str | None) -> Template:
    """Without a language, the only one there is; raises TemplateError with those there are."""
    known = session.scalars(
        select(Template).where(Template.connection_id == connection_id, Template.name == name)
    ).all()
    fitting = [template for template in known if language in {None, template.language}]
    if len(fitting) == 1:
        return fitting[0]
    if known:
        languages = ", ".join(sorted(template.language for template in known))
        raise TemplateError(f"The template {name} is there in {languages}: choose one of them.")
    there = ", ".join(dict.fromkeys(template.name for template in every(session, connection_id)[:20]))
    raise TemplateError(f"There is no template {name!r}: {f'there are {there}' if there else 'add one first'}.")


def _problems(name: str, language: str, values: Mapping[str, Any]) -> list[str]:
    found = []
    if not _NAME.fullmatch(name):
        found.append(f"name is {name[:80]!r}: only a-z, 0-9 and _ may stand there.")
    if not _LANGUAGE.fullmatch(language):
        found.append(f"language is {language[:20]!r}: use a code such as en or pt_BR.")
    if values["category"] not in CATEGORIES:
        found.append(f"category is {values['category'][:40]!r}: use {', '.join(CATEGORIES)}.")
    if values["parameter_format"] not in FORMATS:
        found.append(f"parameter_format is {values['parameter_format'][:40]!r}: use {' or '.join(FORMATS)}.")
    components = values["components"]
    if not isinstance(components, list) or not all(isinstance(each, dict) for each in components):
        return [*found, 'components must be a list such as [{"type": "BODY", "text": "Hello {{1}}"}].']
    examples = {slot.name: slot.example or "1" for slot in slots_of(components)}
    return found + [problem for problem in check_slots(components, examples) if problem.startswith("The template")]
