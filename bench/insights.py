"""Insights over ten million messages, a tenth of them first: make bench-insights."""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
from sqlalchemy import text

from bench import bodies
from bench import insights_history as history
from bot.conversations import figures, report
from bot.goals import goals
from bot.insights import filling, folding, generations, impact, jobs
from bot.insights.asking import Filter, Period, Question, last_days
from bot.insights.blocks import table
from bot.insights.doers import Group
from bot.insights.impact import Asked
from tests import factories as make
from tests.harness.house import House, open_house
from tests.harness.servers import start
from webhooks import jobs as intake

MESSAGES = 10_000_000
TENTH = 10
ROUNDS = 12
TURNS = 6
EVENTS = 2_000
"""Of a turn: so many messages come in, and as many that went out are reported on three times."""

_AT = "(CASE direction WHEN 'in' THEN occurred_at ELSE accepted_at END AT TIME ZONE 'UTC')::date"
_PLAIN = {
    "active": f"""SELECT count(DISTINCT person_id) FROM message WHERE environment = 'live' AND direction = 'in'
                     AND {_AT} BETWEEN :first AND :last""",
    "volume": f"""SELECT {_AT}, count(*) FILTER (WHERE direction = 'in'), count(accepted_at) FROM message
                   WHERE environment = 'live' AND {_AT} BETWEEN :first AND :last GROUP BY 1""",
    "authors": f"""SELECT author_kind, count(accepted_at) FROM message
                    WHERE environment = 'live' AND {_AT} BETWEEN :first AND :last GROUP BY 1""",
}


_BY_NUMBER = ("active", "countries", "per-person", "conversations", "responses", "authors-coach")


def _of_a_number(block: Callable[[Question], object]) -> Callable[[Question], object]:
    def ask(question: Question) -> object:
        number_id = question.session.scalar(text("SELECT min(id) FROM number"))
        return block(Question(question.session, question.period, Filter("live", number_id)))

    return ask


def _goal(question: Question) -> None:
    """What a goal's page asks."""
    goal = goals.every(question.session, "live")[0]
    asked = Asked(goal, question.period, question.which)
    impact.impact(question.session, asked)
    impact.lineage(question.session, asked, Group.COMPLETED)


def _people_of_a_goal(question: Question) -> None:
    goal = goals.every(question.session, "live")[0]
    impact.who(question.session, Asked(goal, question.period, question.which), Group.COMPLETED)


def _team_report(question: Question) -> None:
    """As its page asks, without the days that it compares with."""
    period, zone = question.period, ZoneInfo("UTC")
    report.load(question.session, figures.Asked("live", period.first, period.last, zone))


BLOCKS: Mapping[str, Callable[[Question], object]] = {
    **{name: block.ask for name, block in table.BLOCKS.items()},
    **{f"{name}-of-a-number": _of_a_number(table.BLOCKS[name].ask) for name in _BY_NUMBER},
    "goal": _goal,
    "goal-people": _people_of_a_goal,
}
"""Each that the page shows, each that one comes to from there, some with a number chosen, and a goal's own page."""

_FRESH = text("""
    INSERT INTO message (environment, number_id, person_id, direction, kind, occurred_at, author_kind, state,
                         accepted_at, sent_at, attempt, provider_message_id)
    SELECT 'live', :number_id, id, 'out', 'text', now(), 'automation', 'accepted', now(), now(), 1,
           'wamid.turn.' || :turn || '.' || id
      FROM person WHERE id % 7 = :turn % 7 ORDER BY id LIMIT :events
    RETURNING id, provider_message_id
""")
TOTALS = (
    *("message_day", "message_hour", "active_gap", "active_day", "fact_day", "response_step", "response_time"),
    *("goal_span", "goal_span_author", "goal_span_time"),
)
COUNTED = ("message", "conversation", "episode", "consent_event", "behaviour_day")
_WATCH = text("UPDATE behaviour SET environment = :environment")
_BACKENDS = text("SELECT pid FROM pg_stat_activity WHERE application_name = current_setting('application_name')")
_EVENT = text("""
    INSERT INTO webhook_event (connection_id, content_type, body)
    SELECT :connection_id, 'application/json', body FROM unnest(CAST(:bodies AS bytea[])) body
""")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="backchat-bench-") as folder,
        start() as servers,
        open_house(servers, Path(folder)) as house,
    ):
        print(json.dumps(_measure(house, arguments.messages)))


