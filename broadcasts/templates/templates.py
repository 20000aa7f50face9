"""Message templates as rows: taken in from a file of the Graph API's shape, listed, found by name and language."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.language import _, later
from bot.messages.templates import check_slots, slots_of
from bot.models.broadcast import Template
from bot.models.connection import Connection

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
FORMATS = ("POSITIONAL", "NAMED")
GONE = "DELETED"
APPROVED = "APPROVED"

_NAME = re.compile(r"[a-z0-9_]{1,512}"), later("only a-z, 0-9 and _ may stand there.")
_NAMES = {"twilio": (re.compile(r"(?:.{1,512}\.)?HX[0-9a-fA-F]{32}"), later("Twilio's are <name>.<ContentSid>."))}
"""Provider → what its templates' names look like, where it is not WhatsApp's own way."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z][A-Za-z]{1,3})?")
_VERSION_DIGITS = 16
_IDENTITY = ("connection_id", "name", "language")


class TemplateError(ValueError):
    """A template cannot be taken in or found; the text says why and what would be right."""


def add(session: Session, connection: Connection, document: Mapping[str, Any]) -> Template:
    """Take in one template, or bring the one of the same name and language up to date.

    `document` is {"name", "language", "category", "components"} and, if wanted, "status" and "parameter_format", as
    GET /<account id>/message_templates of the Graph API lists them. Raises TemplateError: a problem a line.
    """
    values = values_of(document)
    if found := _problems(connection.provider, values):
        raise TemplateError("\n".join(found))
    return store(session, connection, values)


def values_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a document tells, whether it can be sent or not; what is missing is empty."""
    return {
        "name": str(document.get("name", "")),
        "language": str(document.get("language", "")),
        "category": str(document.get("category", "")).upper(),
        "status": str(document.get("status", "APPROVED")).upper(),
        "parameter_format": str(document.get("parameter_format") or "POSITIONAL").upper(),
        "components": document.get("components"),
    }


def store(session: Session, connection: Connection, values: Mapping[str, Any], **kept: Any) -> Template:  # noqa: ANN401 (expressions of columns)
    """Make the row or bring it up to date; `kept` are columns that an existing row gets by an expression instead."""
    statement = insert(Template).values(connection_id=connection.id, **values)
    changed = {name: value for name, value in values.items() if name not in _IDENTITY}
    statement = statement.on_conflict_do_update(
        index_elements=_IDENTITY, set_={**changed, **kept, "updated_at": statement.excluded.updated_at}
    )
    template = session.scalars(statement.returning(Template), execution_options={"populate_existing": True})
    return template.one()


def frozen(template: Template) -> dict[str, Any]:
    """The template as it stands now, the way bot.messages.templates reads it."""
    names = ("name", "language", "category", "parameter_format", "components")
    return {name: getattr(template, name) for name in names}


def version_of(template: Template) -> str:
    """The same while it says the same; a status that changes is no other version."""
    told = orjson.dumps(frozen(template), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(told).hexdigest()[:_VERSION_DIGITS]


def obstacles(provider: str, template: Template) -> list[str]:
    """Why Backchat cannot send it, whatever its status: what WhatsApp approved may be of a kind we do not fill."""
    if not template.components:
        return [_("Nothing that can be read is known of its text: fetch the list of templates.")]
    return _problems(provider, frozen(template))


def reason(provider: str, template: Template) -> str | None:
    """Why it is not to be had for a broadcast: what the provider said, or what Backchat cannot do."""
    if template.reason or template.status == GONE:
        return template.reason
    found = obstacles(provider, template)
    return _("Backchat cannot send it. %(found)s", found=" ".join(found)) if found else None


def documents_of(content: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 (JSON of any shape)
    """One template, a list of them, or a whole answer of the Graph API ({"data": […]}); raises TemplateError."""
    listed = content.get("data", content) if isinstance(content, dict) else content
    listed = listed if isinstance(listed, list) else [listed]
    if not listed or not all(isinstance(each, dict) for each in listed):
        raise TemplateError(_('The file holds no template: it must be {"name": …, "language": …, "components": […]}.'))
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
        raise TemplateError(
            _("The template %(name)s is there in %(languages)s: choose one of them.", name=name, languages=languages)
        )
    there = ", ".join(dict.fromkeys(template.name for template in every(session, connection_id)[:20]))
    if there:
        raise TemplateError(_("There is no template %(name)s: there are %(there)s.", name=repr(name), there=there))
    raise TemplateError(_("There is no template %(name)s: add one first.", name=repr(name)))


def is_shaped(components: object) -> bool:
    """Whether they can be read at all: lists, objects and texts where the Graph API has them."""
    if not isinstance(components, list) or not all(isinstance(each, dict) for each in components):
        return False
    try:
        slots_of(components)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True


def _problems(provider: str, values: Mapping[str, Any]) -> list[str]:
    found = []
    pattern, rule = _NAMES.get(provider, _NAME)
    if not pattern.fullmatch(values["name"]):
        found.append(_("name is %(values)s: %(rule)s", values=repr(values["name"][:80]), rule=rule))
    if not _LANGUAGE.fullmatch(values["language"]):
        found.append(_("language is %(values)s: use a code such as en or pt_BR.", values=repr(values["language"][:20])))
    if values["category"] not in CATEGORIES:
        found.append(
            _(
                "category is %(values)s: use %(categories)s.",
                values=repr(values["category"][:40]),
                categories=", ".join(CATEGORIES),
            )
        )
    if values["parameter_format"] not in FORMATS:
        found.append(
            _(
                "parameter_format is %(values)s: use %(formats)s.",
                values=repr(values["parameter_format"][:40]),
                formats=" or ".join(FORMATS),
            )
        )
    components = values["components"]
    if not is_shaped(components):
        return [*found, _('components must be a list such as [{"type": "BODY", "text": "Hello {{1}}"}].')]
    examples = {slot.name: slot.example or "1" for slot in slots_of(components)}
    return found + [problem for problem in check_slots(components, examples) if problem.startswith("The template")]
