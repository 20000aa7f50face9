"""What the form of a new broadcast offers: numbers, templates, segments, and the slots of the chosen template."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.connections import numbers
from bot.messages.templates import preview_of, slots_of
from bot.models.broadcast import Template
from bot.models.connection import Connection, Number
from bot.models.segment import Segment
from bot.people import topics
from bot.people.values import load_values
from broadcasts.segments import segments
from broadcasts.templates import templates
from broadcasts.templates.templates import APPROVED, frozen

_COMMON = ("first_name", "last_name", "nickname")


def choices(
    session: Session, environment: str, given: Mapping[str, str], texts: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Everything the form's page shows; `given` is what has been filled in so far, `texts` those of the slots."""
    ours = session.scalars(select(Number).where(Number.environment == environment).order_by(Number.id)).all()
    known = _sendable(session, {number.connection_id for number in ours})
    chosen = next((template for template in known if str(template.id) == given.get("template")), None)
    return {
        "given": given,
        "texts": texts or {},
        "problems": [],
        "numbers": [(number.id, f"{number.name} {number.phone}") for number in ours],
        "templates": [(each.id, f"{each.name} · {each.language} · {each.category.lower()}") for each in known],
        "segments": [
            (listed.segment.id, f"{listed.segment.name} ({listed.people})")
            for listed in segments.every(session, environment)
        ],
        "topics": [(topic.id, topic.name) for topic in topics.every(session, environment, archived=False)],
        "template": chosen,
        "slots": slots_of(chosen.components) if chosen else (),
        "template_text": preview_of(frozen(chosen), {}) if chosen else None,
        "names": _names(session, environment, given.get("segment", "")),
        "elsewhere": None if ours else numbers.elsewhere(session, environment),
    }


def _sendable(session: Session, connection_ids: Collection[int]) -> list[Template]:
    found = session.execute(
        select(Template, Connection.provider)
        .join(Connection, Connection.id == Template.connection_id)
        .where(Template.connection_id.in_(connection_ids), Template.status == APPROVED)
        .order_by(Template.name, Template.language)
    )
    return [template for template, provider in found if not templates.obstacles(provider, template)]


def _names(session: Session, environment: str, segment_id: str) -> list[str]:
    """What `<<user.…>>` can read, going by the first people of the segment."""
    segment = session.get(Segment, int(segment_id)) if segment_id.isdecimal() and len(segment_id) < 19 else None
    if segment is None or segment.environment != environment:
        return list(_COMMON)
    sample = [person.id for person in segments.few(session, segment, limit=20)]
    known = {name for values in load_values(session, sample).values() for name in values}
    return sorted(known | set(_COMMON))
