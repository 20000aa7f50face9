"""The one search for people, of pages, programs and commands: by anything known of them, a page at a time.

First a walk: four thousand people in the order asked for, each looked at. What many people have fills a page so,
however many they are. Only what is rarer than that is asked of the indexes at once, all of it, and sorted then: it is
little. Neither is slow where the other is quick; the planner, which has to guess how many have a word that begins so,
would take the wrong way now and then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, exists, func, literal, not_, select, tuple_
from sqlalchemy.orm import Session, aliased

from bot.language import _, figure
from bot.models.imports import ImportChange, ImportRun
from bot.models.person import Person
from bot.models.segment import Segment
from bot.people import segments, sorts, terms
from bot.people.rules.schema import RuleError
from bot.people.sorts import MOST_SORTED, Sort, SortError
from bot.people.terms import SearchError, Term

PAGE = 50
WALKED = 4_000
"""People whom a walk looks at before it gives up."""


class FilterError(ValueError):
    """Nothing to filter by in this environment; the text says what."""


class LostPlaceError(ValueError):
    """The person after whom the page was to begin is not there any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    environment: str
    text: str = ""
    sort: str = sorts.DEFAULT
    is_descending: bool = True
    enabled: bool | None = None
    country: str | None = None
    segment_id: int | None = None
    import_id: int | None = None
    whole: bool = field(default_factory=terms.is_blind)
    """Contact is found by all of it, and by no part: who asks may not see it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Ids of a page in order; `count` of all that match, where it came for nothing."""

    ids: Sequence[int]
    has_before: bool
    has_after: bool
    count: int | None


REFUSALS = (SearchError, SortError, FilterError, LostPlaceError, RuleError)
"""What `find` raises: each is a sentence for whoever asked."""


