"""A million people in a few statements, and how long it takes to find some of them and to count those of a rule."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.words import PropertyType
from bot.people import finding, properties
from bot.people.rules import checking, counting
from bot.runtime import Runtime

ENVIRONMENT = "live"
TYPES = {
    "city": PropertyType.TEXT,
    "score": PropertyType.NUMBER,
    "born": PropertyType.DATE,
    "vip": PropertyType.BOOLEAN,
    "seen": PropertyType.DATETIME,
}
CITIES = ("Cairo", "Giza", "Luxor", "Aswan", "Tanta", "Suez", "Qena", "Minya", "Sohag", "Port Said")
PORTION = 50_000
ROUNDS = 5

_MAKE = text("""
    WITH people AS (
        INSERT INTO person (environment, distinct_id, first_name, country, attributes)
        SELECT :environment, 'u' || n, 'Name' || n % 5000, 'EG', jsonb_build_object(
                   'city', (CAST(:cities AS text[]))[1 + n % 10], 'score', n % 1000, 'vip', n % 7 = 0,
                   'born', to_char(date '1960-01-01' + n % 16000, 'YYYY-MM-DD'),
                   'seen', to_char(timestamp '2026-01-01' + n % 100000 * interval '1 minute',
                                   'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
          FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n
        RETURNING id, distinct_id)
    INSERT INTO address (environment, person_id, kind, value)
    SELECT :environment, id, 'phone', '+20' || (1000000000 + substr(distinct_id, 2)::bigint) FROM people
""")

_SEARCHES = ("u77", "u765432", "+201000654321", "Name42", "name4", "cairo", "Port", "2010005", "nobody at all", "u9")
_RULES: Sequence[list[dict[str, Any]]] = (
    [{"what": "country", "operator": "is", "value": "EG"}],
    [{"what": "attribute", "of": "city", "operator": "is", "value": "Luxor"}],
    [{"what": "attribute", "of": "score", "operator": ">", "value": 990}],
    [{"what": "attribute", "of": "vip", "operator": "is", "value": True}],
    [
        {"what": "attribute", "of": "city", "operator": "is", "value": "Giza"},
        {"what": "attribute", "of": "score", "operator": "<", "value": 100},
    ],
)


def make(rt: Runtime, first: int, last: int) -> None:
    """People `u{first}` to `u{last}`, each with a number, a country and five attributes."""
    with rt.transaction() as session:
        properties.declare(session, ENVIRONMENT, TYPES)
    for start in range(first, last + 1, PORTION):
        with rt.transaction() as session:
            end = min(start + PORTION - 1, last)
            session.execute(_MAKE, {"environment": ENVIRONMENT, "cities": list(CITIES), "first": start, "last": end})


def settle(rt: Runtime) -> None:
    """What autovacuum would have done by the time somebody looks."""
    with rt.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE) person, address"))


def search_p95_ms(rt: Runtime) -> float:
    """The search field of the listing, over words, names, numbers and attributes, rare and common."""
    return _p95_ms(rt, [_search(words) for words in _SEARCHES])


def segment_count_p95_ms(rt: Runtime) -> float:
    """The count that stands beside a rule while it is built."""
    return _p95_ms(rt, [_count({"version": 1, "all": conditions}) for conditions in _RULES])


def _search(words: str) -> Callable[[Session], object]:
    asked = finding.Asked(environment=ENVIRONMENT, text=words)
    return lambda session: finding.Finder(session, asked).page()


def _count(rule: dict[str, Any]) -> Callable[[Session], object]:
    return lambda session: counting.count(session, ENVIRONMENT, checking.check(session, ENVIRONMENT, rule))


def _p95_ms(rt: Runtime, questions: Sequence[Callable[[Session], object]]) -> float:
    taken = []
    for _ in range(ROUNDS):
        for question in questions:
            began = time.perf_counter()
            with rt.transaction() as session:
                question(session)
            taken.append(1000 * (time.perf_counter() - began))
    return sorted(taken)[int(0.95 * len(taken))]
