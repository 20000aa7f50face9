"""Are we making an impact? Who started a goal and who completed it, what they did on the way, and what came before.

Each number is counted over the very rows that name its people, so that the two cannot differ.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, Row, Select, TextClause, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from bot.insights.asking import Filter, Period, wanted
from bot.insights.authors import NAMES
from bot.language import later
from bot.models.goals import Behaviour, BehaviourRole, Goal
from bot.models.segment import Segment
from bot.people import segments

EXPLANATION: Final = later(
    "Started are people who did the goal's first step in these days, completed those who did its last step in these"
    " days and its first step before, whenever that was. The share is of those who started in these days: how many of"
    " them had completed by the end. The time is from their first start since they last completed; half were quicker."
    " Each person counts once, and of a day their first time counts. Attributes that people had before the goal was"
    " made are in no number, but let them complete. With a number chosen, what happens at none, as an event or a click,"
    " counts for the number that had sent them something last."
)
LINEAGE_EXPLANATION: Final = later(
    "What had been sent to people last before they did it, within seven days: that it came before does not prove that"
    " it is why. It is written down in that moment and stays."
)


class Group(StrEnum):
    """A set of people that a number counts."""

    DID = "did"
    """A behaviour, in these days."""
    COMPLETED = "completed"
    WENT_ON = "went_on"
    """Of those who started in these days: who completed by their end."""
    LEFT = "left"
    """Of those who started in these days: who had not."""


_WITHIN = """
    d.day BETWEEN :first AND :last AND (:number = 0 OR d.number_id = :number)
    AND (CAST(:people AS bigint[]) IS NULL OR d.person_id = ANY(CAST(:people AS bigint[])))
"""
_COLUMNS = "d.person_id, d.at, d.author_kind, d.author_id, d.author_step"
_DID = f"""
    SELECT DISTINCT ON (d.person_id) {_COLUMNS}, CAST(NULL AS float) AS seconds
      FROM behaviour_day d WHERE d.behaviour_id = :behaviour AND {_WITHIN} ORDER BY d.person_id, d.at
"""  # noqa: S608 (put together from constants)
# All starts and completions of whoever completed in these days, in order. Each completion ends a turn; what it took is
# told from the first start of its own turn. One pass over them, for looking up each would take ten times as long.
_COMPLETED = f"""
    SELECT DISTINCT ON (d.person_id) {_COLUMNS},
           CASE WHEN d.first > '-infinity' THEN extract(epoch FROM d.at - d.first) END AS seconds
      FROM (SELECT t.*, count(*) FILTER (WHERE NOT ends) OVER one AS starts,
                   min(at) FILTER (WHERE NOT ends) OVER (PARTITION BY person_id, turn) AS first
              FROM (SELECT b.*, count(*) FILTER (WHERE ends) OVER (one ROWS UNBOUNDED PRECEDING) - ends::int AS turn
                      FROM (SELECT w.*, w.behaviour_id = :completion AS ends FROM behaviour_day w
                             WHERE w.behaviour_id IN (:start, :completion) AND w.day <= :last
                               AND w.person_id IN (SELECT c.person_id FROM behaviour_day c
                                                    WHERE c.behaviour_id = :completion
                                                      AND c.day BETWEEN :first AND :last)) b
                    WINDOW one AS (PARTITION BY person_id ORDER BY at, ends)) t
            WINDOW one AS (PARTITION BY person_id ORDER BY at, ends)) d
     WHERE d.ends AND d.starts > 0 AND {_WITHIN} ORDER BY d.person_id, d.at
"""  # noqa: S608 (put together from constants)
_STARTED_AND = """
    SELECT f.* FROM ({did}) f
     WHERE {whether} EXISTS (SELECT FROM behaviour_day c WHERE c.behaviour_id = :completion
                                AND c.person_id = f.person_id AND c.at >= f.at AND c.day <= :last)
"""
_GROUPS: Final[Mapping[Group, str]] = {
    Group.DID: _DID,
    Group.COMPLETED: _COMPLETED,
    Group.WENT_ON: _STARTED_AND.format(did=_DID, whether=""),
    Group.LEFT: _STARTED_AND.format(did=_DID, whether="NOT"),
}
_COUNT: Final = {
    group: text(f"""
        SELECT count(*) AS people, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median FROM ({rows}) r
    """)  # noqa: S608 (put together from constants)
    for group, rows in _GROUPS.items()
}
_DID_EACH: Final = text(f"""
    SELECT d.behaviour_id, count(DISTINCT d.person_id) FROM behaviour_day d
     WHERE d.behaviour_id = ANY(CAST(:behaviours AS bigint[])) AND {_WITHIN} GROUP BY d.behaviour_id
