"""What the things a rule points to are called, each looked up once, and only in the rule's own environment."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.person import Property
from bot.models.preference import Topic
from bot.models.segment import Segment
from bot.models.words import PropertyType
from bot.people.rules.operators import Which

LARGEST_ID = 2**63 - 1

_NAMES: Mapping[Which, tuple[type[Number | Topic | Segment | Broadcast], ColumnElement[str]]] = {
    Which.NUMBER: (Number, Number.name.expression),
    Which.TOPIC: (Topic, Topic.name.expression),
    Which.SEGMENT: (Segment, Segment.name.expression),
    Which.BROADCAST: (Broadcast, Broadcast.name.expression),
}


class Directory:
    def __init__(self, session: Session, environment: str) -> None:
        self.session, self.environment = session, environment
        self._names: dict[tuple[Which, int], str | None] = {}
        self._types: dict[str, PropertyType | None] = {}

    def type_of(self, attribute: str) -> PropertyType | None:
        """None if the environment has no such attribute."""
        if attribute not in self._types:
            found = self.session.scalar(
                select(Property.type).where(Property.environment == self.environment, Property.name == attribute)
            )
            self._types[attribute] = None if found is None else PropertyType(found)
        return self._types[attribute]

    def name_of(self, which: Which, id_: int) -> str | None:
        """None if there is nothing of that id, or it belongs to the other environment."""
        key = (which, id_)
        if key not in self._names:
            self._names[key] = self.session.scalar(self._named(which, id_)) if 0 < id_ <= LARGEST_ID else None
        return self._names[key]

    def choices(self, which: Which, limit: int = 500) -> list[tuple[str, str]]:
        """(value, label) of what a form offers, the newest first; attributes by name."""
        if which is Which.ATTRIBUTE:
            names = select(Property.name).where(Property.environment == self.environment).order_by(Property.name)
            return [(name, name) for name in self.session.scalars(names)]
        table, name = _NAMES[which]
        found = select(table.id, name).where(table.environment == self.environment).order_by(table.id.desc())
        return [(str(id_), label) for id_, label in self.session.execute(found.limit(limit))]

    def _named(self, which: Which, id_: int) -> Select[str]:
        table, name = _NAMES[which]
        return select(name).where(table.id == id_, table.environment == self.environment)
