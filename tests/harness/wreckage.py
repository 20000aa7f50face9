"""What a kill hit: the rows that a dead sender leaves behind, and the table that a run of kills prints at its end."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from sqlalchemy import text

from tests.harness.house import House
from tests.harness.simulator import message_of

PROPERTY = "kills"
"""What `told` makes goes by this name into a test's record_property, and so reaches the end of a run on xdist too."""

HITS = {
    "nothing in hand": "nothing in hand",
    "claimed": "a reply, claimed",
    "wire, not taken": "on the wire, provider has not taken it",
    "wire, taken": "on the wire, provider has taken it, answer not written down",
}
_IN_HAND = text("SELECT id, state FROM message WHERE state IN ('claimed', 'wire')")


def look(house: House) -> Counter[str]:
    """The rows in hand at this moment, by how far they had come; ask between a kill and what starts afterwards."""
    with house.rt.engine.connect() as connection:
        rows = connection.execute(_IN_HAND).all()
    taken = {message_of(entry) for entry in house.simulator.log()}
    found = Counter(_how_far(row.state, is_taken=row.id in taken) for row in rows)
    return found or Counter({"nothing in hand": 1})


def _how_far(state: str, *, is_taken: bool) -> str:
    if state == "claimed":
        return state
    return "wire, taken" if is_taken else "wire, not taken"


def told(seed: int, kills: Mapping[str, Counter[str]], verdict: Mapping[str, int]) -> str:
    return json.dumps({"seed": seed, "kills": kills, "verdict": verdict})


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The histogram and the verdict of all seeds together, where any ran."""
    reports: Iterable[pytest.TestReport] = (each for part in terminalreporter.stats.values() for each in part)
    found = [json.loads(value) for each in reports for name, value in _properties(each) if name == PROPERTY]
    if not found:
        return
    terminalreporter.section(f"{len(found)} seeds of kills")
    for line in _table(found):
        terminalreporter.line(line)


def _properties(report: Any) -> list[tuple[str, Any]]:
    return report.user_properties if getattr(report, "when", "") == "call" else []


def _table(found: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    kills: dict[str, Counter[str]] = {}
    verdict: Counter[str] = Counter()
    for one in found:
        verdict.update(one["verdict"])
        for kind, hits in one["kills"].items():
            kills.setdefault(kind, Counter()).update(hits)
    yield "  ".join([f"{'killed':22}{'kills':>7}", *HITS])
    for kind, hits in sorted(kills.items()):
        yield "  ".join([f"{kind:22}{hits['kills']:>7}", *(f"{hits[name]:>{len(name)}}" for name in HITS)])
    every = sum(kills.values(), Counter())
    yield "  ".join([f"{'all':22}{every['kills']:>7}", *(f"{every[name]:>{len(name)}}" for name in HITS)])
    yield "the log's verdict: " + " · ".join(f"{name} {count:,}" for name, count in verdict.items())