""")  # noqa: S608 (put together from constants)
_LINEAGE: Final = {
    group: text(f"""
        SELECT author_kind, author_id, author_step, count(*) AS people FROM ({rows}) r GROUP BY 1, 2, 3
    """)  # noqa: S608 (put together from constants)
    for group, rows in _GROUPS.items()
}
# Of a page: whoever was erased is in the number and can be shown no more.
_WHO: Final = {
    group: text(f"""
        SELECT r.person_id, r.at, r.author_kind, r.author_id, r.author_step, p.distinct_id, p.nickname, p.first_name,
               p.last_name
          FROM ({rows}) r JOIN person p ON p.id = r.person_id AND p.erased_at IS NULL
         WHERE r.person_id > :after ORDER BY r.person_id LIMIT :most
    """)  # noqa: S608 (put together from constants)
    for group, rows in _GROUPS.items()
}
_IDS: Final = {
    group: text(f"""
        SELECT r.person_id FROM ({rows}) r JOIN person p ON p.id = r.person_id AND p.erased_at IS NULL
    """)  # noqa: S608 (put together from constants)
    for group, rows in _GROUPS.items()
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A goal, the days, and whose: of an environment's number or segment."""

    goal: Goal
    period: Period
    which: Filter


@dataclass(frozen=True, slots=True)
class Did:
    behaviour: Behaviour
    people: int


@dataclass(frozen=True, slots=True)
class Impact:
    asked: Asked
    completed: int
    went_on: int
    """Of those who started in the period."""
    median_s: float | None
    rows: Sequence[Did]
    """From the start to the completion, in the goal's order: whoever did each, completed or not."""

    @property
    def started(self) -> int:
        return self.rows[0].people

    @property
    def share(self) -> float | None:
        return self.went_on / self.started if self.started else None


@dataclass(frozen=True, slots=True)
class Came:
    """`kind` is empty where nothing had been sent; `step` is of a journey, the first is 1."""

    kind: str
    name: str
    step: int | None
    people: int
    author_id: int
    """The newest of those with the name: a journey has an id for each of its versions."""


def impact(session: Session, asked: Asked) -> Impact:
    values = _values(session, asked)
    completed = _counted(session, Group.COMPLETED, values)
    did: dict[int, int] = dict(session.execute(*_ready(_DID_EACH, values)).all())
    rows = [Did(each, did.get(each.id, 0)) for each in asked.goal.behaviours]
    went_on = _counted(session, Group.WENT_ON, values)
    return Impact(asked, completed.people, went_on.people, completed.median, rows)


def lineage(session: Session, asked: Asked, group: Group, behaviour_id: int | None = None) -> Sequence[Came]:
    """What came before, the most frequent first; adds up to the group's number."""
    found = session.execute(*_ready(_LINEAGE[group], _values(session, asked, behaviour_id))).all()
    names = {kind: _names(session, kind, found) for kind in {row.author_kind for row in found}}
    people: Counter[tuple[str, str, int | None]] = Counter()
    newest: dict[tuple[str, str, int | None], int] = {}
    for row in found:
        who = row.author_kind, names[row.author_kind].get(row.author_id, ""), row.author_step
        people[who] += row.people
        newest[who] = max(newest.get(who, 0), row.author_id)
    told = (Came(*who, count, newest[who]) for who, count in people.items())
    return sorted(told, key=lambda each: (-each.people, each.kind, each.name, each.step or 0))


def who(
    session: Session, asked: Asked, group: Group, behaviour_id: int | None = None, *, after: int = 0, most: int = 50
) -> Sequence[Row[Any]]:
    """Person by person in the order of ids, with when they did it."""
    values = _values(session, asked, behaviour_id) | {"after": after, "most": most}
    return session.execute(*_ready(_WHO[group], values)).all()


def people(session: Session, asked: Asked, group: Group, behaviour_id: int | None = None) -> Select[int]:
    """All of them, for a segment."""
    found = list(session.scalars(*_ready(_IDS[group], _values(session, asked, behaviour_id))))
    return select(func.unnest(literal(found, ARRAY(BigInteger))))


def _counted(session: Session, group: Group, values: Mapping[str, Any]) -> Row[Any]:
    return session.execute(*_ready(_COUNT[group], values)).one()


def _ready(statement: TextClause, values: Mapping[str, Any]) -> tuple[TextClause, dict[str, Any]]:
    return statement, {name: values[name] for name in wanted(statement)}


def _values(session: Session, asked: Asked, behaviour_id: int | None = None) -> dict[str, Any]:
    by_role = {each.role: each.id for each in asked.goal.behaviours}
    start, completion = by_role[BehaviourRole.START], by_role[BehaviourRole.COMPLETION]
    return {
        "start": start,
        "completion": completion,
        "behaviour": behaviour_id or start,
        "behaviours": [each.id for each in asked.goal.behaviours],
        "first": asked.period.first,
        "last": asked.period.last,
        "number": asked.which.number_id or 0,
        "people": _of_segment(session, asked.which),
    }


def _of_segment(session: Session, which: Filter) -> list[int] | None:
    segment = None if which.segment_id is None else session.get(Segment, which.segment_id)
    return None if segment is None else list(session.scalars(segments.people_in(session, segment)))


def _names(session: Session, kind: str, found: Sequence[Row[Any]]) -> Mapping[int, str]:
    if kind not in NAMES:
        return {}
    id_, name = NAMES[kind]
    ids = {row.author_id for row in found if row.author_kind == kind}
    return dict(session.execute(select(id_, name).where(id_.in_(ids))).all())
