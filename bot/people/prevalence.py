"""How many people have each property: counted where they are few, judged by a sample of them where they are many."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, column, func, literal, select, table, true
from sqlalchemy.orm import Session, aliased

from bot.models.person import Address, Person
from bot.people.properties import BUILT_IN, Group

SAMPLED = 20_000
_COLUMNS = tuple(
    each.name for each in BUILT_IN if each.group == Group.GENERAL and each.name in Person.__table__.columns
)
_pg_class = table("pg_class", column("oid"), column("reltuples"))


@dataclass(frozen=True, slots=True)
class Prevalence:
    counts: Mapping[str, int]
    """By property; of custom ones by their name with `attributes.` in front."""
    is_exact: bool

    def of(self, name: str, *, is_custom: bool) -> int:
        return self.counts.get(f"attributes.{name}" if is_custom else name, 0)


def measure(session: Session, environment: str) -> Prevalence:
    """The same sample each time, so that the figures change only with the people."""
    people, percent = _sample(session, Person)
    reached, percent_reached = _sample(session, Address)
    there = people.environment == environment, people.erased_at.is_(None)
    counts: dict[str, float] = {}
    columns = [func.count(getattr(people, name)) for name in _COLUMNS]
    for name, count in zip(_COLUMNS, session.execute(select(*columns).where(*there)).one(), strict=True):
        counts[name] = count * 100 / percent
    counts["display_name"] = counts["id"]
    keys = func.jsonb_object_keys(people.attributes).table_valued("key").render_derived()
    held: Select[Any] = select(keys.c.key, func.count()).select_from(people).join(keys, true())
    for name, count in session.execute(held.where(*there).group_by(keys.c.key)):
        counts[f"attributes.{name}"] = count * 100 / percent
    kinds = select(reached.kind, func.count(reached.person_id.distinct())).where(reached.environment == environment)
    for kind, count in session.execute(kinds.group_by(reached.kind)):
        counts[kind] = count * 100 / percent_reached
    return Prevalence({name: round(count) for name, count in counts.items()}, percent == percent_reached == 100)


def _sample(session: Session, model: type[Any]) -> tuple[type[Any], float]:
    """Pages of the table taken by chance, and which part of it they are in percent."""
    named = select(_pg_class.c.reltuples).where(_pg_class.c.oid == func.to_regclass(model.__tablename__))
    rows = session.scalar(named) or 0
    if rows <= SAMPLED:
        return model, 100.0
    percent = 100.0 * SAMPLED / rows
    return aliased(model, model.__table__.tablesample(func.system(percent), seed=literal(1))), percent
