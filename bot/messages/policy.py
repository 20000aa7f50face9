"""What an environment's broadcasts keep to, as its admins decided: quiet hours, thresholds, caps and limits."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import time
from typing import Final

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.models.policy import SendingPolicy

LARGEST_COUNT: Final = 2_000_000_000
LIMITS: Final = {
    "type_count_above": (0, LARGEST_COUNT),
    "approve_above": (0, LARGEST_COUNT),
    "frequency_messages": (1, 1000),
    "frequency_days": (1, 365),
    "tier_percent": (1, 100),
    "stop_failed_percent": (1, 100),
    "stop_opt_out_percent": (1, 100),
    "response_days": (1, 30),
}
"""The least and the most of each figure."""

OPTIONAL: Final = frozenset({"approve_above", "frequency_messages"})
"""Empty means never."""


class PolicyError(ValueError):
    """The policy cannot be kept; the text has every problem, one a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The columns of SendingPolicy, with what holds while nobody has decided anything."""

    quiet_from: time | None = None
    quiet_to: time | None = None
    type_count_above: int = 1000
    approve_above: int | None = None
    frequency_messages: int | None = None
    frequency_days: int = 7
    tier_percent: int = 80
    stop_failed_percent: int = 20
    stop_opt_out_percent: int = 5
    response_days: int = 3


DEFAULT: Final = Policy()
FIELDS: Final = tuple(each.name for each in fields(Policy))


def of(session: Session, environment: str) -> Policy:
    """The policy in force, as it stands in the database now."""
    kept = session.get(SendingPolicy, environment, populate_existing=True)
    return DEFAULT if kept is None else Policy(**{name: getattr(kept, name) for name in FIELDS})


def change(session: Session, environment: str, policy: Policy, operator_id: int | None) -> None:
    """Raises PolicyError with every problem."""
    if found := list(_problems(policy)):
        raise PolicyError("\n".join(found))
    values = asdict(policy) | {"updated_by_operator_id": operator_id}
    kept = insert(SendingPolicy).values(environment=environment, **values)
    changed = values | {"updated_at": func.now()}
    session.execute(kept.on_conflict_do_update(index_elements=["environment"], set_=changed))


def _problems(policy: Policy) -> Iterable[str]:
    if (policy.quiet_from is None) != (policy.quiet_to is None):
        yield "Quiet hours need both a beginning and an end: give both, or neither for none."
    elif policy.quiet_from is not None and policy.quiet_from == policy.quiet_to:
        yield "Quiet hours cannot begin and end at the same time: then no time of the day would be left."
    for name, (least, most) in LIMITS.items():
        figure = getattr(policy, name)
        if figure is None and name in OPTIONAL:
            continue
        if figure is None or not least <= figure <= most:
            yield f"{name.replace('_', ' ').capitalize()} must be a whole number from {least:,} to {most:,}."
