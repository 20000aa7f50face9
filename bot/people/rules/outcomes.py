"""Conditions on what became of a past broadcast for somebody."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Exists, exists, func, or_
from sqlalchemy.orm import aliased

from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import Direction, MessageState
from bot.people.rules.failures import CLASSED, FAILURES, OTHER
from bot.people.rules.schema import Condition

SUBJECTS = frozenset({"broadcast"})

_LEVELS = {"accepted": 0, "delivered": 2, "read": 3}

# Whoever waits or is in doubt may get it yet, or has it.
_MAY_HAVE_IT = tuple(
    state.value
    for state in (
        MessageState.QUEUED,
        MessageState.CLAIMED,
        MessageState.WIRE,
        MessageState.ACCEPTED,
        MessageState.UNKNOWN,
    )
)


def matching(person: type[Person], environment: str, asked: Condition, _now: datetime) -> ColumnElement[bool]:
    sent = exists().where(
        Message.broadcast_id == asked.of, Message.person_id == person.id, Message.environment == environment
    )
    if asked.operator == "failed":
        return _failed(sent, asked.value)
    if asked.operator == "not_sent":
        return ~sent.where(Message.state.in_(_MAY_HAVE_IT))
    if asked.operator == "skipped":
        return sent.where(Message.state == MessageState.SUPPRESSED)
    accepted = sent.where(Message.state == MessageState.ACCEPTED)
    if asked.operator == "replied":
        return accepted.where(_answered(environment, asked.value))
    return accepted.where(Message.delivery_level >= _LEVELS[asked.operator])


def _failed(sent: Exists, reason: str | None) -> ColumnElement[bool]:
    failed = sent.where(Message.state == MessageState.FAILED)
    if reason is None:
        return failed
    if reason == OTHER:
        return failed.where(or_(Message.error_code.is_(None), Message.error_code.not_in(sorted(CLASSED))))
    return failed.where(Message.error_code.in_(sorted(FAILURES[reason].codes)))


def _answered(environment: str, days: int) -> ColumnElement[bool]:
    """They wrote to the number that sent it, within so many days; providers tell whole seconds only."""
    answer = aliased(Message, name="answer")
    return exists().where(
        answer.person_id == Message.person_id,
        answer.number_id == Message.number_id,
        answer.environment == environment,
        answer.direction == Direction.IN,
        answer.occurred_at >= func.date_trunc("second", Message.accepted_at),
        answer.occurred_at <= Message.accepted_at + timedelta(days=days),
    )
