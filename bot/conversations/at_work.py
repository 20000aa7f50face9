"""Which coaches are there to be given work: who has the inbox open, is not away, and how much each takes."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import cast

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.models.inbox import Availability, InboxPolicy
from bot.models.team import Operator
from bot.team import rights
from bot.team.rights import Permission

log = structlog.get_logger()

_KEY = "backchat:at-work"
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Coach:
    id: int
    name: str
    away_since: datetime | None
    """By their own word."""
    capacity: int | None
    """Empty: the policy's."""

    @property
    def is_away(self) -> bool:
        return self.away_since is not None


def tell(redis: Redis, operator_id: int) -> None:
    """A page of the inbox is open before an operator. While Redis is away nobody is given anything by itself."""
    now = time.time()
    try:
        with redis.pipeline() as pipe:
            pipe.zadd(_KEY, {str(operator_id): now})
            pipe.zremrangebyscore(_KEY, "-inf", now - _DAY_S)
            pipe.execute()
    except RedisError as error:
        log.warning("at_work.unheard", error=type(error).__name__)


def seen(redis: Redis, within_s: float) -> frozenset[int]:
    """Operators who had the inbox open so lately; raises RedisError."""
    found = cast("Iterable[bytes]", redis.zrangebyscore(_KEY, time.time() - within_s, "+inf"))
    return frozenset(int(member) for member in found)


def coaches(session: Session) -> Sequence[Coach]:
    """Everybody active who may answer, by name."""
    return [
        Coach(operator.id, operator.name, away_since, capacity)
        for operator, away_since, capacity in session.execute(_coaches())
        if Permission.INBOX_REPLY in rights.of(operator)
    ]


@cache
def _coaches() -> Select[Operator, datetime | None, int | None]:
    return (
        select(Operator, Availability.away_since, Availability.capacity)
        .join(Availability, Availability.operator_id == Operator.id, isouter=True)
        .where(Operator.active)
        .order_by(func.lower(Operator.name), Operator.id)
    )


def is_coach(session: Session, operator_id: int) -> bool:
    return any(coach.id == operator_id for coach in coaches(session))


def leave(session: Session, operator_id: int, *, is_away: bool) -> None:
    """What an operator says of themselves: away, nobody's conversation is given to them by itself."""
    since = func.now() if is_away else None
    told = insert(Availability).values(operator_id=operator_id, away_since=since)
    kept = func.coalesce(Availability.away_since, func.now()) if is_away else None
    session.execute(told.on_conflict_do_update(index_elements=["operator_id"], set_={"away_since": kept}))


def limit(session: Session, operator_id: int, capacity: int | None) -> None:
    """Open conversations at once that an operator takes; None for the policy's."""
    told = insert(Availability).values(operator_id=operator_id, capacity=capacity)
    session.execute(told.on_conflict_do_update(index_elements=["operator_id"], set_={"capacity": capacity}))


def policy(session: Session, environment: str) -> InboxPolicy:
    """How the environment's inbox works by itself, as kept or as it begins."""
    return session.get(InboxPolicy, environment) or InboxPolicy(
        environment=environment,
        assigning="by_hand",
        capacity=20,
        away_after_min=15,
        close_after_h=None,
        tells="nothing",
    )