def _measure(house: House, messages: int) -> dict[str, Any]:
    people = messages // history.EACH
    with house.rt.transaction() as session:
        numbers, coaches = [house.number_id, make.make_number(session).id], history.set_up(session)
    history.make_people(house, numbers, coaches, 1, people // TENTH)
    _count(house)
    small = _look(house)
    history.make_people(house, numbers, coaches, people // TENTH + 1, people)
    per_s = messages / _count(house)
    large = _look(house)
    return {
        "bench": "insights",
        "messages": messages,
        "people": people,
        **large,
        "tenth": small,
        "growth_ratio_10x": round(max(large[name] / small[name] for name in ("p95_ms_7d", "p95_ms_365d")), 2),
        "growth_by_block": {
            name: round(large["median_ms_365d"][name] / small["median_ms_365d"][name], 2) for name in BLOCKS
        },
        **{name: house.ask(f"SELECT count(*) FROM {name}") for name in ("episode", "behaviour_day", "consent_event")},
        **_overhead(house),
        "rebuild_messages_per_s": round(per_s),
    }


def _count(house: House) -> float:
    """Everything from zero; how many seconds that took."""
    began = time.perf_counter()
    with house.rt.transaction() as session:
        made = generations.begin(session, house.rt.settings.time_zone).id
    while not jobs.fill(house.rt, made, 3_600):
        pass
    with house.rt.transaction() as session:
        filling.finish(session, made)
        generations.put_in_place(session, made)
    took = time.perf_counter() - began
    with house.rt.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM (ANALYZE) {', '.join(TOTALS)}"))
    return took


def _look(house: House) -> dict[str, Any]:
    zone = house.rt.settings.time_zone
    found: dict[str, Any] = {}
    plain: dict[str, float] = {}
    for days in (7, 365):
        period = last_days(days, zone)
        cold = {name: _took(house, block, period) for name, block in BLOCKS.items()}
        warm = {name: [_took(house, block, period) for _ in range(ROUNDS)] for name, block in BLOCKS.items()}
        every = sorted(one for rounds in warm.values() for one in rounds)
        found[f"p95_ms_{days}d"] = round(every[int(0.95 * len(every))], 1)
        found[f"cold_ms_{days}d"] = round(max(cold.values()), 1)
        found[f"cold_ms_{days}d_each"] = {name: round(took, 1) for name, took in cold.items()}
        found[f"median_ms_{days}d"] = {name: round(statistics.median(rounds), 1) for name, rounds in warm.items()}
        plain = {name: _ask(house, query, period.first, period.last) for name, query in _PLAIN.items()}
        found[f"team_report_ms_{days}d"] = round(min(_took(house, _team_report, period) for _ in range(2)), 1)
    found["tidy_ms"] = round(statistics.median(_tidy(house) for _ in range(5)), 1)
    ours = found["median_ms_365d"]
    found["plain_ms_365d"] = {name: round(took) for name, took in plain.items()}
    found["ratio_plain_sql"] = round(min(plain[name] / ours[name] for name in plain), 1)
    return found


def _took(house: House, block: Callable[[Question], object], period: Period) -> float:
    """Milliseconds of one block, the question put anew as a page does."""
    began = time.perf_counter()
    with house.rt.sessions() as session:
        block(Question(session, period, Filter("live")))
    return 1000 * (time.perf_counter() - began)


def _tidy(house: House) -> float:
    """Milliseconds that the clock takes each second to find that nothing is left of dropped countings."""
    is_tidy = False
    while not is_tidy:
        began = time.perf_counter()
        with house.rt.transaction() as session:
            is_tidy = not generations.tidy(session)
    return 1000 * (time.perf_counter() - began)


def _ask(house: House, query: str, first: date, last: date) -> float:
    with house.rt.engine.connect() as connection:
        began = time.perf_counter()
        connection.execute(text(query), {"first": first, "last": last}).all()
        return 1000 * (time.perf_counter() - began)


def _overhead(house: House) -> dict[str, float]:
    """The same mix of events applied without and with counting and goals, in turns; folding is told beside it."""
    shares, folds = [], []
    for turn in range(TURNS + 1):  # the first for the caches
        order = (False, True) if turn % 2 else (True, False)
        took = {counts: _apply(house, 2 * turn + counts, counts=counts) for counts in order}
        began = _cpu_s(house)
        with house.rt.transaction() as session:
            while folding.fold(session):
                pass
        if turn:
            shares.append(took[True] / took[False] - 1)
            folds.append((_cpu_s(house) - began) / took[False])
    return {
        "apply_overhead_share": round(statistics.median(shares), 3),
        "fold_share": round(statistics.median(folds), 3),
    }


def _apply(house: House, turn: int, *, counts: bool) -> float:
    """Seconds of CPU that it takes to apply all events of a turn."""
    with house.rt.transaction() as session:  # goals of another environment look out for nothing
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(_WATCH, {"environment": "live" if counts else "test"})
    what = "ENABLE" if counts else "DISABLE"
    with house.rt.transaction() as session:
        for table_ in COUNTED:
            for event in ("insert", "update", "delete"):
                session.execute(text(f"ALTER TABLE {table_} {what} TRIGGER count_{event}"))
        given = {"number_id": house.number_id, "turn": turn, "events": EVENTS}
        sent = [(row.id, row.provider_message_id) for row in session.execute(_FRESH, given)]
        told = [*bodies.statuses(sent), *bodies.messages(EVENTS, EVENTS)]
        for mark, said in enumerate(told[len(sent) * 3 :]):
            said["id"] = f"wamid.in.{turn}.{mark}"
        connection_id = session.scalar(text("SELECT connection_id FROM number WHERE id = :id"), {"id": house.number_id})
        given_events = {"connection_id": connection_id, "bodies": list(bodies.uneven(told, 5, 20))}
        session.execute(_EVENT, given_events)
    began = _cpu_s(house)
    while intake.drain_once(house.rt):
        pass
    return _cpu_s(house) - began


def _cpu_s(house: House) -> float:
    """Of this process and of its connections' backends: whatever else the machine does is in no figure."""
    with house.rt.engine.connect() as connection:
        pids = connection.execute(_BACKENDS).scalars().all()
    used = [psutil.Process(pid).cpu_times() for pid in pids]
    return time.process_time() + sum(times.user + times.system for times in used)


if __name__ == "__main__":
    main()
