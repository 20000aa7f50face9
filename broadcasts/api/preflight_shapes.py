"""A preflight as programs see it, by the API and by `backchat broadcast preflight --json`."""

from typing import Any

from sqlalchemy.orm import Session

from bot.messages.policy import FIELDS, Policy
from bot.models.broadcast import Broadcast
from bot.models.policy import MessageRate
from bot.people.rules.schema import RuleError
from broadcasts.api.shapes import iso, learned
from broadcasts.preflight import report, version
from broadcasts.preflight.costs import Estimate
from broadcasts.preflight.funnel import Funnel
from broadcasts.preflight.report import Report
from broadcasts.preflight.tier import Use
from broadcasts.preflight.timing import Timing


def of(session: Session, broadcast: Broadcast) -> dict[str, Any]:
    """Where nobody can be counted, only what stops it."""
    common = {"id": broadcast.id, "version": version.of(session, broadcast)}
    try:
        told = report.load(session, broadcast)
    except RuleError:
        return common | {"blocks": report.blocked(session, broadcast)} | dict.fromkeys(_PARTS)
    return common | {
        "blocks": list(told.blocks),
        "cautions": [{"code": each.code, "text": each.text} for each in told.cautions],
        "must_be_confirmed": told.must_type,
        "must_be_approved": told.must_be_approved,
        "audience": _audience(told.funnel, told.gets),
        "gaps": {"people": told.gaps.people, "missing": dict(told.gaps.missing)},
        "cost": _cost(told.cost),
        "tier": told.use and _use(told.use),
        "timing": _timing(told.timing),
        "recent": _recent(told),
    }


_PARTS = (
    *("cautions", "must_be_confirmed", "must_be_approved"),
    *("audience", "gaps", "cost", "tier", "timing", "recent"),
)


def policy(kept: Policy) -> dict[str, Any]:
    told = {name: getattr(kept, name) for name in FIELDS}
    return told | {name: told[name] and f"{told[name]:%H:%M}" for name in ("quiet_from", "quiet_to")}


def rate(kept: MessageRate) -> dict[str, Any]:
    return {
        "country": kept.country,
        "category": kept.category,
        "price": format(kept.price.normalize(), "f"),
        "currency": kept.currency,
    }


def _audience(funnel: Funnel, gets: int) -> dict[str, Any]:
    """It adds up: memberships - duplicates - left_out = people; those in `reasons` and with gaps get nothing."""
    return {
        "memberships": funnel.memberships,
        "duplicates": funnel.duplicates,
        "left_out": funnel.left_out,
        "people": funnel.audience,
        "reasons": dict(funnel.reasons),
        "gets": gets,
    }


def _cost(cost: Estimate) -> dict[str, Any]:
    return {
        "category": cost.category,
        "currency": cost.currency,
        "amount": str(cost.amount),
        "unpriced": cost.unpriced,
        "countries": [
            {"country": each.country, "people": each.people, "price": None if each.price is None else str(each.price)}
            for each in cost.lines
        ],
    }


def _use(use: Use) -> dict[str, Any]:
    return {
        "limit": use.limit,
        "percent": use.percent,
        "allowed": use.allowed,
        "used": use.used,
        "new": use.new,
        "today": use.today,
        "more_days": use.more_days,
    }


def _timing(timing: Timing) -> dict[str, Any]:
    return {
        "begins": iso(timing.begins),
        "ends": iso(timing.ends),
        "pace_per_s": timing.pace_per_s,
        "learned": learned(timing.learned),
        "waits": [{"until": clock, "why": why, "people": n} for (clock, why), n in timing.waits.items()],
    }


def _recent(told: Report) -> list[dict[str, Any]]:
    return [
        {"id": each.broadcast.id, "name": each.broadcast.name, "people": each.people, "same": list(each.what)}
        for each in told.recent
    ]
