"""The templates of an environment as lists show them: which there are, by what they are found, how each stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Text, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.orm import Session

from bot.models.broadcast import Template
from bot.models.connection import Connection, Number
from broadcasts.templates import templates
from broadcasts.templates.templates import APPROVED

FILTERS: Final = ("status", "category", "language")


@dataclass(frozen=True, slots=True)
class Line:
    """A template as the page shows it."""

    template: Template
    connection: str
    reason: str | None
    is_stuck: bool
    """Approved, and yet Backchat cannot send it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty for all."""

    q: str = ""
    """Part of a name or of what the template says, in any case."""
    status: str = ""
    category: str = ""
    language: str = ""
    name: str = ""
    """A whole name."""


def connections(session: Session, environment: str) -> Sequence[Connection]:
    """Those with a number in the environment, and those that have none at all yet."""
    numbers = exists().where(Number.connection_id == Connection.id)
    here = numbers.where(Number.environment == environment)
    return session.scalars(select(Connection).where(here | ~numbers).order_by(Connection.slug)).all()


def lines(
    session: Session, known: Sequence[Connection], wanted: Wanted, offset: int = 0, limit: int | None = None
) -> list[Line]:
    """In the order of names; those that are gone come last."""
    by_id = {connection.id: connection for connection in known}
    found = session.scalars(
        select(Template)
        .where(Template.connection_id.in_(by_id), *_conditions(wanted))
        .order_by(Template.status == templates.GONE, Template.name, Template.language, Template.id)
        .offset(offset)
        .limit(limit)
    )
    return [line(template, by_id[template.connection_id]) for template in found]


def line(template: Template, connection: Connection) -> Line:
    is_stuck = template.status == APPROVED and bool(templates.obstacles(connection.provider, template))
    return Line(template, connection.slug, templates.reason(connection.provider, template), is_stuck)


def choices(session: Session, known: Sequence[Connection]) -> Mapping[str, Sequence[str]]:
    """What each filter can be, going by the templates that are there."""
    ids = [connection.id for connection in known]
    return {
        name: session.scalars(
            select(getattr(Template, name)).where(Template.connection_id.in_(ids)).distinct().order_by(name)
        ).all()
        for name in FILTERS
    }


def of_name(session: Session, template: Template) -> Sequence[Template]:
    """The same name in all its languages."""
    found = select(Template).where(Template.connection_id == template.connection_id, Template.name == template.name)
    return session.scalars(found.order_by(Template.language)).all()


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [getattr(Template, name) == value for name in FILTERS if (value := getattr(wanted, name))]
    if wanted.name:
        found.append(Template.name == wanted.name)
    if wanted.q:
        says = cast(func.jsonb_path_query_array(Template.components, cast("$[*].text", JSONPATH)), Text)
        found.append(or_(Template.name.icontains(wanted.q, autoescape=True), says.icontains(wanted.q, autoescape=True)))
    return found
