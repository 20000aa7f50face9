"""Two countings of the same messages, compared in one snapshot: each place where they differ, in a line."""

from collections.abc import Iterator, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.insights import facts, spans
from bot.insights.folding import AUTHORS, LEVELS, NEVER

MOST = 1_000
"""Lines of each kind."""

_WHAT = ("received", "sent", "delivered", "read", "failed", "refused", "replied")


def _both(kept: str, waiting: str, place: str, values: tuple[str, ...]) -> str:
    """Of each place both sums, where they are not the same; `waiting` are the deltas that are not folded yet."""
    sums = ", ".join(
        f"coalesce(sum({name}) FILTER (WHERE generation = :{side}), 0) AS {side}_{name}"
        for name in values
        for side in ("old", "new")
    )
    differs = " OR ".join(f"old_{name} <> new_{name}" for name in values)
    return f"""
        SELECT * FROM (
            SELECT {place}, {sums} FROM ({kept} UNION ALL {waiting}) t
             WHERE generation IN (:old, :new) GROUP BY {place}) s
         WHERE {differs} ORDER BY {place} LIMIT :most
    """  # noqa: S608 (put together from constants)


_DAYS = "environment, number_id, level, day, author_kind, author_id"
_HOURS = "environment, number_id, day, hour"
_GAPS = "environment, number_id, level, previous, day, country"
_FACTS = "environment, number_id, fact, day"
_STEPS = "environment, number_id, level, day, step"
_TIMES = "environment, number_id, level, step, day, seconds"
_SPANS = "goal_id, number_id, since_level, until_level, since, until"
_ENDS = "goal_id, number_id, b.since_level, e.until_level, b.since, e.until"
_ANSWERS = f"FROM fact_delta d {facts.SPANS} WHERE fact = 'answered'"


def _of_goals(
    table: str, columns: str, new_columns: str, which: str = "true"
) -> tuple[str, Sequence[str], tuple[str, ...]]:
    """Of a goal that was removed, what is left is read no more and deleted by and by."""
    place, there = f"{_SPANS}, {columns}", "goal_id IN (SELECT id FROM goal)"
    kept = f"SELECT generation, {place}, people FROM {table} WHERE {there}"  # noqa: S608 (ours)
    waiting = f"""
        SELECT generation, {_ENDS}, {new_columns}, people
          FROM goal_span_delta d {spans.LEVELS} WHERE {which} AND {there}
    """  # noqa: S608 (ours)
    return _both(kept, waiting, place, ("people",)), place.split(", "), ("people",)


_QUERIES = {
    "messages": (
        _both(
            f"SELECT generation, {_DAYS}, {', '.join(_WHAT)} FROM message_day",  # noqa: S608 (ours)
            f"""SELECT generation, environment, number_id, l.level, day, author_kind, l.author_id, {", ".join(_WHAT)}
                  FROM message_delta d {AUTHORS}""",  # noqa: S608 (ours)
            _DAYS,
            _WHAT,
        ),
        _DAYS.split(", "),
        _WHAT,
    ),
    "hours": (
        _both(
            f"SELECT generation, {_HOURS}, received, sent FROM message_hour",  # noqa: S608 (ours)
            f"SELECT generation, {_HOURS}, received, sent FROM message_delta",  # noqa: S608 (ours)
            _HOURS,
            ("received", "sent"),
        ),
        _HOURS.split(", "),
        ("received", "sent"),
    ),
    "people": (
        _both(
            "SELECT generation, environment, number_id, level, previous::text, day, country, people FROM active_gap",
            f"""SELECT generation, environment, number_id, l.level, l.previous::text, day, country, people
                  FROM active_delta d {LEVELS} WHERE {NEVER}""",  # noqa: S608 (ours)
            _GAPS,
            ("people",),
        ),
        _GAPS.split(", "),
        ("people",),
    ),
    "facts": (
        _both(
            "SELECT generation, environment, number_id, fact, day::text, many FROM fact_day",
            "SELECT generation, environment, number_id, fact, day::text, many FROM fact_delta",
            _FACTS,
            ("many",),
        ),
        _FACTS.split(", "),
        ("many",),
    ),
    "responses": (
        _both(
            f"SELECT generation, {_STEPS}, many FROM response_step",  # noqa: S608 (ours)
            f"SELECT generation, environment, number_id, l.level, l.day, response_step(seconds), many {_ANSWERS}",
            _STEPS,
            ("many",),
        ),
        _STEPS.split(", "),
        ("many",),
    ),
    "response times": (
        _both(
            f"SELECT generation, {_TIMES}, many FROM response_time",  # noqa: S608 (ours)
            f"""SELECT generation, environment, number_id, l.level, response_step(seconds), l.day, seconds, many
                {_ANSWERS}""",
            _TIMES,
            ("many",),
        ),
        _TIMES.split(", "),
        ("many",),
    ),
    "goals": _of_goals("goal_span", "part, behaviour_id, step", f"part, behaviour_id, {spans.STEP}"),
    "goals' authors": _of_goals(
        "goal_span_author", *(2 * ("part, behaviour_id, author_kind, author_id, author_step",))
    ),
    "goals' times": _of_goals("goal_span_time", "step, seconds", f"{spans.STEP}, seconds", "seconds IS NOT NULL"),
}

_PERSON_DAYS = """
    SELECT person_id, number_id, day, count(*) FILTER (WHERE generation = :old) AS old_days,
           count(*) FILTER (WHERE generation = :new) AS new_days
      FROM active_day WHERE generation IN (:old, :new)
     GROUP BY 1, 2, 3 HAVING count(*) = 1 ORDER BY 1, 2, 3 LIMIT :most
"""


def differences(session: Session, old: int, new: int) -> Iterator[str]:
    """`messages live number 3 2026-03-01 coach 5: sent 10, anew 11`; one snapshot only if the caller has one."""
    given = {"old": old, "new": new, "most": MOST}
    for kind, (query, place, values) in _QUERIES.items():
        for row in session.execute(text(query), given).mappings():
            where = " ".join(
                f"{name} {row[name]}"
                if name.endswith(("_id", "level", "hour", "previous", "step", "seconds", "since", "until"))
                else str(row[name])
                for name in place
            )
            found = ", ".join(
                f"{name} {row[f'old_{name}']}, anew {row[f'new_{name}']}"
                for name in values
                if row[f"old_{name}"] != row[f"new_{name}"]
            )
            yield f"{kind} {where}: {found}"
    for one in session.execute(text(_PERSON_DAYS), given):
        yield f"days person {one.person_id} number_id {one.number_id} {one.day}: {one.old_days}, anew {one.new_days}"
