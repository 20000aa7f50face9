"""The answer to why, as programs and commands see it; docs/why.md describes each field."""

from datetime import datetime
from typing import Any

from bot.why.days import Day
from bot.why.steps import Chain, Evidence, Step


def chain(found: Chain) -> dict[str, Any]:
    last = found.last
    return {
        "title": found.title,
        "verdict": found.verdict.value,
        "told": found.told,
        "step": last and last.key,
        "fix": last and last.fix,
        "at": _iso(found.at),
        "broadcast_id": found.broadcast_id,
        "message_id": found.message_id,
        "steps": [_step(each) for each in found.steps],
    }


def day(found: Day) -> dict[str, Any]:
    return {
        "day": found.day.isoformat(),
        "since": _iso(found.since),
        "until": _iso(found.until),
        "messages": [chain(each) for each in found.made],
        "missing": [chain(each) for each in found.missing],
        "is_cut": found.is_cut,
        "message_before": _iso(found.before),
        "message_after": _iso(found.after),
    }


def _step(found: Step) -> dict[str, Any]:
    return {
        "step": found.key,
        "question": found.question,
        "verdict": found.verdict.value,
        "told": found.told or None,
        "at": _iso(found.at),
        "fix": found.fix,
        "evidence": [_evidence(each) for each in found.evidence],
    }


def _evidence(found: Evidence) -> dict[str, Any]:
    return {"row": found.row, "told": found.told, "at": _iso(found.at), "by": found.by}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
