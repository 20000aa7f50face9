"""Who has a conversation before them just now, and who of them is typing: in Redis, gone by itself within seconds."""

import time
from dataclasses import dataclass
from typing import Any, cast

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import live
from bot.models.team import Operator

HERE_S, TYPING_S = 35.0, 8.0
"""A page says so every 15 seconds, and while somebody types every 3."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Colleague:
    id: int
    name: str
    is_typing: bool


def tell(redis: Redis, conversation_id: int, operator_id: int, *, is_typing: bool) -> None:
    """Nobody is told anything while Redis is away, and nothing else depends on it."""
    key, now = _key(conversation_id), time.time()
    until = {f"here:{operator_id}": now + HERE_S, f"typing:{operator_id}": now + TYPING_S if is_typing else 0.0}
    try:
        with redis.pipeline() as pipe:
            pipe.zremrangebyscore(key, "-inf", now)
            pipe.zadd(key, cast("Any", until))
            pipe.expire(key, int(HERE_S) + 1)
            pipe.execute()
    except RedisError as error:
        log.warning("presence.unheard", error=type(error).__name__)
        return
    live.publish(redis, live.thread(conversation_id))


def leave(redis: Redis, conversation_id: int, operator_id: int) -> None:
    try:
        redis.zrem(_key(conversation_id), f"here:{operator_id}", f"typing:{operator_id}")
    except RedisError as error:
        log.warning("presence.unheard", error=type(error).__name__)
        return
    live.publish(redis, live.thread(conversation_id))


def here(session: Session, redis: Redis, conversation_id: int) -> tuple[Colleague, ...]:
    """By name; nobody while Redis is away."""
    try:
        found = cast("list[bytes]", redis.zrangebyscore(_key(conversation_id), f"({time.time()}", "+inf"))
    except RedisError as error:
        log.warning("presence.unheard", error=type(error).__name__)
        return ()
    told = [each.decode().partition(":") for each in found]
    typing = {int(id_) for what, _, id_ in told if what == "typing"}
    ids = {int(id_) for _, _, id_ in told}
    if not ids:
        return ()
    names = session.execute(select(Operator.id, Operator.name).where(Operator.id.in_(ids)).order_by(Operator.name))
    return tuple(Colleague(id_, name, id_ in typing) for id_, name in names)


def _key(conversation_id: int) -> str:
    return f"backchat:presence:{conversation_id}"