class Finder:
    """One question about people, checked: raises REFUSALS."""

    def __init__(self, session: Session, asked: Asked) -> None:
        self.session, self.asked = session, asked
        self.terms: Sequence[Term] = ()
        if asked.text.strip():
            self.terms = terms.read(session, asked.environment, asked.text, whole=asked.whole)
        self.sort: Sort = sorts.find(session, asked.environment, asked.sort)
        _check(session, asked)

    def page(self, *, after: int | None = None, before: int | None = None, limit: int = PAGE) -> Found:
        """The first page, or the one that begins after a person's id, or ends before one."""
        is_back = before is not None
        edge = self._place(before if is_back else after)
        ids, count = self._find(edge, limit + 1, is_back=is_back)
        has_more, ids = len(ids) > limit, ids[:limit]
        if is_back:
            return Found(ids[::-1], has_before=has_more, has_after=True, count=count)
        return Found(ids, has_before=edge is not None, has_after=has_more, count=count)

    def everybody(self) -> Select[Any]:
        """Ids of all that match, in no order: for a segment or a count."""
        return select(Person.id).where(*self._narrow())

    def sorted(self) -> Select[Any]:
        """Ids of all that match as the pages show them: for an export, which reads them as they come."""
        self._check_sortable()
        return select(Person.id).where(*self._narrow()).order_by(*self._order(Person, is_back=False))

    def count(self, most: int) -> int:
        """How many match, but no more than `most`."""
        some = self.everybody().limit(most).subquery()
        return self.session.scalar(select(func.count()).select_from(some)) or 0

    def _find(self, edge: tuple[Any, int] | None, limit: int, *, is_back: bool) -> tuple[list[int], int | None]:
        if self.sort.is_indexed:
            found = self._walk(edge, limit, is_back=is_back)
            if len(found) == limit or self._is_walked_out(edge, is_back=is_back):
                return found, None
        else:
            self._check_sortable()
        return self._gather(edge, limit, is_back=is_back)

    def _walk(self, edge: tuple[Any, int] | None, limit: int, *, is_back: bool) -> list[int]:
        ahead = select(Person.__table__).where(*self._ahead(Person, edge, is_back=is_back))
        path = ahead.order_by(*self._order(Person, is_back=is_back)).limit(WALKED).subquery("path")
        person = aliased(Person, path)
        query = select(person.id).where(terms.on_row(person, self.terms), *self._filters(person), *self._listed(person))
        return list(self.session.scalars(query.order_by(*self._order(person, is_back=is_back)).limit(limit)))

    def _is_walked_out(self, edge: tuple[Any, int] | None, *, is_back: bool) -> bool:
        path = select(literal(1)).where(*self._ahead(Person, edge, is_back=is_back)).limit(WALKED).subquery()
        return (self.session.scalar(select(func.count()).select_from(path)) or 0) < WALKED

    def _gather(self, edge: tuple[Any, int] | None, limit: int, *, is_back: bool) -> tuple[list[int], int]:
        """Materialised, lest the planner take it for a walk again."""
        matching = select(Person.id, self.sort.key(Person).label("key")).where(*self._narrow()).cte("matching")
        matching = matching.prefix_with("MATERIALIZED")
        place = (matching.c.key, matching.c.id)
        count = select(func.count()).select_from(matching).scalar_subquery()
        query = select(matching.c.id, count)
        if edge is not None:
            query = query.where(_beyond(place, edge, is_up=self._is_up(is_back=is_back)))
        order = place if self._is_up(is_back=is_back) else [each.desc() for each in place]
        found = self.session.execute(query.order_by(*order).limit(limit)).all()
        return [row[0] for row in found], found[0][1] if found else 0

    def _narrow(self) -> Iterator[ColumnElement[bool]]:
        yield from _there(self.asked.environment, Person)
        yield from self._filters(Person)
        if self.asked.import_id is not None:  # as a set, which two indexes hold
            changed = select(ImportChange.person_id).where(ImportChange.import_id == self.asked.import_id)
            yield Person.id.in_(changed.union_all(select(Person.id).where(Person.import_id == self.asked.import_id)))
        if self.terms:
            yield terms.as_set(self.asked.environment, Person, self.terms)

    def _filters(self, person: type[Person]) -> Iterator[ColumnElement[bool]]:
        asked = self.asked
        if asked.enabled is not None:
            yield person.enabled.is_(asked.enabled)
        if asked.country is not None:
            yield sorts.COUNTRY_KEY.in_([asked.country])
        if asked.segment_id is not None:
            segment = self.session.get_one(Segment, asked.segment_id)
            yield segments.belongs(self.session, segment, person)

    def _listed(self, person: type[Person]) -> Iterator[ColumnElement[bool]]:
        """Made or changed by the import, of those a walk has come to."""
        asked = self.asked
        if asked.import_id is not None:
            noted = exists().where(ImportChange.import_id == asked.import_id, ImportChange.person_id == person.id)
            yield (person.import_id == asked.import_id) | noted

    def _ahead(
        self, person: type[Person], edge: tuple[Any, int] | None, *, is_back: bool
    ) -> Iterator[ColumnElement[bool]]:
        yield from _there(self.asked.environment, person)
        if self.asked.country is not None and self.sort.name == "country":  # of one country the index has one stretch
            yield sorts.COUNTRY_KEY.in_([self.asked.country])
        if self.asked.enabled is False and self.sort.name == "created_at":  # an index of its own
            yield not_(person.enabled)
        if edge is not None:
            yield _beyond((self.sort.key(person), person.id), edge, is_up=self._is_up(is_back=is_back))

    def _order(self, person: type[Person], *, is_back: bool) -> list[SQLColumnExpression[Any]]:
        place: list[SQLColumnExpression[Any]] = [self.sort.key(person), person.id]
        return place if self._is_up(is_back=is_back) else [each.desc() for each in place]

    def _is_up(self, *, is_back: bool) -> bool:
        return self.asked.is_descending is is_back

    def _place(self, person_id: int | None) -> tuple[Any, int] | None:
        if person_id is None:
            return None
        key = select(self.sort.key(Person)).where(Person.id == person_id, *_there(self.asked.environment, Person))
        found = self.session.execute(key).one_or_none()
        if found is None:
            raise LostPlaceError(_("Whoever this page began after is not there any more: begin at the first page."))
        return found[0], person_id

    def _check_sortable(self) -> None:
        if not self.sort.is_indexed and self.count(MOST_SORTED + 1) > MOST_SORTED:
            raise SortError(
                _(
                    "More than %(most_sorted)s people cannot be sorted by %(name)s: search or filter "
                    "first, or sort by %(indexed)s.",
                    most_sorted=figure(MOST_SORTED),
                    name=self.sort.name,
                    indexed=", ".join(sorts.INDEXED),
                )
            )


def _there(environment: str, person: type[Person]) -> Iterator[ColumnElement[bool]]:
    yield person.environment == environment
    yield person.erased_at.is_(None)


def _beyond(place: Sequence[Any], edge: tuple[Any, int], *, is_up: bool) -> ColumnElement[bool]:
    key, id_ = place
    there = tuple_(literal(edge[0], key.type), literal(edge[1], id_.type))
    return tuple_(key, id_) > there if is_up else tuple_(key, id_) < there


def _check(session: Session, asked: Asked) -> None:
    """Segments and imports of this environment only."""
    for model, id_, noun in ((Segment, asked.segment_id, "segment"), (ImportRun, asked.import_id, "import")):
        if id_ is not None:
            there = select(model.id).where(model.id == id_, model.environment == asked.environment)
            if session.scalar(there) is None:
                raise FilterError(
                    _(
                        "There is no %(noun)s %(id)s in %(environment)s.",
                        noun=noun,
                        id=id_,
                        environment=asked.environment,
                    )
                )
