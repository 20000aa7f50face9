"""Who is behind a goal's numbers, person by person from what each did; and the numbers of a segment's people."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from bot.insights.asking import wanted
from bot.insights.spans import TOOK, TURNED


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
    SELECT DISTINCT ON (d.person_id) {_COLUMNS}, CAST(NULL AS bigint) AS seconds
      FROM behaviour_day d WHERE d.behaviour_id = :behaviour AND {_WITHIN} ORDER BY d.person_id, d.day
"""  # noqa: S608 (put together from constants)
_TURNS = f"""
    SELECT DISTINCT ON (d.person_id) {_COLUMNS}, {TOOK} AS seconds
      FROM (WITH told AS (
                SELECT CASE WHEN w.behaviour_id = :completion THEN 'completion' ELSE 'start' END AS role,
                       0 AS goal_id, w.*
                  FROM behaviour_day w
                 WHERE w.behaviour_id IN (:start, :completion) AND w.day <= :last AND w.person_id {{whose}}),
            {TURNED} SELECT * FROM timed) d
     WHERE d.ends AND d.starts > 0 AND {_WITHIN} ORDER BY d.person_id, d.day
"""  # noqa: S608 (put together from constants)
_ENDED = """
    SELECT c.person_id FROM behaviour_day c WHERE c.behaviour_id = :completion AND c.day BETWEEN :first AND :last
"""
# One pass over all starts and completions of theirs, for looking up each would take longer.
_COMPLETED = _TURNS.format(whose=f"IN ({_ENDED})")
# Of a page one after the other in the order it is told in, until it is full.
_COMPLETED_AFTER = f"""
    SELECT e.person_id, t.at, t.author_kind, t.author_id, t.author_step
      FROM (SELECT DISTINCT e.person_id FROM ({_ENDED}) e WHERE e.person_id > :after ORDER BY 1) e
     CROSS JOIN LATERAL ({_TURNS.format(whose="= e.person_id")}) t
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


def _each(statement: str, groups: Mapping[Group, str] = _GROUPS) -> Mapping[Group, TextClause]:
    return {group: text(statement.format(rows=rows)) for group, rows in groups.items()}


_COUNT: Final = _each("""
    SELECT count(*) AS people, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median FROM ({rows}) r
""")
_DID_EACH: Final = text(f"""
    SELECT d.behaviour_id, count(DISTINCT d.person_id) AS people FROM behaviour_day d
     WHERE d.behaviour_id = ANY(CAST(:behaviours AS bigint[])) AND {_WITHIN} GROUP BY d.behaviour_id
""")  # noqa: S608 (put together from constants)
_AUTHORS: Final = _each("""
    SELECT author_kind, author_id, author_step, count(*) AS people FROM ({rows}) r GROUP BY 1, 2, 3
""")
# Of a page: whoever was erased is in the number and can be shown no more.
_WHO: Final = _each(
    """
    SELECT r.person_id, r.at, r.author_kind, r.author_id, r.author_step, p.distinct_id, p.nickname, p.first_name,
           p.last_name
      FROM ({rows}) r JOIN person p ON p.id = r.person_id AND p.erased_at IS NULL
     WHERE r.person_id > :after ORDER BY r.person_id LIMIT :most
    """,
    {**_GROUPS, Group.COMPLETED: _COMPLETED_AFTER},
)
_IDS: Final = _each("SELECT r.person_id FROM ({rows}) r JOIN person p ON p.id = r.person_id AND p.erased_at IS NULL")


def count(session: Session, group: Group, values: Mapping[str, Any]) -> Row[Any]:
    """(people, median): of completions the middle of how long they took, in seconds."""
    return _asked(session, _COUNT[group], values)[0]


def did_each(session: Session, values: Mapping[str, Any]) -> Mapping[int, int]:
    """People by behaviour."""
    return {row.behaviour_id: row.people for row in _asked(session, _DID_EACH, values)}


def authors(session: Session, group: Group, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """(author_kind, author_id, author_step, people); the step is empty where there is none."""
    return _asked(session, _AUTHORS[group], values)


def who(session: Session, group: Group, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """A page of them in the order of ids, with when they did it; asks for `after` and `most`, too."""
    return _asked(session, _WHO[group], values)


def ids(session: Session, group: Group, values: Mapping[str, Any]) -> Sequence[int]:
    return [row.person_id for row in _asked(session, _IDS[group], values)]


def _asked(session: Session, statement: TextClause, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
    return session.execute(statement, {name: values[name] for name in wanted(statement)}).all()
